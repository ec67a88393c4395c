from tests.unit.evidence.scanning import brief, statements


def test_events_of_all_namespaces_with_wide_columns():
    text = """\
NAMESPACE   LAST SEEN   TYPE      REASON             OBJECT                     SUBOBJECT                SOURCE               MESSAGE                     FIRST SEEN   COUNT   NAME
shop        2m          Warning   Unhealthy          pod/web-6b7f8c9d5f-zx4lp   spec.containers{app}     kubelet, worker-1    Liveness probe failed: x    9m           12      web.17
shop        2m          Warning   FailedCreate       replicaset/web-6b7f8c9d5f                           replicaset           pods "web-x" is forbidden   9m           3       web.18
            5m          Normal    NodeNotReady       node/worker-1                                       node-controller      Node worker-1 is bad        5m           1       worker.1
"""
    found = statements(text)
    assert [brief(s) for s in found] == [
        (2, "event", "Unhealthy", "Deployment", "web", "app"),
        (3, "event", "FailedCreate", "Deployment", "web", ""),
        (4, "event", "NodeNotReady", "Node", "worker-1", ""),
    ]
    assert [s.count for s in found] == [12, 3, 1]
    assert found[0].subject.namespace == "shop"


def test_an_event_shown_by_two_commands_counts_once():
    text = """\
$ kubectl get events -n shop
LAST SEEN   TYPE      REASON    OBJECT                     MESSAGE
2m          Warning   Evicted   pod/web-6b7f8c9d5f-zx4lp   The node was low on resource: memory.

$ kubectl get events -n shop --field-selector type=Warning
LAST SEEN   TYPE      REASON    OBJECT                     MESSAGE
1m          Warning   Evicted   pod/web-6b7f8c9d5f-zx4lp   The node was low on resource: memory.
"""
    (found,) = statements(text)
    assert (found.line, found.count) == (3, 1)


def test_pods_tell_restarts_nodes_and_labels():
    text = """\
$ kubectl get pods -n shop -o wide --show-labels
NAME                   READY   STATUS             RESTARTS       AGE    IP           NODE     NOMINATED NODE   READINESS GATES   LABELS
web-6b7f8c9d5f-zx4lp   0/1     CrashLoopBackOff   11 (2m4s ago)  38m    10.244.1.9   node-1   <none>           <none>            app=web,tier=front
db-0                   0/1     Pending            0              4m     <none>       <none>   <none>           <none>            app=db
"""
    web, db = statements(text)
    assert (web.reason, web.facts["ready"], web.facts["restart_count"], web.facts["restarted_ago"]) == (
        "CrashLoopBackOff",
        "0/1",
        "11",
        "2m4s",
    )
    assert (web.subject.node, web.facts["labels"]) == ("node-1", "app=web, tier=front")
    assert (db.subject.kind, db.subject.node, db.reason) == ("StatefulSet", "", "Pending")


def test_tables_without_their_command_are_known_by_their_columns():
    text = """\
NAME   READY   UP-TO-DATE   AVAILABLE   AGE
web    0/3     3            0           41d

NAME   TYPE        CLUSTER-IP   EXTERNAL-IP   PORT(S)    AGE
web    ClusterIP   10.96.4.17   <none>        8080/TCP   41d

NAME   ENDPOINTS   AGE
web    <none>      18m

NAME                 PROVISIONER            RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE
fast (default)       rancher.io/local-path  Delete          Immediate           false                  3d

NAME   STATUS     ROLES    AGE   VERSION
n1     NotReady   <none>   1d    v1.31.2

NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE
data   Pending                                      fast           5m
"""
    found = statements(text)
    assert [s.subject.kind for s in found] == [
        "Deployment",
        "Service",
        "Endpoints",
        "StorageClass",
        "Node",
        "PersistentVolumeClaim",
    ]
    assert (found[1].facts["ports"], found[2].reason, found[3].facts["default"], found[4].reason) == (
        "8080/TCP",
        "NoEndpoints",
        "true",
        "NotReady",
    )
    assert found[5].facts["storageclass"] == "fast"


def test_get_all_tells_kinds_in_the_names():
    text = """\
$ kubectl get all -n shop
NAME                       READY   STATUS    RESTARTS   AGE
pod/web-6b7f8c9d5f-zx4lp   1/1     Running   0          18m

NAME                  READY   UP-TO-DATE   AVAILABLE   AGE
deployment.apps/web   1/1     1            1           18m
"""
    assert [(s.subject.kind, s.subject.name, s.subject.namespace) for s in statements(text)] == [
        ("Deployment", "web", "shop")
    ] * 2


def test_usage_of_containers():
    text = "$ kubectl top pod -n shop --containers\nPOD                    NAME   CPU(cores)   MEMORY(bytes)\nweb-6b7f8c9d5f-zx4lp   app    3m           61Mi\n"
    (used,) = statements(text)
    assert (used.reason, used.subject.pod, used.subject.container, used.facts["memory_usage"]) == (
        "Usage",
        "web-6b7f8c9d5f-zx4lp",
        "app",
        "61Mi",
    )


def test_rollouts_and_refusals():
    text = """\
$ kubectl rollout status deploy/web -n shop
Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...
error: deployment "web" exceeded its progress deadline

$ kubectl apply -f web.yaml -n shop
The Deployment "web" is invalid: spec.template.spec.containers[0].image: Required value
Error from server (Forbidden): deployments.apps is forbidden: User "system:serviceaccount:ci:bot" cannot create resource "deployments" in API group "apps" in the namespace "shop"
"""
    waiting, exceeded, invalid, forbidden = statements(text)
    assert (waiting.reason, exceeded.reason, exceeded.subject.name) == (
        "RolloutWaiting",
        "ProgressDeadlineExceeded",
        "web",
    )
    assert (invalid.reason, invalid.facts["field"], invalid.facts["problem"]) == (
        "Invalid",
        "spec.template.spec.containers[0].image",
        "Required value",
    )
    assert (
        forbidden.reason,
        forbidden.facts["verb"],
        forbidden.facts["resource"],
        forbidden.facts["service_account"],
    ) == ("Forbidden", "create", "deployments", "bot")
