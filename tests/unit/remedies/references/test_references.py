"""References to ConfigMaps and Secrets that are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, application, events, other, propose, shop, workload


def held(kind: str, name: str, *keys: str, **more: Any) -> dict[str, Any]:
    field = "data" if kind == "ConfigMap" else "stringData"
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: dict.fromkeys(keys, "x"), **more}


def missing(kind: str, name: str) -> str:
    return events(("Failed", POD, f'Error: {kind.lower()} "{name}" not found'))


def from_secret(name: str, *keys: str) -> dict[str, Any]:
    return {"env": [{"name": key.upper(), "valueFrom": {"secretKeyRef": {"name": name, "key": key}}} for key in keys]}


ENV = "spec.template.spec.containers.0.env"


@pytest.mark.parametrize(
    ("wrong", "objects", "right"),
    [
        ("web-credentals", [held("Secret", "web-credentials", "user", "password")], "web-credentials"),
        ("database-secret", [held("Secret", "db-credentials", "user", "password")], "db-credentials"),
        ("web-keys-v1", [held("Secret", "web-keys", "user", "password"), held("Secret", "other", "token")], "web-keys"),
    ],
    ids=["slip", "only-unused", "suffix"],
)
def test_every_reference_goes_to_the_object_that_was_meant(
    tmp_path: Path, wrong: str, objects: Any, right: str
) -> None:
    told = propose(
        tmp_path, shop(web=workload(from_secret(wrong, "user", "password")), objects=objects), missing("Secret", wrong)
    )
    assert {item["valueFrom"]["secretKeyRef"]["name"] for item in told.value(ENV)} == {right}


@pytest.mark.parametrize(
    "objects",
    [
        [held("Secret", "db-credentials", "token")],
        [held("Secret", "cert", "user", type="kubernetes.io/tls")],
        [held("Secret", "a-creds", "user"), held("Secret", "b-creds", "user")],
        [held("Secret", "stripe", "user")],
        [
            held("Secret", "db-credentials", "user"),
            other("Database", "db", {"connectionSecret": "stripe"}, version="db.example.com/v1"),
        ],
    ],
    ids=["other-keys", "a-certificate", "two", "there", "an-operator-makes-it"],
)
def test_an_object_that_nobody_here_makes_is_left_alone(tmp_path: Path, objects: Any) -> None:
    assert not propose(
        tmp_path, shop(web=workload(from_secret("stripe", "user")), objects=objects), missing("Secret", "stripe")
    ).changed


def test_a_secret_that_comes_from_a_vault_is_there(tmp_path: Path) -> None:
    spec = {
        "secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"},
        "target": {"name": "stripe"},
        "data": [{"secretKey": "user", "remoteRef": {"key": "x"}}],
    }
    objects = [
        other("ExternalSecret", "stripe-from-vault", spec, version="external-secrets.io/v1"),
        held("Secret", "stripee", "user"),
    ]
    assert not propose(
        tmp_path, shop(web=workload(from_secret("stripe", "user")), objects=objects), missing("Secret", "stripe")
    ).changed


def test_a_whole_secret_of_unknown_use_is_no_candidate(tmp_path: Path) -> None:
    box = {"envFrom": [{"secretRef": {"name": "payment"}}]}
    assert not propose(
        tmp_path, shop(web=workload(box), objects=[held("Secret", "mail", "user")]), missing("Secret", "payment")
    ).changed


def generated(name: str) -> dict[str, str]:
    box = {"envFrom": [{"configMapRef": {"name": name}}]}
    files = shop(web=workload(box))
    files["web/kustomization.yaml"] = (
        "resources:\n  - web.yaml\nconfigMapGenerator:\n  - name: web-config\n    literals:\n      - MODE=fast\n"
    )
    return files


def test_a_generated_config_map_is_named_without_its_hash(tmp_path: Path) -> None:
    told = propose(tmp_path, generated("web-confg"), missing("ConfigMap", "web-confg"))
    assert told.value("spec.template.spec.containers.0.envFrom.0.configMapRef.name") == "web-config"


def test_a_hash_of_before_is_no_slip(tmp_path: Path) -> None:
    assert not propose(tmp_path, generated("web-config"), missing("ConfigMap", "web-config-5t9ck8m2fh")).changed


NO_KEY = "Error: couldn't find key {} in Secret shop/web"


@pytest.mark.parametrize(
    ("keys", "wrong", "right"), [(["password", "user"], "pasword", "password"), (["token"], "password", "token")]
)
def test_the_key_that_is_held_is_read(tmp_path: Path, keys: list[str], wrong: str, right: str) -> None:
    files = shop(web=workload(from_secret("web", wrong)), secret=held("Secret", "web", *keys))
    assert (
        propose(tmp_path, files, events(("Failed", POD, NO_KEY.format(wrong)))).value(
            f"{ENV}.0.valueFrom.secretKeyRef.key"
        )
        == right
    )


def test_a_key_in_the_items_of_a_volume_is_corrected(tmp_path: Path) -> None:
    pod = {
        "volumes": [
            {"name": "config", "configMap": {"name": "web", "items": [{"key": "app.ymal", "path": "app.yaml"}]}}
        ]
    }
    files = shop(
        web=workload({"volumeMounts": [{"name": "config", "mountPath": "/etc/web"}]}, pod=pod),
        config=held("ConfigMap", "web", "app.yaml", "log.yaml"),
    )
    text = events(
        (
            "FailedMount",
            POD,
            'MountVolume.SetUp failed for volume "config" : references non-existent config key: app.ymal',
        )
    )
    assert propose(tmp_path, files, text).value("spec.template.spec.volumes.0.configMap.items.0.key") == "app.yaml"


@pytest.mark.parametrize("keys", [["password", "user"], ["first", "second"]], ids=["there", "unlike"])
def test_a_key_that_nobody_knows_is_left_alone(tmp_path: Path, keys: list[str]) -> None:
    files = shop(web=workload(from_secret("web", "password")), secret=held("Secret", "web", *keys))
    assert not propose(tmp_path, files, events(("Failed", POD, NO_KEY.format("password")))).changed


def test_an_object_of_another_namespace_is_no_candidate(tmp_path: Path) -> None:
    files = shop(web=workload(from_secret("web-credentals", "user")))
    files["apps/data.yaml"] = (
        files["apps/web.yaml"]
        .replace("name: web", "name: data")
        .replace("path: web", "path: data")
        .replace("namespace: shop", "namespace: data")
    )
    files["data/secret.yaml"] = (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web-credentials\nstringData:\n  user: x\n"
    )
    assert application("data", "data", "data")["spec"]["destination"]["namespace"] == "data"
    assert not propose(tmp_path, files, missing("Secret", "web-credentals")).changed


def test_a_secret_that_an_operator_calls_after_its_resource_is_awaited(tmp_path: Path) -> None:
    user = other(
        "KafkaUser", "my-user", {"authentication": {"type": "scram-sha-512"}}, version="kafka.strimzi.io/v1beta2"
    )
    objects = [user, held("Secret", "my-users", "password")]
    assert not propose(
        tmp_path, shop(web=workload(from_secret("my-user", "password")), objects=objects), missing("Secret", "my-user")
    ).changed
