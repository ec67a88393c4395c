import json

from remediator.evidence import Pattern
from tests.unit.evidence.scanning import brief, statements

ALERT = {
    "status": "firing",
    "labels": {
        "alertname": "KubePodCrashLooping",
        "namespace": "shop",
        "pod": "web-6b7f8c9d5f-zx4lp",
        "container": "app",
        "severity": "critical",
        "job": "kube-state-metrics",
    },
    "annotations": {"description": "Pod shop/web is crash looping.", "summary": "Crash."},
    "startsAt": "2026-01-01T00:00:00.5+01:00",
    "endsAt": "0001-01-01T00:00:00Z",
}
WEBHOOK = {"version": "4", "status": "firing", "alerts": [ALERT], "commonLabels": {"cluster": "prod"}}


def test_a_webhook_becomes_one_alert_per_entry():
    (found,) = statements(json.dumps(WEBHOOK, indent=2))
    assert (found.channel, found.reason, found.level, found.text) == (
        "alert",
        "KubePodCrashLooping",
        "critical",
        "Pod shop/web is crash looping.",
    )
    assert (found.subject.kind, found.subject.name, found.subject.container, found.subject.cluster) == (
        "Deployment",
        "web",
        "app",
        "prod",
    )
    assert (found.first_seen, found.last_seen, found.facts["status"]) == ("2025-12-31T23:00:00.5Z", "", "firing")
    assert found.line == next(
        n for n, line in enumerate(json.dumps(WEBHOOK, indent=2).splitlines(), 1) if "KubePodCrashLooping" in line
    )


def test_a_repository_dispatch_is_unwrapped():
    for wrapped in (
        {"action": "alert", "client_payload": WEBHOOK},
        {"event_type": "alert", "client_payload": {"payload": WEBHOOK}},
    ):
        (found,) = statements(json.dumps(wrapped))
        assert found.subject.name == "web"


def test_silenced_and_resolved_alerts_are_marked():
    silenced = {**ALERT, "status": {"state": "suppressed", "silencedBy": ["a1"], "inhibitedBy": []}}
    resolved = {
        **ALERT,
        "status": "resolved",
        "endsAt": "2026-01-02T00:00:00Z",
        "labels": {**ALERT["labels"], "pod": "db-0"},
    }
    quiet, over = statements(json.dumps([silenced, resolved]))
    assert (quiet.facts["state"], quiet.facts["silenced_by"]) == ("suppressed", "a1")
    assert (over.facts["status"], over.facts["ended"], over.subject.kind) == (
        "resolved",
        "2026-01-02T00:00:00Z",
        "StatefulSet",
    )


def test_labels_tell_workloads_nodes_claims_and_applications():
    def alert(**labels):
        return {"labels": {"alertname": "A", **labels}, "annotations": {}, "startsAt": "2026-01-01T00:00:00Z"}

    alerts = [
        alert(deployment="web", namespace="shop", pod="kube-state-metrics-6b7f8c9d5f-zx4lp", job="kube-state-metrics"),
        alert(job_name="backup-28391230", namespace="shop"),
        alert(persistentvolumeclaim="data", namespace="shop", node="n1"),
        alert(instance="10.0.0.1:9100", job="node-exporter"),
        alert(name="shop", dest_namespace="shop", sync_status="OutOfSync", namespace="argocd"),
        alert(exported_namespace="shop", exported_pod="web-0", namespace="monitoring", pod="pushgateway-0"),
    ]
    found = statements(json.dumps(alerts))
    assert [(s.subject.kind, s.subject.name, s.subject.namespace) for s in found] == [
        ("Deployment", "web", "shop"),
        ("CronJob", "backup", "shop"),
        ("PersistentVolumeClaim", "data", "shop"),
        ("Node", "10.0.0.1", ""),
        ("Application", "shop", "argocd"),
        ("StatefulSet", "web", "shop"),
    ]
    assert found[4].subject.application == "shop"


def test_loki_streams_of_one_pod_are_one_log_in_times_order():
    def stream(stamp, text, **extra):
        return {
            "stream": {
                "namespace": "shop",
                "pod": "web-6b7f8c9d5f-zx4lp",
                "container": "app",
                "cluster": "eu",
                **extra,
            },
            "values": [[str(stamp), text]],
        }

    second = 1_767_225_600_000_000_000
    result = [
        stream(second + 2, "KeyError: 'X'", trace="2"),
        stream(second, "Traceback (most recent call last):", trace="1"),
        stream(second + 1, '  File "a.py", line 1', trace="3"),
    ]
    (found,) = statements(json.dumps({"status": "success", "data": {"resultType": "streams", "result": result}}))
    assert found.text.splitlines() == ["Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'X'"]
    assert (found.channel, found.subject.name, found.subject.cluster, found.first_seen) == (
        "log",
        "web",
        "eu",
        "2026-01-01T00:00:00Z",
    )


