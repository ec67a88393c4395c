"""Charts that are not in the repository: a place matched by evidence or by the commit that changed it, else none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.remedies.small_repository import propose

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: queue
  namespace: argocd
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: messaging}
  source:
    repoURL: https://charts.example.com/stable
    chart: queue
    targetRevision: 4.1.0
    helm:
      values: |
        broker:
          image:
            repository: registry.example.com/messaging/broker
            tag: 3.9.1
          resources:
            limits:
              memory: 640Mi   # three topics
        exporter:
          resources:
            limits:
              memory: 96Mi
"""
KILLED = """\
Name:             queue-broker-0
Namespace:        messaging
Controlled By:    StatefulSet/queue-broker
Containers:
  broker:
    Image:          registry.example.com/messaging/broker:3.9.1
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  7
    Limits:
      memory:  {limit}
"""
NOT_FOUND = """\
Name:             queue-broker-0
Namespace:        messaging
Controlled By:    StatefulSet/queue-broker
Containers:
  broker:
    Image:          registry.example.com/messaging/broker:3.91
    State:          Waiting
      Reason:       ImagePullBackOff
    Ready:          False
Events:
  Type     Reason   Age              From     Message
  ----     ------   ----             ----     -------
  Warning  Failed   2m (x4 over 4m)  kubelet  Failed to pull image "registry.example.com/messaging/broker:3.91": rpc error: code = NotFound desc = failed to resolve reference "registry.example.com/messaging/broker:3.91": registry.example.com/messaging/broker:3.91: not found
"""


def test_a_limit_is_raised_where_the_value_that_ran_stands(tmp_path: Path) -> None:
    told = propose(tmp_path, {"apps/queue.yaml": APPLICATION}, KILLED.format(limit="640Mi"))
    assert told.changed == {"apps/queue.yaml": APPLICATION.replace("memory: 640Mi ", "memory: 1280Mi ")}
    assert told.outcomes[0].proposals[0].places[0].proof == "unproved"


def test_a_key_with_another_value_than_what_ran_is_not_the_place(tmp_path: Path) -> None:
    told = propose(tmp_path, {"apps/queue.yaml": APPLICATION}, KILLED.format(limit="512Mi"))
    assert not told.changed


def test_a_tag_goes_back_to_what_stood_before_the_commit(tmp_path: Path) -> None:
    broken = APPLICATION.replace("tag: 3.9.1", "tag: 3.91")
    told = propose(tmp_path, {"apps/queue.yaml": broken}, NOT_FOUND, before=[{"apps/queue.yaml": APPLICATION}])
    assert told.changed == {"apps/queue.yaml": APPLICATION}


def test_a_name_and_a_tag_that_one_commit_changed_go_back_as_the_pair_that_ran(tmp_path: Path) -> None:
    broken = APPLICATION.replace("messaging/broker\n", "messaging/broken\n").replace("tag: 3.9.1", "tag: latest")
    log = NOT_FOUND.replace("broker:3.91", "broken:latest")
    told = propose(tmp_path, {"apps/queue.yaml": broken}, log, before=[{"apps/queue.yaml": APPLICATION}])
    assert told.changed == {"apps/queue.yaml": APPLICATION}


@pytest.mark.parametrize(
    ("old", "new"),
    [("memory: 96Mi", "memory: 128Mi"), ("targetRevision: 4.1.0", "targetRevision: 4.1.1")],
    ids=["a sibling's limit", "a chart version that no message names"],
)
def test_a_change_that_the_evidence_does_not_point_at_stays(tmp_path: Path, old: str, new: str) -> None:
    later = APPLICATION.replace(old, new)
    told = propose(
        tmp_path, {"apps/queue.yaml": later}, KILLED.format(limit="512Mi"), before=[{"apps/queue.yaml": APPLICATION}]
    )
    assert not told.changed


def test_a_commit_that_raised_the_limit_is_not_taken_back(tmp_path: Path) -> None:
    lower = APPLICATION.replace("memory: 640Mi", "memory: 320Mi")
    told = propose(
        tmp_path, {"apps/queue.yaml": APPLICATION}, KILLED.format(limit="640Mi"), before=[{"apps/queue.yaml": lower}]
    )
    assert "memory: 320Mi" not in told.changed.get("apps/queue.yaml", "")


UNREACHABLE = """\
$ argocd app get queue
Name:               argocd/queue
Project:            default
Namespace:          messaging
Sync Status:        Unknown
Health Status:      Healthy

CONDITION        MESSAGE                                                LAST TRANSITION
ComparisonError  Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = failed to fetch chart: {why}  2026-03-11 08:29:41 +0000 UTC
"""


