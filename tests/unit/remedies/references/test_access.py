"""Grants, accounts and pull secrets: the one that is missing, never more."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, REPLICA_SET, events, log, other, propose, shop, workload

RBAC = "rbac.authorization.k8s.io/v1"


def role(*rules: tuple[str, list[str], list[str]], name: str = "web", kind: str = "Role") -> dict[str, Any]:
    body = [{"apiGroups": [group], "resources": resources, "verbs": verbs} for group, resources, verbs in rules]
    return {"apiVersion": RBAC, "kind": kind, "metadata": {"name": name}, "rules": body}


def binding(
    account: str = "web", *, to: str = "Role/web", kind: str = "RoleBinding", namespace: str = "shop"
) -> dict[str, Any]:
    target, _, name = to.partition("/")
    return {
        "apiVersion": RBAC,
        "kind": kind,
        "metadata": {"name": "web"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": target, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


def account(name: str = "web", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}, **more}


def forbidden(
    verb: str = "list", resource: str = "pods", group: str = "", where: str = 'in the namespace "shop"'
) -> str:
    return f'{resource} is forbidden: User "system:serviceaccount:shop:web" cannot {verb} resource "{resource}" in API group "{group}" {where}'


def repository(*rules: tuple[str, list[str], list[str]], **more: Any) -> dict[str, str]:
    return shop(
        web=workload(pod={"serviceAccountName": "web"}),
        account=account(),
        **{"role": role(*rules), "binding": binding(), **more},
    )


@pytest.mark.parametrize(
    ("rules", "said", "right"),
    [
        ([("", ["pods"], ["get"])], [forbidden()], [("", ["pods"], ["get", "list"])]),
        ([("", ["pods"], ["get"])], [forbidden(), forbidden("watch")], [("", ["pods"], ["get", "list", "watch"])]),
        ([("", ["pods", "services"], ["get"]), ("", ["pods"], ["watch"])], [forbidden()], [("", ["pods", "services"], ["get"]), ("", ["pods"], ["watch", "list"])]),
        ([("", ["services"], ["get", "list"])], [forbidden()], [("", ["services", "pods"], ["get", "list"])]),
        ([("", ["services"], ["list", "delete"])], [forbidden()], [("", ["services"], ["list", "delete"]), ("", ["pods"], ["list"])]),
        ([("", ["pods"], ["lisst"])], [forbidden()], [("", ["pods"], ["list"])]),
        ([("", ["podes"], ["list"])], [forbidden()], [("", ["pods"], ["list"])]),
        ([("app", ["deployments"], ["list"])], [forbidden(resource="deployments", group="apps")], [("apps", ["deployments"], ["list"])]),
        ([("", ["pods"], ["get"])], [forbidden("get", "pods/log")], [("", ["pods", "pods/log"], ["get"])]),
    ],
    ids=["verb", "verbs", "narrowest", "resource", "new-rule", "verb-slip", "resource-slip", "group-slip", "subresource"],
)  # fmt: skip
def test_the_role_gets_what_it_lacks(tmp_path: Path, rules: Any, said: list[str], right: Any) -> None:
    told = propose(tmp_path, repository(*rules), log(*said))
    assert told.value("rules", "web/role.yaml") == role(*right)["rules"]
    assert told.actions[0] == "grant_rbac"


def test_a_denial_in_the_whole_cluster_goes_to_the_cluster_role(tmp_path: Path) -> None:
    cluster = role(("", ["nodes"], ["get"]), name="web-nodes", kind="ClusterRole")
    bound = {**binding(to="ClusterRole/web-nodes", kind="ClusterRoleBinding"), "metadata": {"name": "web-nodes"}}
    files = repository(("", ["pods"], ["get"]), cluster=cluster, bound=bound)
    told = propose(tmp_path, files, log(forbidden(resource="nodes", where="at the cluster scope")))
    assert told.value("rules.0.verbs", "web/cluster.yaml") == ["get", "list"]


@pytest.mark.parametrize("bound", [binding("webb"), binding(namespace="default")])
def test_a_binding_of_nobody_is_left_to_a_person(tmp_path: Path, bound: Any) -> None:
    told = propose(tmp_path, repository(("", ["pods"], ["list"]), binding=bound), log(forbidden()))
    assert not told.changed


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (repository(("", ["pods"], ["get"])), forbidden(resource="secrets")),
        (repository(("", ["pods"], ["get"])), forbidden("impersonate", "users")),
        (repository(("", ["pods"], ["get", "list"])), forbidden()),
        (repository(("", ["*"], ["*"])), forbidden()),
        (repository(binding=binding(to="ClusterRole/view")), forbidden()),
        (repository(("", ["pods"], ["get"])), forbidden(where="at the cluster scope")),
    ],
    ids=["secrets", "impersonate", "granted", "wildcard", "built-in-role", "no-cluster-role"],
)
def test_what_may_not_be_granted_is_left_to_a_person(tmp_path: Path, files: dict[str, str], said: str) -> None:
    assert not propose(tmp_path, files, log(said)).changed


MISSING = 'Error creating: pods "web-5d7b9c6f8b-" is forbidden: error looking up service account shop/{0}: serviceaccount "{0}" not found'


@pytest.mark.parametrize(
    ("wrong", "accounts", "right"),
    [("wbe-runner", ["web-runner", "db"], "web-runner"), ("runner", ["web", "db"], "web"), ("x", ["db"], "db")],
)
def test_the_account_that_exists_is_named(tmp_path: Path, wrong: str, accounts: list[str], right: str) -> None:
    files = shop(web=workload(pod={"serviceAccountName": wrong}), accounts=[account(name) for name in accounts])
    told = propose(tmp_path, files, events(("FailedCreate", REPLICA_SET, MISSING.format(wrong))))
    assert told.value("spec.template.spec.serviceAccountName") == right


@pytest.mark.parametrize("accounts", [["ledger", "audit"], ["runner"]], ids=["unlike", "there"])
def test_an_account_that_nobody_knows_is_left_alone(tmp_path: Path, accounts: list[str]) -> None:
    files = shop(web=workload(pod={"serviceAccountName": "runner"}), accounts=[account(name) for name in accounts])
    assert not propose(tmp_path, files, events(("FailedCreate", REPLICA_SET, MISSING.format("runner")))).changed


DENIED = 'Failed to pull image "{0}": failed to pull and unpack image "{0}": failed to resolve reference "{0}": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed'
IMAGE = "registry.example.com/shop/web:1.0"


def login(name: str, host: str) -> dict[str, Any]:
    auths = base64.b64encode(json.dumps({"auths": {host: {"auth": "eDp5"}}}).encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": auths},
    }


def denied(image: str = IMAGE) -> str:
    return events(("Failed", POD, DENIED.format(image)), ("Failed", POD, "Error: ErrImagePull"))


def test_a_private_registry_gets_its_login(tmp_path: Path) -> None:
    files = shop(
        web=workload({"image": IMAGE}),
        logins=[login("regcred", "registry.example.com"), login("hub", "https://index.docker.io/v1/")],
    )
    assert propose(tmp_path, files, denied()).value("spec.template.spec.imagePullSecrets") == [{"name": "regcred"}]


def test_a_misspelt_login_is_corrected(tmp_path: Path) -> None:
    files = shop(
        web=workload({"image": IMAGE}, pod={"imagePullSecrets": [{"name": "regcrd"}]}),
        login=login("regcred", "registry.example.com"),
    )
    text = denied() + events(
        (
            "FailedToRetrieveImagePullSecret",
            POD,
            "Unable to retrieve some image pull secrets (regcrd); attempting to pull the image may not succeed.",
        )
    )
    assert propose(tmp_path, files, text).value("spec.template.spec.imagePullSecrets.0.name") == "regcred"


@pytest.mark.parametrize(
    "files",
    [
        shop(web=workload({"image": IMAGE})),
        shop(web=workload({"image": IMAGE}), login=login("hub", "https://index.docker.io/v1/")),
        shop(
            web=workload({"image": IMAGE}),
            account=account("default", imagePullSecrets=[{"name": "regcred"}]),
            login=login("regcred", "registry.example.com"),
        ),
        shop(
            web=workload({"image": IMAGE}),
            logins=[login("a", "registry.example.com"), login("b", "registry.example.com")],
        ),
        shop(
            web=workload({"image": IMAGE}, pod={"imagePullSecrets": [{"name": "regcred"}]}),
            login=login("regcred", "registry.example.com"),
        ),
    ],
    ids=["none", "another-registry", "the-account-brings-it", "two", "expired"],
)
def test_a_refusal_that_no_login_here_ends_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    assert not propose(tmp_path, files, denied()).changed


def test_a_tag_is_not_taken_back_for_a_login_that_expired(tmp_path: Path) -> None:
    old, new = (shop(web=workload({"image": f"registry.example.com/shop/web:{tag}"})) for tag in ("0.9", "1.0"))
    assert "correct_image" not in propose(tmp_path, new, denied(), before=[old]).actions


def test_other_kinds_of_objects_are_not_mistaken(tmp_path: Path) -> None:
    files = repository(
        ("", ["pods"], ["get"]), extra=other("Service", "web", {"ports": [{"port": 80}], "selector": {"app": "web"}})
    )
    assert set(propose(tmp_path, files, log(forbidden())).changed) == {"web/role.yaml"}


def test_a_denial_that_a_client_wrote_into_an_access_log_is_no_denial(tmp_path: Path) -> None:
    line = f'10.244.0.1 - - [11/Mar/2026:08:21:09 +0000] "GET / HTTP/1.1" 200 1684 "-" "{forbidden("delete")}"'
    assert not propose(tmp_path, repository(("", ["pods"], ["get"])), log(line)).changed
