"""One value of a wrong type costs the part that it stands in, with a note, and nothing else."""

import copy
import json

import pytest

from tests.unit.evidence.scanning import scan

GOOD = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "good", "namespace": "shop"},
    "involvedObject": {"kind": "Pod", "name": "good-0", "namespace": "shop"},
    "reason": "Failed",
    "message": "Error: the good one is told",
    "type": "Warning",
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "cart-0",
        "namespace": "shop",
        "labels": {"app": "cart"},
        "ownerReferences": [{"kind": "StatefulSet", "name": "cart", "controller": True}],
    },
    "spec": {
        "nodeName": "n1",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "volumes": [{"name": "v", "configMap": {"name": "c"}}],
        "containers": [
            {
                "name": "cart",
                "image": "r/cart:1",
                "command": ["run"],
                "args": ["--x"],
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "envFrom": [{"configMapRef": {"name": "c"}}],
                "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "10m"}},
                "livenessProbe": {"exec": {"command": ["true"]}},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            }
        ],
    },
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [
            {"name": "cart", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {}}
        ],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Deployment",
    "metadata": {"name": "cart", "labels": {"a": "b"}},
    "spec": {"taints": [{"key": "a"}], "template": {"spec": {"containers": [{"name": "cart"}]}}},
    "status": {"conditions": [{"type": "Available", "status": "False"}], "parents": [{"conditions": [{"type": "x"}]}]},
}
APPLICATION = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "cart"},
    "spec": {"source": {"repoURL": "r", "path": "p"}, "destination": {"server": "s"}},
    "status": {
        "sync": {"status": "OutOfSync", "revisions": ["a"]},
        "health": {"status": "Degraded"},
        "conditions": [{"type": "ComparisonError", "message": "x"}],
        "operationState": {"phase": "Failed", "message": "m", "syncResult": {"resources": [{"kind": "Pod"}]}},
        "resources": [{"kind": "Pod", "name": "x", "status": "OutOfSync", "health": {"status": "Degraded"}}],
    },
}
ODD = (None, 5, "text", True, [], {}, [5], {"a": 1}, [[1]], 1e400, "9" * 5000)


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


def _with(value, path, odd):
    changed = copy.deepcopy(value)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = odd
    return changed


@pytest.mark.parametrize("whole", [POD, SERVICE, APPLICATION, GOOD], ids=["pod", "workload", "application", "event"])
def test_a_value_of_any_type_anywhere_leaves_the_other_items_told(whole):
    for path in _paths(whole):
        for odd in ODD if path else ():
            listed = {"apiVersion": "v1", "kind": "List", "items": [_with(whole, path, odd), GOOD]}
            told = [item.text for item in scan(json.dumps(listed)).statements]
            assert "Error: the good one is told" in told, (path, odd)


ALERTS = {"alerts": [{"labels": {"alertname": "A", "pod": "x"}, "annotations": {"summary": "s"}, "status": "firing"}]}
STREAMS = {"data": {"resultType": "streams", "result": [{"stream": {"pod": "x"}, "values": [["1", "error x"]]}]}}
SERIES = {"data": {"resultType": "matrix", "result": [{"metric": {"pod": "x"}, "values": [[1, "2"]]}]}}


@pytest.mark.parametrize("whole", [ALERTS, STREAMS, SERIES], ids=["alerts", "streams", "series"])
def test_a_value_of_any_type_in_a_servers_answer_stops_nothing(whole):
    for path in _paths(whole):
        for odd in ODD if path else ():
            text = json.dumps(_with(whole, path, odd)) + "\n\n" + json.dumps(GOOD)
            assert "Error: the good one is told" in [item.text for item in scan(text).statements], (path, odd)


def test_the_broken_item_is_named_with_its_place_and_the_sound_one_has_no_note():
    broken = _with(POD, ("spec", "containers", 0, "resources", "limits"), "64Mi")
    listed = {"apiVersion": "v1", "kind": "List", "items": [POD, broken, GOOD]}
    assert scan(json.dumps(listed), name="pods.json").notes == (
        "pods.json:1: item 2 of a list is malformed and was left out (AttributeError)",
    )
    assert scan(json.dumps({"apiVersion": "v1", "kind": "List", "items": [POD, GOOD]})).notes == ()


def test_json_of_no_known_shape_is_named_and_a_json_log_line_is_not():
    assert scan('{"kind": {"a": 1}, "metadata": {"name": "x"}}').notes[0].startswith("log.txt:1: a JSON document of no")
    assert scan('{"level": "error", "msg": "failed", "kind": "x"}').notes == ()


def test_notes_on_broken_items_are_bounded():
    broken = _with(POD, ("spec", "containers", 0, "resources", "limits"), "64Mi")
    assert len(scan(json.dumps({"kind": "List", "apiVersion": "v1", "items": [broken] * 500})).notes) <= 21
