"""The catalogue of facts names what statements tell, with units, subject and speaker."""

from __future__ import annotations

from collections import Counter

import pytest

from remediator.evidence.facts import FACT_TYPES, facts_of
from tests.unit.evidence.scanning import statements

DESCRIBED = """\
$ kubectl describe pod web-7c9d8b6f5d-4xk2p -n shop
Name:             web-7c9d8b6f5d-4xk2p
Namespace:        shop
Service Account:  web
Containers:
  app:
    Image:          example.com/web:1.0
    Port:           8080/TCP
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  4
    Limits:
      memory:  64Mi
    Environment:
      MODE:  fast
"""
EVENT = "LAST SEEN   TYPE      REASON      OBJECT                     MESSAGE\n2m          Warning   {}   {}   {}\n"


def kinds(text: str) -> set[str]:
    return {fact.type for statement in statements(text) for fact in facts_of(statement)}


def test_each_kind_is_defined_once_and_says_what_it_means():
    assert not [name for name, count in Counter(kind.id for kind in FACT_TYPES).items() if count > 1]
    assert len(FACT_TYPES) >= 60
    for kind in FACT_TYPES:
        assert kind.meaning.endswith(".")
        assert set(kind.needs) <= set(kind.values)
        assert kind.values or kind.reasons


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DESCRIBED, {"container_state", "container_exit", "restarts", "memory_bounds", "ports_declared", "variables"}),
        (
            EVENT.format("FailedScheduling", "pod/web-0", "0/3 nodes are available: 3 Insufficient memory."),
            {"unschedulable"},
        ),
        (
            EVENT.format("FailedMount", "pod/web-0", 'MountVolume.SetUp failed for volume "data" : configmap "x" not found'),
            {"volume_failed", "missing_object"},
        ),
        (
            EVENT.format("Unhealthy", "pod/web-0", 'Readiness probe failed: Get "http://10.0.0.1:80/": dial tcp 10.0.0.1:80: refused'),
            {"probe", "dialled"},
        ),
        (
            EVENT.format("FailedGetResourceMetric", "horizontalpodautoscaler/web", "missing request for cpu in container app of Pod web-0"),
            {"request_missing"},
        ),
        ("$ kubectl exec web-0 -- ss -ltn\nLISTEN 0 511 *:3000 *:*\n", {"ports_listened"}),
    ],
)  # fmt: skip
def test_statements_tell_typed_facts(text: str, expected: set[str]):
    assert expected <= kinds(text)


def test_a_fact_has_its_values_its_subject_and_its_speaker():
    (fact,) = [
        fact for statement in statements(DESCRIBED) for fact in facts_of(statement) if fact.type == "container_exit"
    ]
    assert fact.values["exit_code"] == "137"
    assert (fact.subject.name, fact.subject.container, fact.speaker) == ("web", "app", "api")


def test_a_bound_volume_is_no_volume_that_failed():
    row = "data-0   Bound   pvc-2b1e   10Gi   RWO   standard   4m"
    assert kinds(f"$ kubectl get pvc --no-headers\n{row}\n") >= {"claim"}
    assert "volume_failed" not in kinds(f"$ kubectl get pvc --no-headers\n{row}\n")