def test_events_as_json_with_and_without_counts():
    items = [
        {"kind": "Event", "metadata": {"name": "a", "namespace": "shop"}, "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "shop", "fieldPath": "spec.containers{app}"}, "reason": "BackOff", "message": "Back-off", "type": "Warning", "count": 7, "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T01:00:00Z", "source": {"component": "kubelet", "host": "n1"}},
        {"kind": "Event", "metadata": {"name": "b", "namespace": "shop"}, "involvedObject": {"kind": "Pod", "name": "db-0", "namespace": "shop"}, "reason": "FailedScheduling", "message": "0/3 nodes are available: 3 Insufficient memory.", "type": "Warning", "count": None, "firstTimestamp": None, "lastTimestamp": None, "eventTime": "2026-01-01T00:00:05.5Z"},
    ]  # fmt: skip
    back_off, unscheduled = statements(json.dumps({"kind": "List", "apiVersion": "v1", "items": items}, indent=4))
    assert (back_off.count, back_off.subject.container, back_off.subject.node, back_off.last_seen) == (
        7,
        "app",
        "n1",
        "2026-01-01T01:00:00Z",
    )
    assert (unscheduled.count, unscheduled.last_seen, unscheduled.facts["nodes"]) == (1, "2026-01-01T00:00:05.5Z", "3")


POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "api-6d8c5f7b9c-l2k8x", "namespace": "shop", "labels": {"app": "api"}, "ownerReferences": [{"kind": "ReplicaSet", "name": "api-6d8c5f7b9c", "controller": True}]},
    "spec": {
        "nodeName": "n1", "serviceAccountName": "runner", "nodeSelector": {"disk": "ssd"},
        "containers": [{
            "name": "server", "image": "api:1", "command": ["/bin/sh", "-c"], "args": ["run"], "ports": [{"containerPort": 8080, "name": "http"}],
            "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "50m"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "initialDelaySeconds": 10},
            "env": [{"name": "MODE", "value": "prod"}, {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
            "envFrom": [{"configMapRef": {"name": "settings"}}], "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "api-data"}}],
    },
    "status": {
        "phase": "Running", "qosClass": "Burstable",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [server]"}],
        "containerStatuses": [{"name": "server", "ready": False, "restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-01-01T00:00:00Z"}}}],
    },
}  # fmt: skip


def test_a_pod_as_json_tells_the_same_facts_as_described():
    found = statements(json.dumps(POD, indent=2))
    assert [(s.reason, s.subject.container) for s in found] == [
        ("Running", ""),
        ("CrashLoopBackOff", "server"),
        ("OOMKilled", "server"),
        ("ContainersNotReady", ""),
    ]
    killed = found[2]
    expected = {
        "exit_code": "137", "restart_count": "5", "memory_limit": "128Mi", "cpu_request": "50m", "ports": "8080/TCP (http)", "command": "/bin/sh\n-c",
        "env_MODE": "prod", "env_PW": "<set to the key 'password' in secret 'db'>  Optional: false", "env_from": "ConfigMap/settings", "mounts": "/data from data (rw)",
        "liveness": "http-get http://:http/healthz delay=10s timeout=1s period=10s #success=1 #failure=3", "service_account": "runner", "node_selectors": "disk=ssd", "ready": "False",
    }  # fmt: skip
    assert {key: killed.facts.get(key) for key in expected} == expected
    assert (killed.subject.kind, killed.subject.name, killed.subject.node) == ("Deployment", "api", "n1")


def test_the_same_pod_as_yaml():
    import yaml

    found = statements("$ kubectl get pod api-6d8c5f7b9c-l2k8x -o yaml\n" + yaml.safe_dump(POD, sort_keys=False))
    assert [s.reason for s in found] == ["Running", "CrashLoopBackOff", "OOMKilled", "ContainersNotReady"]


def test_aliases_in_yaml_are_refused_not_expanded():
    bomb = "apiVersion: v1\nkind: ConfigMap\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert statements(bomb) == ()


def test_an_api_status_tells_the_refused_verb():
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Forbidden",
        "code": 403,
        "message": 'secrets is forbidden: User "system:serviceaccount:shop:web" cannot list resource "secrets" in API group "" in the namespace "shop"',
        "details": {"kind": "secrets"},
    }
    (found,) = statements(json.dumps(status))
    assert (
        found.channel,
        found.reason,
        found.facts["verb"],
        found.facts["service_account_namespace"],
        found.facts["code"],
    ) == ("status", "Forbidden", "list", "shop", "403")


def test_workloads_and_claims_as_json():
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "app", "image": "web:1"}]}}},
        "status": {
            "readyReplicas": 1,
            "conditions": [
                {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "stuck"}
            ],
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"storageClassName": "fast"},
        "status": {"phase": "Pending"},
    }
    found = statements(json.dumps({"apiVersion": "v1", "kind": "List", "items": [deployment, claim]}))
    assert [brief(s)[2:5] for s in found] == [
        ("", "Deployment", "web"),
        ("Template", "Deployment", "web"),
        ("ProgressDeadlineExceeded", "Deployment", "web"),
        ("Pending", "PersistentVolumeClaim", "data"),
    ]
    assert (found[0].facts["replicas"], found[0].facts["ready_replicas"], found[3].facts["storage_class_name"]) == (
        "3",
        "1",
        "fast",
    )


def test_a_secret_says_its_keys_and_never_its_values():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "aHVudGVyMg=="}}
    (found,) = statements(json.dumps(secret), Pattern("any", "password"))
    assert found.facts["keys"] == "password"
    assert "aHVudGVyMg" not in found.model_dump_json()


def test_json_that_nobody_knows_is_plain_text():
    assert [s.channel for s in statements('{\n  "a": "an error"\n}\n')] == ["text"] * 3
