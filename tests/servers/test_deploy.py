"""The manifests grant what the code asks for, and nothing more."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from remediator import trigger
from remediator.domain.sources import Access, Question, Workload
from remediator.errors import ConfigError
from remediator.evidence import Scanner, text_input
from remediator.gitops.template.engine import Engine
from remediator.gitops.template.functions import FUNCTIONS
from remediator.services.alertmanager.dispatch import of_dispatch
from remediator.services.argocd.client import ArgoApi
from remediator.services.kubernetes.client import Cluster
from remediator.services.kubernetes.source import ClusterSource
from remediator.services.kubernetes.verify import PodVerifier
from remediator.transport.http import Http
from tests.servers.http_server import Answer, Asked, serve
from tests.servers.kubernetes_api import pod, waiting
from tests.servers.processes import free_port, started
from tests.servers.rollouts import rollout
from tests.servers.test_alertmanager_and_prometheus import AM_CONFIG, alert, post

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)/namespaces/[^/]+(?:/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?)?"
)


def documents(name: str) -> list[dict]:
    return [one for one in yaml.safe_load_all((DEPLOY / name).read_text()) if one]


def access_of(asked: Asked) -> tuple[str, str, str]:
    """(group, resource, verb), as an API server authorises a request."""
    assert asked.method == "GET"
    if wide := re.fullmatch(r"/api/v1/(\w+)", asked.path):
        return "", wide[1], "list"
    found = _PATH.fullmatch(asked.path)
    assert found, asked.path
    if not found["resource"]:
        return "", "namespaces", "get"
    resource = f"{found['resource']}/{found['sub']}" if found["sub"] else found["resource"]
    return found["group"] or "", resource, "get" if found["name"] else "list"


def test_the_role_covers_every_request_and_no_rule_is_without_one() -> None:
    name = "checkout-6d5f4c8b7-abcde"

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/log"):
            return Answer("last words", kind="text/plain")
        if asked.path.endswith("/pods") and "/shop/" in asked.path:
            made = pod(waiting("CrashLoopBackOff", restarts=3), ready=False)
            made["metadata"] |= {"name": name, "namespace": "shop"}
            return Answer({"metadata": {}, "items": [made]})
        if asked.path.endswith(("/pods", "/events")):
            return Answer({"metadata": {}, "items": []})
        return Answer({"message": "not found"}, 404)

    with serve(script) as server:

        def cluster() -> Cluster:
            return Cluster("kubernetes", Access(url=server.url))

        for namespace in ("shop", "empty"):
            wanted = Workload(namespace=namespace, kind="Deployment", name="checkout")
            question = Question(since=NOW - timedelta(hours=9), until=NOW, workloads=(wanted,))
            ClusterSource("kubernetes", cluster()).read(question)
            for kind in ("Deployment", "StatefulSet", "DaemonSet"):
                about = rollout(subject={"namespace": namespace, "kind": kind})
                PodVerifier("pods", cluster(), lambda: NOW, timedelta(0)).observe(about, ())
        wide = cluster()
        for number in range(9):
            wide.warnings(f"shop-{number}")
        assert "/api/v1/events" in {asked.path for asked in server.asked}
        cluster().application("argocd", "checkout")
        needed = {access_of(asked) for asked in server.asked}
    (role,) = [one for one in documents("kubernetes/role.yaml") if one["kind"] == "ClusterRole"]
    granted = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == needed


def test_argo_cds_account_may_do_what_is_asked_of_it_and_nothing_more() -> None:
    with serve(Answer({"metadata": {}})) as server:
        api = ArgoApi(Http("Argo CD", Access(url=server.url)))
        api.application("checkout")
        usual = [_right(asked) for asked in server.asked]
        api.sync("checkout", {"revision": "abc"})
        wanted = [_right(asked) for asked in server.asked]
    text = (DEPLOY / "argocd/account.yaml").read_text()
    settings, rbac = documents("argocd/account.yaml")
    assert settings["data"] == {"accounts.remediator": "apiKey"}
    assert _granted(rbac["data"]["policy.csv"]) == usual
    assert _granted(text.replace("# p,", "p,")) == wanted


def _right(asked: Asked) -> list[str]:
    """A request as Argo CD authorises it."""
    *_, resource, _name = asked.path.removesuffix("/sync").split("/")
    action = {("GET", False): "get", ("POST", True): "sync"}[asked.method, asked.path.endswith("/sync")]
    return ["role:remediator", resource, action, "*/*", "allow"]


def _granted(policy: str) -> list[list[str]]:
    lines = [line.replace(" ", "").split(",") for line in policy.splitlines()]
    return [line[1:] for line in lines if line[0] == "p"]


@pytest.mark.parametrize(
    ("result", "revision"),
    [({"revision": "9e8d7c6"}, "9e8d7c6"), ({"revisions": ["1.2.3", "9e8d7c6"]}, ""), (None, "")],
)
def test_the_notification_is_one_that_the_trigger_understands(result: dict | None, revision: str) -> None:
    (config,) = documents("argocd/notifications.yaml")
    body = yaml.safe_load(config["data"]["template.remediator-sync"])["webhook"]["remediator"]["body"]
    state = {"phase": "Error", **({"syncResult": result} if result else {})}
    app = {"metadata": {"name": "checkout"}, "status": {"operationState": state}}
    event = json.loads(Engine(FUNCTIONS).render(body, {"app": app}))
    assert set(event) == {"event_type", "client_payload"}
    decision = trigger.decide("repository_dispatch", {"action": event["event_type"], **event})
    assert decision == trigger.Resume(application="checkout", revision=revision, why="argocd-sync")


def relay():
    spec = importlib.util.spec_from_file_location("relay", DEPLOY / "alertmanager/relay.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_alerts_that_are_too_many_for_a_dispatch_leave_their_groups_key() -> None:
    message = {"version": "4", "groupKey": '{}:{alertname="X"}', "alerts": [{"labels": {"x": "y" * 900}}] * 100}
    body = relay().dispatch(message)
    assert len(body) < 65_536
    assert json.loads(body)["client_payload"]["payload"] == {
        "version": "4",
        "groupKey": '{}:{alertname="X"}',
        "alerts": [],
        "truncatedAlerts": 100,
    }


def told_by_alertmanager(payload: object, data: dict) -> object:
    """As Alertmanager 0.32 makes its body: each text is a template, and what it makes is read as YAML."""
    if isinstance(payload, dict):
        return {key: told_by_alertmanager(value, data) for key, value in payload.items()}
    text = Engine(FUNCTIONS).render(str(payload), data)
    found = yaml.safe_load(text)
    return text if isinstance(found, str) else found


@pytest.mark.parametrize("count", [1, 10, 11])
def test_an_alertmanager_that_makes_its_own_body_needs_no_relay(count: int) -> None:
    receiver = yaml.safe_load((DEPLOY / "alertmanager/receiver-0.32.yml").read_text())
    (webhook,) = receiver["receivers"][0]["webhook_configs"]
    labels = {"namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k", "reason": "OOMKilled"}
    alerts = [alert("KubeContainerOOMKilled", **labels, port=f"80{n:02}") for n in range(count)]
    group = {"alertname": "KubeContainerOOMKilled", "port": "8080"}
    data = {"Receiver": "remediator", "GroupLabels": group, "Alerts": {"Firing": alerts}}
    event = told_by_alertmanager(webhook["payload"], data)
    assert set(event) == {"event_type", "client_payload"}
    decision = trigger.decide("repository_dispatch", {"action": event["event_type"], **event})
    assert isinstance(decision, trigger.Start)
    with serve(Answer([one | {"status": {"state": "active"}} for one in alerts])) as server:
        text = of_dispatch(decision.alerts, [Http("Alertmanager", Access(url=server.url))])
        asked = [one.parameters for one in server.asked]
    scan = Scanner().scan([text_input("dispatch", text)])
    assert {(one.reason, one.subject.name) for one in scan.statements} == {("KubeContainerOOMKilled", "checkout")}
    if count > 10:
        (parameters,) = asked
        assert [pair for pair in parameters if pair[0] in {"filter", "receiver"}] == [
            ("filter", 'alertname="KubeContainerOOMKilled"'),
            ("filter", 'port="8080"'),
            ("receiver", "remediator"),
        ]
    else:
        assert asked == []


def test_what_did_not_fit_into_the_event_is_asked_of_alertmanager_by_its_group() -> None:
    message = {"version": "4", "groupKey": '{}:{alertname="X"}', "alerts": [{"labels": {"x": "y" * 900}}] * 100}
    payload = json.loads(relay().dispatch(message))["client_payload"]
    with serve(Answer([{"labels": {"alertname": "X"}, "status": {"state": "active"}}])) as server:
        text = of_dispatch(payload, [Http("Alertmanager", Access(url=server.url))])
    assert [one["labels"] for one in json.loads(text)] == [{"alertname": "X"}]
    assert ("filter", 'alertname="X"') in server.asked[0].parameters
    with pytest.raises(ConfigError, match="REMEDIATOR_ALERTMANAGER_URL"):
        of_dispatch(payload)
    whole = {"alerts": [{"labels": {"alertname": "Y"}}], "groupKey": "{}"}
    assert json.loads(of_dispatch({"payload": whole})) == [{**whole["alerts"][0], "annotations": {}}]


@pytest.mark.needs_tools("prometheus-alertmanager")
def test_a_firing_alert_reaches_the_trigger_through_the_receiver_and_the_relay(tmp_path: Path) -> None:
    receiver = yaml.safe_load((DEPLOY / "alertmanager/receiver.yml").read_text())
    port, listen = free_port(), free_port()
    receiver["receivers"][0]["webhook_configs"][0]["url"] = f"http://127.0.0.1:{listen}/"
    config = yaml.safe_load(AM_CONFIG)
    config["route"]["routes"] = receiver["route"]["routes"]
    config["receivers"] += receiver["receivers"]
    (tmp_path / "am.yml").write_text(yaml.safe_dump(config))
    command = ["prometheus-alertmanager", f"--web.listen-address=127.0.0.1:{port}", f"--storage.path={tmp_path}/data"]
    command += [f"--config.file={tmp_path}/am.yml", "--cluster.listen-address="]
    with serve(Answer(b"", 204)) as github:
        environ = {"GITHUB_REPOSITORY": "acme/gitops", "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url}
        process = subprocess.Popen(
            [sys.executable, DEPLOY / "alertmanager/relay.py"], env=environ | {"RELAY_LISTEN": f"127.0.0.1:{listen}"}
        )
        try:
            url = f"http://127.0.0.1:{port}"
            with started(command, f"{url}/-/ready", tmp_path):
                labels = {"namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k", "container": "app"}
                post(f"{url}/api/v2/alerts", [alert("KubeContainerOOMKilled", **labels, reason="OOMKilled")])
                for _ in range(100):
                    if github.asked:
                        break
                    time.sleep(0.1)
        finally:
            process.terminate()
            process.wait(10)
    (asked,) = github.asked[:1]
    assert (asked.method, asked.path) == ("POST", "/repos/acme/gitops/dispatches")
    assert asked.headers["authorization"] == "Bearer t"
    event = json.loads(asked.body)
    started_by = trigger.decide("repository_dispatch", {"action": event["event_type"], **event})
    assert isinstance(started_by, trigger.Start)
    scan = Scanner().scan([text_input("dispatch", json.dumps(event))])
    assert [(one.reason, one.subject.name) for one in scan.statements] == [("KubeContainerOOMKilled", "checkout")]


def test_the_relay_refuses_what_is_no_message() -> None:
    module, port = relay(), free_port()
    server = module.ThreadingHTTPServer(("127.0.0.1", port), module.Handler)
    module.Handler.log_message = lambda *_args: None
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    for body in (b"[]", b"{", b"3"):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", body), timeout=5)
    server.shutdown()
    server.server_close()