@pytest.mark.parametrize(
    ("why", "version"),
    [
        pytest.param(
            'failed to get index: Get "https://charts.example.com/stable/index.yaml": net/http: TLS handshake timeout',
            "",
            id="the-server-is-silent",
        ),
        pytest.param(
            'chart "queue" version "4.1.0" not found in https://charts.example.com/stable', "4.0.2", id="named"
        ),
    ],
)
def test_a_recent_change_is_no_suspect_where_the_cause_lies_outside(tmp_path: Path, why: str, version: str) -> None:
    older = APPLICATION.replace("targetRevision: 4.1.0", "targetRevision: 4.0.2")
    told = propose(
        tmp_path, {"apps/queue.yaml": APPLICATION}, UNREACHABLE.format(why=why), before=[{"apps/queue.yaml": older}]
    )
    assert told.changed == ({"apps/queue.yaml": older} if version else {})


RUNNER = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: builds
  namespace: argocd
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: builds}}
  source:
    repoURL: https://charts.example.com/stable
    chart: builds
    targetRevision: 2.3.0
    helm:
      valuesObject:
        config: |
          [[workers]]
            space = "{space}"
            shell = "bash"
            [workers.pod]
              helper = "{helper}"
"""
REFUSED = """\
$ kubectl -n builds logs deploy/builds
ERROR: preparation failed: pods is forbidden: User "system:serviceaccount:builds:builds" cannot create resource "pods" in API group "" in the namespace "{space}"
"""


def test_of_a_text_that_a_commit_changed_twice_only_the_place_that_the_message_quotes_goes_back(tmp_path: Path) -> None:
    good = RUNNER.format(space="team-builds", helper="registry.example.com/helper:17")
    bad = RUNNER.format(space="team-bilds", helper="registry.example.com/helper:18")
    told = propose(
        tmp_path, {"apps/builds.yaml": bad}, REFUSED.format(space="team-bilds"), before=[{"apps/builds.yaml": good}]
    )
    assert told.changed == {"apps/builds.yaml": bad.replace("team-bilds", "team-builds")}


def test_a_message_that_quotes_neither_place_takes_none_back(tmp_path: Path) -> None:
    good = RUNNER.format(space="team-builds", helper="registry.example.com/helper:17")
    bad = RUNNER.format(space="team-bilds", helper="registry.example.com/helper:18")
    told = propose(
        tmp_path, {"apps/builds.yaml": bad}, REFUSED.format(space="elsewhere"), before=[{"apps/builds.yaml": good}]
    )
    assert not told.changed


SEVERAL = APPLICATION.replace("memory: 96Mi", "memory: 640Mi")


def test_the_only_text_with_the_value_that_ran_is_the_place_whatever_its_key(tmp_path: Path) -> None:
    text = APPLICATION.replace("        broker:\n", "        nodes:\n")
    told = propose(tmp_path, {"apps/queue.yaml": text}, KILLED.format(limit="640Mi"))
    assert told.changed == {"apps/queue.yaml": text.replace("memory: 640Mi ", "memory: 1280Mi ")}
    (place,) = told.outcomes[0].proposals[0].places
    assert (place.proof, place.why.partition(":")[0]) == ("unproved", "matched by evidence")


def test_a_dead_key_beside_the_one_with_the_value_that_ran_is_not_the_place(tmp_path: Path) -> None:
    text = APPLICATION.replace(
        "        broker:\n", "        resources:\n          limits:\n            memory: 256Mi\n        nodes:\n"
    )
    told = propose(tmp_path, {"apps/queue.yaml": text}, KILLED.format(limit="640Mi"))
    assert told.changed == {"apps/queue.yaml": text.replace("memory: 640Mi ", "memory: 1280Mi ")}


def test_two_texts_with_the_value_that_ran_give_no_place_unless_one_bears_the_name(tmp_path: Path) -> None:
    named = propose(tmp_path / "named", {"apps/queue.yaml": SEVERAL}, KILLED.format(limit="640Mi"))
    assert named.changed == {"apps/queue.yaml": SEVERAL.replace("memory: 640Mi ", "memory: 1280Mi ")}
    text = SEVERAL.replace("        broker:\n", "        nodes:\n")
    nameless = propose(tmp_path / "nameless", {"apps/queue.yaml": text}, KILLED.format(limit="640Mi"))
    assert not nameless.changed


def test_the_block_of_another_container_is_not_the_place_though_it_has_the_value(tmp_path: Path) -> None:
    text = APPLICATION.replace("memory: 640Mi ", "memory: 320Mi ").replace("memory: 96Mi", "memory: 640Mi")
    told = propose(tmp_path, {"apps/queue.yaml": text}, KILLED.format(limit="640Mi"))
    assert not told.changed
