"""Which server belongs to which cluster, and whose credentials go where."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediator.cli import main
from remediator.commands.workloads import workload
from remediator.domain.lifecycle import Observation
from remediator.domain.sources import Question, Workload
from remediator.errors import ConfigError
from remediator.intake.collector import SourceCollector
from remediator.intake.targets import TargetRouter, choose
from remediator.policy import load
from remediator.servers import ConfiguredServers, is_source
from remediator.services.local.git import Git
from remediator.services.local.remotes import address, contains, is_ours
from remediator.settings import Settings
from tests.fake_ports import FakeVerifier
from tests.git_repositories import ENVIRON, git, repository
from tests.servers.http_server import Answer, serve
from tests.servers.loki_api import LokiServer
from tests.servers.rollouts import rollout

NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
TWO = """
targets:
  prod-eu:
    clusters: [https://eu.example.com, eu]
    loki: {url: https://loki.example.com, tenant: eu, selectors: ['{namespace="shop"}']}
    kubernetes: {context: prod-eu, namespaces: [shop]}
    argocd: {url: https://argocd.example.com, project: shop}
  prod-us:
    loki: {url: https://loki-us.example.com, selectors: ['{namespace="shop"}']}
"""


def outside(tmp_path: Path, text: str = "", **environ: str) -> ConfiguredServers:
    file = tmp_path / "remediator.yml"
    file.write_text(text or "{}")
    return ConfiguredServers(Settings.from_environ(environ), load(file), lambda: NOW)


def test_credentials_go_to_the_target_that_they_name_and_to_no_other(tmp_path: Path) -> None:
    environ = {"REMEDIATOR_LOKI_TOKEN": "everybodys", "REMEDIATOR_LOKI_TOKEN__PROD_EU": "eus"}
    found = outside(tmp_path, TWO, **environ)
    assert found.access("loki", "prod-eu").token.get_secret_value() == "eus"
    assert found.access("loki", "prod-us").token.get_secret_value() == ""
    assert (found.access("loki", "prod-eu").tenant, found.access("loki", "prod-us").tenant) == ("eu", "")
    alone = outside(tmp_path, REMEDIATOR_LOKI_URL="http://loki:3100", REMEDIATOR_LOKI_TOKEN="ours")
    assert alone.access("loki", "default").token.get_secret_value() == "ours"
    assert "eus" not in repr(found.access("loki", "prod-eu"))


def test_a_targets_tenant_is_named_by_whatever_asks_its_loki(tmp_path: Path) -> None:
    loki = LokiServer(tenant="shop")
    loki.add(NOW.timestamp() - 60, "KeyError: 'DATABASE_URL'", namespace="shop", pod="checkout-6d5f4c8b7-abcde")
    place = {"REMEDIATOR_LOKI_SELECTOR": '{namespace="shop"}', "REMEDIATOR_LOKI_TENANT": "shop"}
    with serve(loki) as server:
        found = outside(tmp_path, REMEDIATOR_LOKI_URL=server.url, **place)
        ((source,), _) = found.sources(["loki"])
        assert source.read(Question(since=NOW - timedelta(hours=1), until=NOW)).items == 1
        verifier = next(one for one in found.verifiers(timedelta(0)) if one.name == "loki")
        seen = verifier.observe(rollout(signal="env_not_set", channel="log"), ())
    assert "no org id" not in seen.summary


def test_sources_and_verifiers_are_those_that_are_configured(tmp_path: Path) -> None:
    found = outside(tmp_path, TWO)
    first, then = found.sources(["outside"])
    assert [one.name for one in (*first, *then)] == ["loki:prod-eu", "loki:prod-us", "kubernetes:prod-eu"]
    assert [one.name for one in found.sources(["loki:prod-us"])[0]] == ["loki:prod-us"]
    assert [one.name for one in found.verifiers(timedelta(0))] == ["argocd", "pods", "loki"]
    assert outside(tmp_path).verifiers(timedelta(0)) == []
    single = outside(tmp_path, REMEDIATOR_KUBERNETES_URL="http://127.0.0.1:1")
    assert [one.name for one in single.verifiers(timedelta(0))] == ["argocd", "pods"]


@pytest.mark.parametrize("spec", ["loki:nowhere", "prometheus", "file.txt"])
def test_a_source_that_is_not_there_is_the_users_to_mend(tmp_path: Path, spec: str) -> None:
    with pytest.raises(ConfigError):
        outside(tmp_path, TWO).sources([spec])


def test_files_and_sources_are_told_apart() -> None:
    assert all(map(is_source, ("loki", "alertmanager:prod-eu", "outside", "kubernetes", "prometheus:a")))
    assert not any(map(is_source, ("-", "loki.json", "./loki", "loki:", "C:loki", "loki:A")))


@pytest.mark.parametrize(
    ("clusters", "target"),
    [
        (["eu"], "prod-eu"),
        (["https://eu.example.com"], "prod-eu"),
        (["prod-us"], "prod-us"),
        (["", "x"], "prod-us"),
        ([], "prod-us"),
    ],
)
def test_an_incident_belongs_to_its_clusters_target(tmp_path: Path, clusters, target) -> None:
    assert choose(outside(tmp_path, TWO).targets, clusters) == target


def test_the_applications_destination_decides_where_nothing_else_tells(tmp_path: Path) -> None:
    found = outside(tmp_path, TWO)
    found.destinations = lambda names: ["https://eu.example.com"] if "checkout" in names else []
    assert found.target_of(rollout()) == "prod-eu"
    assert found.target_of(rollout(subject={"cluster": "prod-us"})) == "prod-us"


def test_a_target_without_the_service_is_neutral_and_no_target_is_pending() -> None:
    def observe(target: str) -> Observation:
        return TargetRouter("loki", {"a": FakeVerifier(["failed"])}, lambda _r: target, lambda: NOW).observe(
            rollout(), ()
        )

    assert [observe(one).status for one in ("a", "b", "")] == ["failed", "success", "pending"]
    assert "neutral" in observe("b").facts


@pytest.mark.parametrize(
    "bad",
    [
        "targets: {a: {loki: {url: 'https://ann:pw@loki'}}}",
        "targets: {a: {loki: {token: x}}}",
        "targets: {A_b: {}}",
        "targets: {a: {argocd: {refresh: maybe}}}",
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line_and_no_secret_fits_in(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ConfigError, match=r"remediator\.yml:1"):
        outside(tmp_path, bad)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shop/checkout", ("shop", "Deployment", "checkout", "")),
        ("shop/statefulset/db", ("shop", "StatefulSet", "db", "")),
        ("shop/pod/db-0", ("shop", "Pod", "db-0", "db-0")),
    ],
)
def test_a_workload_is_written_as_kubectl_users_would(text, found) -> None:
    one = workload(text)
    assert (one.namespace, one.kind, one.name, one.pod) == found


@pytest.mark.parametrize("text", ["", "shop", "shop/", "/x", "a/b/c/d", "shop/gizmo/x", "Shop/x", "a/../b"])
def test_what_is_no_workload_is_said(text: str) -> None:
    with pytest.raises(ConfigError, match="is no workload"):
        workload(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Acme/gitops.git",
        "git@github.com:acme/gitops.git",
        "ssh://git@github.com:22/acme/gitops",
        "https://x:tok@github.com/acme/gitops/",
    ],
)
def test_one_repository_has_many_addresses(url: str) -> None:
    assert address(url) == "github.com/acme/gitops"


def test_a_checkout_knows_its_addresses_and_its_history(tmp_path: Path) -> None:
    found = Git(repository(tmp_path / "repo", {"a": "1"}), environ=ENVIRON)
    first = git(found.top, "rev-parse", "HEAD")
    git(found.top, "commit", "--allow-empty", "-qm", "two")
    second = git(found.top, "rev-parse", "HEAD")
    assert (contains(found, second, first), contains(found, first, second)) == (True, False)
    assert contains(found, "f" * 40, first) is None
    assert is_ours(found, "https://anything", {})
    git(found.top, "remote", "add", "origin", "git@github.com:acme/gitops.git")
    assert is_ours(found, "https://github.com/acme/gitops", {})
    assert not is_ours(found, "https://github.com/acme/other", {})
    assert is_ours(
        None,
        "https://ghe.example.com/a/b.git",
        {"GITHUB_SERVER_URL": "https://ghe.example.com", "GITHUB_REPOSITORY": "a/b"},
    )


def test_collect_shows_each_source_and_one_timeline(tmp_path: Path, monkeypatch, capsys) -> None:
    loki = LokiServer()
    at = datetime.now(UTC).timestamp()
    for step in range(3):
        loki.add(
            at - 60 + step,
            "KeyError: 'DATABASE_URL' token=ghp_0123456789abcdefghijklmnopqrstuvwxyz",
            namespace="shop",
            pod="checkout-7c9d8f6b5d-x2x7k",
        )
    root = repository(tmp_path / "repo", {"a.yaml": "a: 1\n"})
    with serve(loki) as server, serve(Answer("down", 503, "text/plain")) as down:
        monkeypatch.setattr("remediator.transport.http._TRIES", 1)
        monkeypatch.setenv("REMEDIATOR_LOKI_URL", server.url)
        monkeypatch.setenv("REMEDIATOR_LOKI_SELECTOR", '{namespace="shop"}')
        monkeypatch.setenv("REMEDIATOR_ALERTMANAGER_URL", down.url)
        arguments = ["collect", "--repo", str(root), "--output", str(tmp_path / "out")]
        assert main(arguments) == 0
        said = capsys.readouterr().out
        assert main([*arguments, "--json"]) == 0
    assert "✗ alertmanager         Alertmanager answers 503: down" in said
    assert "✓ loki                 3 items" in said
    assert "shop/Deployment/checkout" in said
    assert "ghp_0123" not in said
    shown = json.loads(capsys.readouterr().out)
    assert [one["sources"] for one in shown["timeline"]] == [["loki"]]
    assert (tmp_path / "out/loki.json").is_file()


def test_the_targets_are_the_matrix_of_a_workflow(tmp_path: Path, monkeypatch, capsys) -> None:
    root = repository(tmp_path / "repo", {".github/remediator.yml": TWO})
    assert main(["targets", "--json", "--repo", str(root)]) == 0
    assert json.loads(capsys.readouterr().out) == {"include": [{"target": "prod-eu"}, {"target": "prod-us"}]}
    assert main(["targets", "--repo", str(root)]) == 0
    said = capsys.readouterr().out
    assert "prod-eu              https://eu.example.com, eu\n" in said
    assert "  kubernetes         prod-eu\n" in said
    assert "prod-us              all clusters that no other target lists\n" in said
    bare = tmp_path / "bare"
    bare.mkdir()
    monkeypatch.setenv("REMEDIATOR_ALERTMANAGER_URL", "https://am.example.com")
    assert main(["targets", "--json", "--repo", str(bare)]) == 0
    assert capsys.readouterr().out == '{"include": [{"target": ""}]}\n'
    assert main(["targets", "--repo", str(bare)]) == 0
    assert "alertmanager       https://am.example.com" in capsys.readouterr().out


def test_a_run_for_one_target_reads_that_ones_servers_only(tmp_path: Path) -> None:
    found = outside(tmp_path, TWO, REMEDIATOR_TARGET="prod-us")
    assert [one.name for one in found.sources(["outside"])[0]] == ["loki:prod-us"]
    assert [one.name for one in found.sources(["loki"])[0]] == ["loki:prod-us"]
    assert found.polled() == ("outside",)
    with pytest.raises(ConfigError, match="this run is for the target 'prod-us', not for 'prod-eu'"):
        found.sources(["loki:prod-eu"])
    assert found.target_of(rollout(subject={"cluster": "eu"})) == "prod-eu"
    unknown = outside(tmp_path, TWO, REMEDIATOR_TARGET="prod")
    with pytest.raises(ConfigError, match="no target 'prod'; known are prod-eu, prod-us"):
        unknown.polled()


@pytest.mark.parametrize(
    ("source", "said", "cluster"),
    [
        ("loki:prod-eu#3", "", "eu"),
        ("kubernetes:prod-us/namespaces/shop/pods/a", "", "prod-us"),
        ("alertmanager:prod-us", "https://eu.example.com", "eu"),
        ("alertmanager:prod-eu", "what-prometheus-calls-it", "eu"),
        ("describe.txt", "prod-us", "prod-us"),
        ("describe.txt", "elsewhere", "elsewhere"),
        ("loki:nowhere", "", ""),
    ],
)
def test_a_cluster_has_one_name_whoever_tells_of_it(tmp_path: Path, source: str, said: str, cluster: str) -> None:
    assert outside(tmp_path, TWO).cluster_of(source, said) == cluster
    assert outside(tmp_path).cluster_of(source, said) == said


def test_a_run_for_a_target_knows_where_a_file_comes_from(tmp_path: Path) -> None:
    assert outside(tmp_path, TWO, REMEDIATOR_TARGET="prod-eu").cluster_of("alerts.json", "") == "eu"


@pytest.mark.parametrize("by", ["option", "environment", "neither"])
def test_the_same_workload_in_two_clusters_is_two_incidents(tmp_path: Path, monkeypatch, capsys, by) -> None:
    monkeypatch.setenv("REMEDIATOR_QUERY", '{namespace="shop"}')
    with serve(_crashing()) as eu, serve(_crashing()) as us:
        text = f"targets: {{eu: {{loki: {{url: '{eu.url}'}}}}, us: {{loki: {{url: '{us.url}'}}}}}}"
        root = repository(tmp_path / "repo", {".github/remediator.yml": text, "a.yaml": "a: 1\n"})
        shown: set[str] = set()
        for target in ("eu", "us") if by != "neither" else ("",):
            if by == "environment":
                monkeypatch.setenv("REMEDIATOR_TARGET", target)
            option = ["--target", target] if by == "option" else []
            main(["run", "--log", "outside", "--dry-run", "--json", "--no-llm", "--repo", str(root), *option])
            shown |= {one["incident_id"] for one in json.loads(capsys.readouterr().out)}
    assert len(shown) == 2


def _crashing() -> LokiServer:
    loki, at = LokiServer(), datetime.now(UTC).timestamp()
    loki.add(at - 60, "KeyError: 'DATABASE_URL'", namespace="shop", pod="checkout-7c9d8f6b5d-x2x7k", container="app")
    return loki


@pytest.mark.parametrize(
    ("text", "environ", "namespace"),
    [
        ("{}", {}, "argocd"),
        ("{}", {"REMEDIATOR_ARGOCD_NAMESPACE": "gitops"}, "gitops"),
        ("targets: {a: {argocd: {namespace: own}}}", {"REMEDIATOR_ARGOCD_NAMESPACE": "gitops"}, "own"),
        ("targets: {a: {}, b: {}}", {"REMEDIATOR_ARGOCD_NAMESPACE__A": "gitops"}, "gitops"),
        ("targets: {a: {}, b: {}}", {"REMEDIATOR_ARGOCD_NAMESPACE": "gitops"}, "argocd"),
    ],
)
def test_where_applications_are_is_what_the_file_says_then_the_environment(
    tmp_path: Path, text: str, environ: dict[str, str], namespace: str
) -> None:
    with serve(Answer({"metadata": {}})) as server:
        found = outside(tmp_path, text, **environ)
        target = next(iter(found.targets))
        key = "REMEDIATOR_ARGOCD_URL" + (f"__{target.upper()}" if len(found.targets) > 1 else "")
        found = outside(tmp_path, text, **environ, **{key: server.url})
        next(one for one in found.verifiers(timedelta(0)) if one.name.startswith("argocd")).observe(
            rollout(subject={"cluster": target}), ()
        )
        assert server.asked[0].get("appNamespace") == namespace


def test_what_narrows_a_targets_polls_narrows_its_proofs_too(tmp_path: Path) -> None:
    text = """
targets:
  prod-eu:
    clusters: [eu, eu-old]
    loki: {selectors: ['{cluster="eu"}']}
    alertmanager: {filters: ['team="a"'], receiver: ours}
  prod-us: {clusters: [us]}
"""
    about = rollout(subject={"cluster": "eu"}, signal="env_not_set", channel="log")
    labels = {"alertname": "X", "namespace": "shop", "deployment": "checkout"}
    told = {"startsAt": "2026-11-22T12:10:00Z", "annotations": {}, "status": {"state": "active"}}

    def script(asked):
        if asked.path.startswith("/loki"):
            return Answer({"data": {"resultType": "matrix", "result": []}})
        return Answer([{**told, "labels": labels}])

    with serve(script) as server:
        environ = {f"REMEDIATOR_{kind}_URL__PROD_EU": server.url for kind in ("LOKI", "ALERTMANAGER")}
        found = outside(tmp_path, text, **environ).verifiers(timedelta(0))
        loki, alerts = (next(one for one in found if one.name == name) for name in ("loki", "alertmanager"))
        assert "neutral" in loki.observe(about, ()).facts
        seen = []
        for cluster in ("eu-old", "us"):
            labels["cluster"] = cluster
            alerts.forget()
            seen.append(alerts.observe(about, ()).status)
        asked = server.asked
    assert 'cluster="eu"' in asked[0].get("query")
    assert (asked[1].get("filter"), asked[1].get("receiver")) == ('team="a"', "ours")
    assert seen == ["pending", "success"], "a target's clusters are known by any of its names"


@pytest.mark.parametrize(
    ("group", "asked"),
    [({"cluster": "us"}, (0, 1)), ({"cluster": "eu"}, (1, 0)), ({}, (1, 1)), ({"cluster": "elsewhere"}, (1, 1))],
)
def test_what_did_not_fit_into_an_event_is_asked_where_the_groups_cluster_is(tmp_path: Path, group, asked) -> None:
    text = "targets: {prod-eu: {clusters: [eu]}, prod-us: {clusters: [us]}}"
    payload = {"groupKey": "{}:{}", "groupLabels": group, "truncatedAlerts": 2, "alerts": []}
    one, two = ({"labels": {"alertname": name}, "annotations": {}} for name in ("One", "Two"))
    with serve(Answer([one])) as eu, serve(Answer([two])) as us:
        environ = {
            "REMEDIATOR_ALERTMANAGER_URL__PROD_EU": eu.url,
            "REMEDIATOR_ALERTMANAGER_URL__PROD_US": us.url,
        }
        _, found = outside(tmp_path, text, **environ).dispatched({"payload": payload})
        assert (len(eu.asked), len(us.asked)) == asked
    names = [alert["labels"]["alertname"] for alert in json.loads(found)]
    assert names == [name for name, count in zip(("One", "Two"), asked, strict=True) if count]


def test_a_cluster_that_is_configured_for_verifying_only_is_not_polled(tmp_path: Path) -> None:
    environ = {"REMEDIATOR_KUBERNETES_URL": "http://127.0.0.1:1"}
    assert outside(tmp_path, **environ).polled() == ()
    assert outside(tmp_path, REMEDIATOR_LOKI_URL="http://127.0.0.1:1").polled() == ()
    named = "targets: {a: {kubernetes: {url: 'http://127.0.0.1:1', namespaces: [shop]}}}"
    assert outside(tmp_path, named).polled() == ("outside",)
    selected = outside(tmp_path, REMEDIATOR_LOKI_URL="http://127.0.0.1:1", REMEDIATOR_LOKI_SELECTOR='{a="b"}')
    assert selected.polled() == ("outside",)
    with pytest.raises(ConfigError, match="nothing to poll"):
        outside(tmp_path, **environ).sources(["outside"])


def test_what_has_nothing_to_poll_waits_to_be_told_of_a_workload_and_fails_nothing(tmp_path: Path) -> None:
    pods: dict = {"metadata": {}, "items": []}
    with serve(lambda asked: Answer([] if asked.path.startswith("/api/v2") else pods)) as server:
        kinds = ("ALERTMANAGER", "LOKI", "KUBERNETES")
        found = outside(tmp_path, **{f"REMEDIATOR_{kind}_URL": server.url for kind in kinds})
        first, then = found.sources(["outside"])
        assert ([one.name for one in first], [one.name for one in then]) == (["alertmanager"], ["loki", "kubernetes"])
        gather = SourceCollector(first, then, lambda: NOW)
        assert gather.inputs() == []
        assert [(one.name, one.error) for one in gather.answers if one.error] == []
        assert ["not asked" in "".join(one.reading.notes) for one in gather.answers] == [False, True, True]
        assert {asked.path for asked in server.asked} == {"/api/v2/alerts"}
        told = Question(since=NOW - timedelta(hours=1), until=NOW, workloads=(Workload(namespace="shop", name="a"),))
        then[1].read(told)
        assert any(asked.path.endswith("/pods") for asked in server.asked)
        with pytest.raises(ConfigError, match="needs `selectors`"):
            found.sources(["loki"])[0][0].read(told.model_copy(update={"workloads": ()}))
