"""Facts that a person looked up decide: where a program listens, and which revisions exist."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.remedies.small_repository import POD, application, events, propose, shop, workload

REFUSED = (
    'Readiness probe failed: Get "http://10.0.0.7:8080/ready": dial tcp 10.0.0.7:8080: connect: connection refused'
)
PROBE = {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}}}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
}


def listening(*addresses: str) -> str:
    rows = "".join(f"tcp   0   0 {address}   0.0.0.0:*   LISTEN\n" for address in addresses)
    return f"$ kubectl exec -n shop {POD} -- netstat -tln\n{rows}\n"


def test_a_probe_and_the_service_go_to_the_port_that_was_seen_open(tmp_path: Path) -> None:
    log = events(("Unhealthy", POD, REFUSED)) + "\n" + listening("0.0.0.0:8081")
    outcome = propose(tmp_path, shop(web=[workload(PROBE), SERVICE]), log)
    assert outcome.value("spec.template.spec.containers.0.readinessProbe.httpGet.port") == 8081
    assert outcome.value("spec.ports.0.targetPort", document=1) == 8081


def test_a_probe_of_the_open_port_stays(tmp_path: Path) -> None:
    log = events(("Unhealthy", POD, REFUSED)) + "\n" + listening("0.0.0.0:8080")
    assert not propose(tmp_path, shop(web=[workload(PROBE), SERVICE]), log).changed


def test_several_open_ports_of_which_none_is_nearer_prove_nothing(tmp_path: Path) -> None:
    log = events(("Unhealthy", POD, REFUSED)) + "\n" + listening("0.0.0.0:3000", "0.0.0.0:9100")
    assert not propose(tmp_path, shop(web=workload(PROBE)), log).changed


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ({"env": [{"name": "BIND_ADDRESS", "value": "127.0.0.1"}]}, "env.0.value", "0.0.0.0"),
        ({"args": ["--listen=localhost:8080"]}, "args.0", "--listen=0.0.0.0:8080"),
        ({"args": ["serve", "--host", "127.0.0.1"]}, "args.2", "0.0.0.0"),
    ],
)
def test_a_server_seen_on_loopback_alone_is_opened_where_its_setting_stands(
    tmp_path: Path, setting: dict[str, object], path: str, value: str
) -> None:
    log = events(("Unhealthy", POD, REFUSED)) + "\n" + listening("127.0.0.1:8080")
    outcome = propose(tmp_path, shop(web=workload({**PROBE, **setting})), log)
    assert outcome.value(f"spec.template.spec.containers.0.{path}") == value


@pytest.mark.parametrize("seen", ["", "0.0.0.0:8080"])
def test_a_loopback_address_is_left_alone_where_nobody_saw_it(tmp_path: Path, seen: str) -> None:
    log = events(("Unhealthy", POD, REFUSED)) + "\n" + (listening(seen) if seen else "")
    setting = {"env": [{"name": "BIND_ADDRESS", "value": "127.0.0.1"}]}
    assert "0.0.0.0" not in str(propose(tmp_path, shop(web=workload({**PROBE, **setting})), log).changed)


UNRESOLVED = (
    "$ argocd app get web\n"
    "CONDITION        MESSAGE                                                                                    LAST TRANSITION\n"
    "ComparisonError  Failed to load target state: rpc error: code = Unknown desc = unable to resolve 'REVISION' to a commit SHA  2026-01-01 00:00:20 +0000 UTC\n\n"
)
URL = "https://git.example.com/ops/charts.git"


def refs(*names: str, command: str = f"git ls-remote {URL}") -> str:
    rows = "".join(f"{index:040x}\t{name}\n" for index, name in enumerate(names, 1))
    return f"$ {command}\n{rows}\n"


def repository(revision: str) -> dict[str, str]:
    body = application("web", "web")
    body["spec"]["source"] |= {"repoURL": URL, "targetRevision": revision}
    return {"apps/web.yaml": yaml.safe_dump(body)}


def test_a_revision_goes_to_the_listed_tag_that_it_means(tmp_path: Path) -> None:
    log = UNRESOLVED.replace("REVISION", "2.4.1") + refs("refs/heads/main", "refs/tags/v2.4.1", "refs/tags/v3.0.0")
    outcome = propose(tmp_path, repository("2.4.1"), log)
    assert outcome.value("spec.source.targetRevision", "apps/web.yaml") == "v2.4.1"


def test_an_older_revision_that_a_whole_list_lacks_is_not_restored(tmp_path: Path) -> None:
    log = UNRESOLVED.replace("REVISION", "v9.0.0")
    before = [repository("v2.4.2")]
    assert propose(tmp_path / "unlisted", repository("v9.0.0"), log, before=before).changed
    listed = log + refs("refs/heads/main", "refs/tags/v2.4.0")
    assert not propose(tmp_path / "listed", repository("v9.0.0"), listed, before=before).changed
    filtered = log + refs("refs/tags/v2.4.0", command=f"git ls-remote {URL} | grep v2.4.0")
    assert propose(tmp_path / "filtered", repository("v9.0.0"), filtered, before=before).changed
