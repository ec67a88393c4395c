"""Forms that operators paste without a frame: single values, rows that grep left, other prompts."""

from __future__ import annotations

import pytest

from tests.unit.evidence.scanning import statements


def test_a_state_asked_for_by_jsonpath_is_a_status_of_the_object_of_the_command():
    text = """\
$ kubectl get pod web-7c9d8b6f5d-4xk2p -n shop -o jsonpath='{.status.containerStatuses[0].lastState}'
{"terminated":{"exitCode":137,"finishedAt":"2026-01-01T00:00:20Z","reason":"OOMKilled","startedAt":"2026-01-01T00:00:00Z"}}

$ kubectl get pods -n shop
NAME                   READY   STATUS    RESTARTS   AGE
web-7c9d8b6f5d-4xk2p   1/1     Running   2          2m
"""
    state, row = statements(text)
    assert (state.channel, state.reason, state.facts["exit_code"], state.facts["when"]) == (
        "status",
        "OOMKilled",
        "137",
        "last",
    )
    assert (state.subject.name, state.subject.namespace, state.speaker) == ("web", "shop", "api")
    assert row.facts["ready"] == "1/1"


def test_single_words_of_a_jsonpath_are_reasons():
    (row,) = statements("$ kubectl get pod web-0 -n shop -o jsonpath={..reason}\nCrashLoopBackOff\n")
    assert (row.channel, row.reason, row.subject.name) == ("status", "CrashLoopBackOff", "web")


@pytest.mark.parametrize(
    ("line", "namespace"),
    [
        ("web-7c9d8b6f5d-4xk2p   0/1     Error     3 (2m ago)   5m", ""),
        ("shop   web-7c9d8b6f5d-4xk2p   0/1   Error   3   5m   10.0.0.7   node-3   <none>   <none>", "shop"),
    ],
)
def test_pod_rows_without_their_header_are_read(line: str, namespace: str):
    (row,) = statements(f"ops-a> kubectl get pods -A -o wide | grep web\n{line}\n")
    assert (row.channel, row.reason, row.subject.name) == ("status", "Error", "web")
    assert (row.facts["ready"], row.facts["restart_count"], row.subject.namespace) == ("0/1", "3", namespace)


def test_event_rows_without_their_header_have_a_subject():
    (row,) = statements("2m    Warning   MixerLost   pod/web-7c9d8b6f5d-4xk2p   the mixer is lost\n")
    assert (row.channel, row.level, row.reason, row.subject.name) == ("event", "Warning", "MixerLost", "web")


@pytest.mark.parametrize(
    "prompt", ["ops-a> ", "ann@host:~$ ", "[ann@host dir]$ ", "$ ", "ann@host ~/dir> ", "➜  fleet git:(main) ✗ "]
)
def test_a_prompt_before_a_command_is_no_part_of_it(prompt: str):
    (row,) = statements(f"{prompt}kubectl logs web-0 -n shop\nready\n")
    assert (row.channel, row.subject.name, row.subject.namespace) == ("log", "web", "shop")


@pytest.mark.parametrize(
    "row",
    [
        "59m  6d  124  web-6597bc46dc.1576a87b365ab1e4  ReplicaSet    Warning  FailedCreate  replicaset-controller  Error creating: quota is full",
        "default  3m   Warning   FailedCreate   replicaset/web-6597bc46dc   Error creating: quota is full",
    ],
    ids=["columns before 1.18", "all namespaces"],
)
def test_a_row_of_events_without_its_header_names_the_workload(row: str) -> None:
    (statement,) = statements(row + "\n")
    assert (statement.channel, statement.subject.kind, statement.subject.name) == ("event", "Deployment", "web")
    assert statement.text == "Error creating: quota is full"


