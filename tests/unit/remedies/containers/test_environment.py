"""Variables under a misspelt name, and values that name a host or a port that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import log, other, propose, shop, workload

ENV = "spec.template.spec.containers.0.env"


def service(name: str, port: int = 6379, namespace: str = "") -> dict[str, Any]:
    body = other("Service", name, {"selector": {"app": name}, "ports": [{"port": port}]})
    if namespace:
        body["metadata"]["namespace"] = namespace
    return body


def env(**values: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value} for name, value in values.items()]}


def config(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-config"}, "data": data}


NO_HOST = "dial tcp: lookup {} on 10.96.0.10:53: no such host"


@pytest.mark.parametrize(
    ("value", "looked_up", "right"),
    [
        ("reds", "reds", "redis"),
        ("reds:6379", "reds", "redis:6379"),
        ("redis://user:pw@reds:6379/0?x=reds.txt", "reds", "redis://user:pw@redis:6379/0?x=reds.txt"),
        ("reds.shop.svc.cluster.local", "reds.shop.svc.cluster.local", "redis.shop.svc.cluster.local"),
        ("reds.shop", "reds.shop.svc.cluster.local", "redis.shop"),
        ("redis.shpo.svc", "redis.shpo.svc", "redis.shop.svc"),
        ("redis.shop.svc.cluster.locl", "redis.shop.svc.cluster.locl", "redis.shop.svc.cluster.local"),
        ("http://REDS:80", "reds", "http://redis:80"),
    ],
)
def test_a_misspelt_host_becomes_the_service(tmp_path: Path, value: str, looked_up: str, right: str) -> None:
    told = propose(tmp_path, shop(web=workload(env(CACHE=value)), svc=service("redis")), log(NO_HOST.format(looked_up)))
    assert told.value(f"{ENV}.0.value") == right
    assert told.actions[0] == "fix_host_name"


@pytest.mark.parametrize(
    "line",
    [
        "Error: getaddrinfo ENOTFOUND reds",
        "redis.exceptions.ConnectionError: Error -2 connecting to reds:6379. Name or service not known.",
        'psycopg2.OperationalError: could not translate host name "reds" to address: Name or service not known',
        "java.net.UnknownHostException: reds",
        "curl: (6) Could not resolve host: reds",
        'nginx: [emerg] host not found in upstream "reds" in /etc/nginx/conf.d/default.conf:3',
        "wget: bad address 'reds:6379'",
    ],
)
def test_every_resolvers_words_are_understood(tmp_path: Path, line: str) -> None:
    told = propose(tmp_path, shop(web=workload(env(CACHE="reds")), svc=service("redis")), log(line))
    assert told.value(f"{ENV}.0.value") == "redis"


def test_all_places_of_one_wrong_host_are_corrected_together(tmp_path: Path) -> None:
    box = {**env(CACHE="reds", URL="redis://reds:6379"), "args": ["--cache=reds:6379"]}
    told = propose(tmp_path, shop(web=workload(box), svc=service("redis")), log(NO_HOST.format("reds")))
    assert "reds" not in told.changed["web/web.yaml"].replace("redis", "")


def test_a_host_inside_a_config_map_is_corrected(tmp_path: Path) -> None:
    box = {"envFrom": [{"configMapRef": {"name": "web-config"}}]}
    text = "cache:\n  # keep reds-like names\n  host: reds\n  port: 6379\n"
    told = propose(
        tmp_path,
        shop(web=workload(box), svc=service("redis"), config=config(settings=text)),
        log(NO_HOST.format("reds")),
    )
    assert told.value("data.settings", "web/config.yaml") == text.replace("host: reds", "host: redis")


def test_a_service_of_another_namespace_needs_its_name(tmp_path: Path) -> None:
    told = propose(
        tmp_path,
        shop(web=workload(env(CACHE="redis")), svc=service("redis", namespace="data")),
        log(NO_HOST.format("redis")),
    )
    assert told.value(f"{ENV}.0.value") == "redis.data"


def test_what_stood_there_before_comes_first(tmp_path: Path) -> None:
    old, new = (shop(web=workload(env(API=host))) for host in ("api.partner.example", "api.partnr.example"))
    told = propose(tmp_path, new, log(NO_HOST.format("api.partnr.example")), before=[old])
    assert told.value(f"{ENV}.0.value") == "api.partner.example"


@pytest.mark.parametrize(
    ("value", "looked_up", "services"),
    [
        ("redis", "redis", ["redis"]),
        ("api.stripe.com", "api.stripe.com", ["redis"]),
        ("queue", "queue", ["redis", "api"]),
        ("cache-x", "cache-x", ["cache-a", "cache-b"]),
        ("redis", "reds", ["redis"]),
    ],
    ids=["right", "outside", "unlike", "two", "mended"],
)
def test_a_host_that_nobody_can_know_is_left_alone(
    tmp_path: Path, value: str, looked_up: str, services: list[str]
) -> None:
    told = propose(
        tmp_path,
        shop(web=workload(env(CACHE=value)), svc=[service(name) for name in services]),
        log(NO_HOST.format(looked_up)),
    )
    assert not told.changed


@pytest.mark.parametrize(
    "line", ["panic: environment variable CACHE_URL is not set", "KeyError: 'CACHE_URL'", "CACHE_URL must be set"]
)
def test_a_variable_under_a_misspelt_name_gets_its_own(tmp_path: Path, line: str) -> None:
    told = propose(tmp_path, shop(web=workload(env(MODE="x", CACHE_ULR="redis"))), log(line))
    assert told.value(f"{ENV}.1.name") == "CACHE_URL"


@pytest.mark.parametrize(
    "box",
    [
        {},
        env(MODE="x"),
        env(CACHE_URL="redis"),
        {**env(CACHE_UR="x"), "envFrom": [{"secretRef": {"name": "elsewhere"}}]},
    ],
    ids=["none", "unlike", "mended", "from-a-secret"],
)
def test_a_variable_whose_value_nobody_knows_is_left_alone(tmp_path: Path, box: Any) -> None:
    told = propose(tmp_path, shop(web=workload(box)), log("panic: environment variable CACHE_URL is not set"))
    assert not told.changed


def test_an_emptied_variable_gets_its_value_back(tmp_path: Path) -> None:
    old, new = (shop(web=workload(env(CACHE_URL=value))) for value in ("redis://redis", ""))
    told = propose(tmp_path, new, log("panic: environment variable CACHE_URL is not set"), before=[old])
    assert told.value(f"{ENV}.0.value") == "redis://redis"


def test_a_port_that_the_service_does_not_have_is_corrected(tmp_path: Path) -> None:
    files = shop(
        web=workload(env(DB="postgres://db:5433/x")),
        svc=service("db", 5432),
        db=workload({"ports": [{"containerPort": 5432}]}, name="db"),
    )
    told = propose(tmp_path, files, log("dial tcp: connect to db:5433: connection refused"))
    assert told.value(f"{ENV}.0.value") == "postgres://db:5432/x"


def test_a_port_that_the_service_has_is_left_alone(tmp_path: Path) -> None:
    files = shop(
        web=workload(env(DB="postgres://db:5432/x")),
        svc=service("db", 5432),
        db=workload({"ports": [{"containerPort": 5432}]}, name="db"),
    )
    assert not propose(tmp_path, files, log("dial tcp: connect to db:5432: connection refused")).changed


def test_a_misspelt_key_of_a_config_map_is_renamed(tmp_path: Path) -> None:
    box = {"envFrom": [{"configMapRef": {"name": "web-config"}}]}
    told = propose(
        tmp_path,
        shop(web=workload(box), config=config(MODE="x", CACHE_ULR="redis")),
        log("panic: environment variable CACHE_URL is not set"),
    )
    assert told.value("data", "web/config.yaml") == {"MODE": "x", "CACHE_URL": "redis"}


def test_a_misspelt_literal_of_a_generator_is_renamed(tmp_path: Path) -> None:
    files = shop(web=workload({"envFrom": [{"configMapRef": {"name": "web-config"}}]}))
    files["web/kustomization.yaml"] = (
        "resources:\n  - web.yaml\nconfigMapGenerator:\n  - name: web-config\n    literals:\n      - CACHE_ULR=redis\n"
    )
    told = propose(tmp_path, files, log("panic: environment variable CACHE_URL is not set"))
    assert "- CACHE_URL=redis" in told.changed["web/kustomization.yaml"]


@pytest.mark.parametrize(
    ("present", "wanted"),
    [("DB_HOST", "DB_PORT"), ("DB_USERS", "DB_USER"), ("READ_URL", "LEAD_URL"), ("APP_MODE", "APP_NODE")],
)
def test_another_variable_is_no_slip(tmp_path: Path, present: str, wanted: str) -> None:
    assert not propose(
        tmp_path, shop(web=workload(env(**{present: "x"}))), log(f"panic: environment variable {wanted} is not set")
    ).changed
