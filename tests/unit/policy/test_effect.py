"""The guard on rendered objects: each border of the table, from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from remediator import policy
from remediator.policy.effect import field_changes, is_older, touched, weakenings

TABLE = policy.load().weakening


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    body = {"name": "web", "image": "shop/web:1.4.0", **(container or {})}
    return {
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [body], **spec}}},
    }


def secured(**context: Any) -> dict[str, Any]:
    return pod({"securityContext": context})


def role(*rules: dict[str, Any], kind: str = "Role") -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "reader"}, "rules": list(rules)}


def grant(*verbs: str, resources: tuple[str, ...] = ("pods",)) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}


def network(**spec: Any) -> dict[str, Any]:
    return {"kind": "NetworkPolicy", "metadata": {"name": "web"}, "spec": {"podSelector": {}, **spec}}


def peer(label: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"app": label}}}


def namespace(level: str | None) -> dict[str, Any]:
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {"team": "shop"}
    return {"kind": "Namespace", "metadata": {"name": "shop", "labels": labels}}


def service(kind: str) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "web"}, "spec": {"type": kind}}


def quota(cpu: str) -> dict[str, Any]:
    return {"kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"requests.cpu": cpu}}}


def rules(before: dict[str, Any] | None, after: dict[str, Any] | None) -> set[str]:
    return {weakening.rule for weakening in weakenings(before, after, TABLE)}


LOWERED: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    "privileged": (secured(privileged=False), secured(privileged=True)),
    "capability_added": (secured(capabilities={"add": ["CHOWN"]}), secured(capabilities={"add": ["CHOWN", "NET_ADMIN"]})),
    "capability_kept": (secured(capabilities={"drop": ["ALL"]}), secured(capabilities={})),
    "root_allowed": (secured(runAsNonRoot=True), secured()),
    "root_user": (secured(runAsUser=1000), secured(runAsUser=0)),
    "writable_root": (secured(readOnlyRootFilesystem=True), secured(readOnlyRootFilesystem=False)),
    "escalation": (secured(allowPrivilegeEscalation=False), secured(allowPrivilegeEscalation=True)),
    "seccomp": (secured(seccompProfile={"type": "RuntimeDefault"}), secured()),
    "unconfined": (secured(seccompProfile={"type": "RuntimeDefault"}), secured(seccompProfile={"type": "Unconfined"})),
    "host_namespace": (pod(), pod(hostNetwork=True)),
    "host_path": (pod(), pod(volumes=[{"name": "sys", "hostPath": {"path": "/sys"}}])),
    "host_port": (pod({"ports": [{"containerPort": 80}]}), pod({"ports": [{"containerPort": 80, "hostPort": 80}]})),
    "token_mounted": (pod(automountServiceAccountToken=False), pod()),
    "pod_security": (namespace("restricted"), namespace("baseline")),
    "grant": (role(grant("get")), role(grant("get", "delete"))),
    "bound": (
        {"kind": "RoleBinding", "subjects": [{"kind": "ServiceAccount", "name": "a"}]},
        {"kind": "RoleBinding", "subjects": [{"kind": "ServiceAccount", "name": "a"}, {"kind": "ServiceAccount", "name": "b"}]},
    ),
    "network_opened": (network(ingress=[{"from": [peer("web")]}]), network(ingress=[{"from": [peer("web"), peer("db")]}])),
    "network_side": (network(policyTypes=["Ingress", "Egress"]), network(policyTypes=["Ingress"])),
    "guard_deleted": (network(), None),
    "exposed": (service("ClusterIP"), service("LoadBalancer")),
    "tls_secret": (
        {"kind": "Ingress", "spec": {"tls": [{"secretName": "web-tls"}]}}, {"kind": "Ingress", "spec": {"rules": []}},
    ),
    "tls_flag": (pod({"args": ["--a"]}), pod({"args": ["--a", "--kubelet-insecure-tls"]})),
    "probe_removed": (pod({"livenessProbe": {"httpGet": {"path": "/", "port": 80}}}), pod()),
    "limit_removed": (pod({"resources": {"limits": {"memory": "1Gi"}}}), pod({"resources": {}})),
    "quota_raised": (quota("4"), quota("4500m")),
    "older_image": (pod(), pod({"image": "shop/web:1.3.9"})),
}  # fmt: skip

KEPT: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    "privileged": (secured(privileged=True), secured(privileged=False)),
    "capability_added": (secured(capabilities={"add": ["CHOWN", "KILL"]}), secured(capabilities={"add": ["KILL"]})),
    "capability_kept": (secured(capabilities={"drop": ["KILL"]}), secured(capabilities={"drop": ["CHOWN", "KILL"]})),
    "root_allowed": (secured(), secured(runAsNonRoot=True)),
    "root_user": (secured(), secured(runAsUser=1000)),
    "writable_root": (secured(), secured(readOnlyRootFilesystem=True)),
    "escalation": (secured(), secured(allowPrivilegeEscalation=False)),
    "seccomp": (secured(seccompProfile={"type": "RuntimeDefault"}), pod({"name": "other"})),
    "unconfined": (secured(), secured(seccompProfile={"type": "RuntimeDefault"})),
    "host_namespace": (pod(hostNetwork=True), pod()),
    "host_path": (pod(), pod(volumes=[{"name": "tmp", "emptyDir": {}}])),
    "host_port": (pod({"ports": [{"containerPort": 80, "hostPort": 80}]}), pod({"ports": [{"containerPort": 80}]})),
    "token_mounted": (pod(), pod(automountServiceAccountToken=False)),
    "pod_security": (namespace(None), namespace("baseline")),
    "grant": (role(grant("get", "list")), role(grant("list"))),
    "bound": ({"kind": "RoleBinding", "subjects": [{"kind": "ServiceAccount", "name": "a"}]}, {"kind": "RoleBinding", "subjects": []}),
    "network_opened": (network(ingress=[{"from": [peer("web"), peer("db")]}]), network(ingress=[{"from": [peer("db")]}])),
    "network_side": (network(policyTypes=["Ingress"]), network(policyTypes=["Ingress", "Egress"])),
    "guard_deleted": (None, network()),
    "exposed": (service("NodePort"), service("ClusterIP")),
    "tls_secret": ({"kind": "Ingress", "spec": {}}, {"kind": "Ingress", "spec": {"tls": [{"secretName": "web-tls"}]}}),
    "tls_flag": (pod({"args": ["--a", "--insecure-port=0"]}), pod({"args": ["--a"]})),
    "probe_removed": (
        pod({"livenessProbe": {"httpGet": {"path": "/", "port": 80}}}), pod({"livenessProbe": {"tcpSocket": {"port": 80}}}),
    ),
    "limit_removed": (pod({"resources": {"limits": {"memory": "1Gi"}}}), pod({"resources": {"limits": {"memory": "2Gi"}}})),
    "quota_raised": (quota("4"), quota("4000m")),
    "older_image": (pod(), pod({"image": "shop/web:1.10.0"})),
}  # fmt: skip


@pytest.mark.parametrize("rule", LOWERED)
def test_a_lower_protection_is_a_weakening(rule: str) -> None:
    assert rule in rules(*LOWERED[rule])


@pytest.mark.parametrize("rule", KEPT)
def test_an_equal_or_higher_protection_is_none(rule: str) -> None:
    assert rule not in rules(*KEPT[rule])


def test_an_open_rule_is_told_from_no_rule() -> None:
    closed, open_to_all = network(ingress=[]), network(ingress=[{}])
    assert rules(closed, open_to_all) == {"network_opened"}
    assert rules(open_to_all, closed) == set()


def test_items_of_a_list_are_compared_by_name_wherever_they_stand() -> None:
    sidecar = {"name": "proxy", "image": "shop/proxy:2", "securityContext": {"privileged": True}}
    before = pod()
    before["spec"]["template"]["spec"]["containers"].insert(0, sidecar)
    reordered = pod()
    reordered["spec"]["template"]["spec"]["containers"].append(sidecar)
    assert field_changes(before, reordered) == []
    assert rules(pod(), before) == {"privileged"}


def test_a_rule_that_moves_within_a_role_grants_nothing_new() -> None:
    assert (
        rules(
            role(grant("get"), grant("list", resources=("nodes",))),
            role(grant("list", resources=("nodes",)), grant("get")),
        )
        == set()
    )


@pytest.mark.parametrize(
    ("before", "after", "older"),
    [
        ("shop/web:1.10.0", "shop/web:1.9.0", True),
        ("shop/web:v2", "shop/web:v1", True),
        ("shop/web:1.9.0", "shop/web:1.10.0", False),
        ("shop/web:1.9.0", "shop/other:1.0.0", False),
        ("registry:5000/web:2", "registry:5000/web:1", True),
        ("shop/web:main-a1b2c3", "shop/web:main-000000", False),
    ],
)
def test_the_age_of_an_image(before: str, after: str, older: bool) -> None:
    assert is_older(before, after) is older


@pytest.mark.parametrize(
    ("group", "before", "after"),
    [
        ("image", pod(), pod({"image": "shop/web:2"})),
        ("rbac", role(grant("get")), role(grant("list"))),
        ("security", secured(), secured(runAsUser=1000)),
        ("network_policy", network(), network(policyTypes=["Ingress"])),
        ("kubelet", pod(), pod({"args": ["--kubelet-insecure-tls"]})),
    ],
)
def test_fields_that_no_log_alone_may_change(group: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert group in {name for name, _ in touched(field_changes(before, after), TABLE.confirmed)}


def test_a_usual_setting_needs_no_platform() -> None:
    changes = field_changes(
        pod({"args": ["--port=80"]}), pod({"args": ["--port=81"], "env": [{"name": "A", "value": "1"}]})
    )
    assert changes
    assert list(touched(changes, TABLE.confirmed)) == []