@pytest.mark.parametrize(
    ("line", "kind", "name", "facts"),
    [
        ("shop   cart   0/2   2   0   5d", "Deployment", "cart", {"ready": "0/2", "available": "0"}),
        ("deployment.apps/cart   0/2   2   0   5d", "Deployment", "cart", {"ready": "0/2"}),
        ("ledger   1/3   5d", "StatefulSet", "ledger", {"ready": "1/3"}),
        ("nightly   Failed   0/1   10m   10m", "Job", "nightly", {"completions": "0/1"}),
        ("agent   4   4   2   4   2   <none>   30d", "DaemonSet", "agent", {"desired": "4", "ready": "2"}),
        ("data-0   Pending   fast-ssd   <unset>   4m", "PersistentVolumeClaim", "data-0", {"storageclass": "fast-ssd"}),
        ("cart   ClusterIP   10.2.3.4   <none>   80/TCP   5d", "Service", "cart", {"ports": "80/TCP"}),
        ("cart   <none>   5d", "Endpoints", "cart", {}),
        ("n3   Ready,SchedulingDisabled   <none>   9d   v1.29.4", "Node", "n3", {"version": "v1.29.4"}),
        (
            "web   Deployment/web   cpu: <unknown>/70%   2   8   2   5d",
            "HorizontalPodAutoscaler",
            "web",
            {"minpods": "2"},
        ),
        ("argocd   web   OutOfSync   Degraded", "Application", "web", {"health_status": "Degraded"}),
    ],
)
def test_a_row_without_its_header_is_known_by_its_columns(line: str, kind: str, name: str, facts: dict[str, str]):
    (row,) = statements(f"$ kubectl get all -A | grep x\n{line}\n")
    assert (row.subject.kind, row.subject.name, row.speaker) in {(kind, name, "api"), (kind, name, "argocd")}
    assert facts.items() <= row.facts.items()


def test_the_command_decides_between_kinds_of_the_same_shape():
    (row,) = statements("$ kubectl get jobs -n shop --no-headers\nnightly   0/1   5m\n")
    assert row.subject.kind == "Job"
    assert not [r for r in statements("$ kubectl get rollouts --no-headers\nweb   0/1   5m\n") if r.channel == "status"]


def test_a_quoted_template_with_spaces_is_one_word_of_the_command():
    rows = statements(
        '$ kubectl get pods -n shop -o jsonpath=\'{range .items[*]}{.metadata.name}{"\\t"}{..reason}{"\\n"}{end}\'\n'
        "web-7c9d8b6f5d-4xk2p\tCrashLoopBackOff\n"
    )
    assert [(row.subject.name, row.subject.namespace, row.reason) for row in rows] == [
        ("web", "shop", "CrashLoopBackOff")
    ]


def test_columns_that_a_command_chooses_are_read_by_their_fields():
    (row,) = statements(
        "$ kubectl get pods -n shop -o custom-columns=POD:.metadata.name,IMG:.spec.containers[0].image,"
        "WHY:.status.containerStatuses[0].lastState.terminated.reason,MAX:.spec.containers[*].resources.limits.memory\n"
        "POD                    IMG                   WHY         MAX\n"
        "web-7c9d8b6f5d-4xk2p   example.com/web:1.0   OOMKilled   64Mi\n"
    )
    assert (row.subject.name, row.subject.image, row.reason) == ("web", "example.com/web:1.0", "OOMKilled")
    assert row.facts["memory_limit"] == "64Mi"


def test_events_in_columns_that_a_command_chooses_are_events():
    (row,) = statements(
        "$ kubectl get events -n shop -o custom-columns=LAST:.lastTimestamp,TYPE:.type,REASON:.reason,OBJ:.involvedObject.name,MSG:.message\n"
        "LAST                   TYPE      REASON      OBJ                    MSG\n"
        "2026-01-01T00:00:20Z   Warning   Unhealthy   web-7c9d8b6f5d-4xk2p   Readiness probe failed: refused\n"
    )
    assert (row.channel, row.level, row.reason, row.subject.name) == ("event", "Warning", "Unhealthy", "web")
    assert (row.text, row.last_seen) == ("Readiness probe failed: refused", "2026-01-01T00:00:20Z")


def test_an_error_of_helm_keeps_the_causes_listed_below_it():
    (row,) = statements(
        "$ helm upgrade web ./web -n shop\nError: UPGRADE FAILED: values don't meet the specifications:\nweb:\n- count: Invalid type\n"
    )
    assert (row.level, row.subject.application, row.subject.namespace) == ("error", "web", "shop")
    assert row.text.endswith("- count: Invalid type")


def test_what_a_command_in_a_container_prints_is_about_that_container():
    (row,) = statements("$ kubectl exec -n shop deploy/web -c app -- curl -sS http://api:80\ncurl: (7) refused\n")
    assert (row.speaker, row.subject.kind, row.subject.name, row.subject.container) == (
        "person",
        "Deployment",
        "web",
        "app",
    )
