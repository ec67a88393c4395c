"""A real kube-apiserver: what we believe of it, it does, and deploy/kubernetes grants what is asked of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from pydantic import SecretStr

from remediator.domain.sources import Access, AnswerError, Question, Workload
from remediator.errors import ConfigError
from remediator.evidence import Scanner
from remediator.intake.collector import inputs_of
from remediator.services.kubernetes import client as kube
from remediator.services.kubernetes.client import Cluster
from remediator.services.kubernetes.source import ClusterSource
from remediator.services.kubernetes.verify import PodVerifier
from tests.servers.kube_apiserver import RealCluster, real_cluster
from tests.servers.kubernetes_api import deployment, event, pod, running, waiting
from tests.servers.rollouts import rollout

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.counterpart, pytest.mark.needs_tools("etcd", "openssl")]
ROOT = Path(__file__).resolve().parents[2]
POD = "checkout-6d5f4c8b7-abcde"


@pytest.fixture(scope="module")
def api(tmp_path_factory) -> Iterator[RealCluster]:
    with real_cluster(tmp_path_factory.mktemp("kube")) as found:
        found.account()
        yield found


@pytest.fixture
def space(api: RealCluster, request) -> str:
    """A namespace of the test's own."""
    name = request.node.name.split("[")[0].removeprefix("test_").replace("_", "-")[:60].strip("-")
    api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    return name


def look(api: RealCluster, **more: str) -> Cluster:
    """As the account of deploy/kubernetes, unless told otherwise."""
    known = {"url": api.url, "ca": api.ca.read_text(), "token": SecretStr(api.token)}
    return Cluster("kubernetes", Access(**{**known, **more}), sleep=lambda _s: None)


def read(cluster: Cluster, space: str, handled: frozenset[str] = frozenset()):
    now = datetime.now(UTC)
    wanted = Workload(namespace=space, kind="Deployment", name="checkout")
    since, until = now - timedelta(hours=1), now + timedelta(minutes=1)
    asked = Question(since=since, until=until, workloads=(wanted,), handled=handled)
    return ClusterSource("kubernetes", cluster).read(asked)


def about(space: str, **more: str):
    merged = (datetime.now(UTC) - timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return rollout(subject={"namespace": space}, merged_at=merged, **more)


def observe(api: RealCluster, space: str, *earlier, minutes: float = 0):
    clock = datetime.now(UTC) + timedelta(minutes=minutes)
    return PodVerifier("pods", look(api), lambda: clock, timedelta(minutes=5)).observe(about(space), earlier)


def test_a_list_is_read_page_by_page(api: RealCluster, space: str, monkeypatch) -> None:
    monkeypatch.setattr(kube, "_PAGE", 3)
    for number in range(7):
        api.put("v1/pods", f"{POD}-{number}", pod(), space)
    assert len(look(api).pods(space)) == 7
    monkeypatch.setattr(kube, "_MOST_PAGES", 2)
    with pytest.raises(AnswerError, match="lists more than 6"):
        look(api).pods(space)


@pytest.mark.parametrize(
    ("token", "said"),
    [("", r"answers 403 \(see deploy/kubernetes\): .*system:anonymous"), ("wrong", r"answers 401 .*token is missing")],
)
def test_who_may_not_look_is_told_so(api: RealCluster, token: str, said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        look(api, token=SecretStr(token)).pods("default")


def kubeconfig(api: RealCluster, user: dict[str, str]) -> str:
    clusters = [{"name": "c", "cluster": {"server": api.url, "certificate-authority": str(api.ca)}}]
    contexts = [{"name": "prod", "context": {"cluster": "c", "user": "u"}}]
    wrong = [{"name": "other", "context": {"cluster": "c", "user": "nobody"}}]
    users = [{"name": "u", "user": user}, {"name": "nobody", "user": {"token": "wrong"}}]
    made = {"apiVersion": "v1", "kind": "Config", "current-context": "other"}
    return yaml.safe_dump({**made, "clusters": clusters, "contexts": contexts + wrong, "users": users})


@pytest.mark.parametrize("how", ["text", "path", "certificate", "exec"])
def test_a_kubeconfig_in_each_of_its_forms(api: RealCluster, tmp_path: Path, how: str) -> None:
    certificate, key = map(str, api.client)
    said = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": api.token}}
    plugin = {
        "apiVersion": said["apiVersion"],
        "command": "echo",
        "args": [json.dumps(said)],
        "interactiveMode": "Never",
    }
    users = {"certificate": {"client-certificate": certificate, "client-key": key}, "exec": {"exec": plugin}}
    text = kubeconfig(api, users.get(how, {"token": api.token}))
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    access = Access(context="prod", kubeconfig=text if how == "text" else str(file))
    cluster = Cluster("kubernetes", access, sleep=lambda _s: None)
    if how == "certificate":
        with pytest.raises(AnswerError, match=r'answers 403 .*User "narrow-user" cannot list'):
            cluster.pods("default")
    else:
        assert cluster.pods("default") == []
    with pytest.raises(AnswerError, match="answers 401"):
        Cluster("kubernetes", access.model_copy(update={"context": ""}), sleep=lambda _s: None).pods("default")


def test_without_a_kubeconfig_of_our_own_kubectls_is_read(api: RealCluster, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(kubeconfig(api, {"token": api.token}))
    environ = {
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(tmp_path / "config"),
        "REMEDIATOR_KUBERNETES_CONTEXT": "prod",
    }
    asked = ["collect", "kubernetes", "--workload", "default/Deployment/web", "--repo", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "remediator", *asked], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["✓", "kubernetes", "0", "items"]), done.stderr


def test_a_certificate_of_an_unknown_authority_is_not_believed(api: RealCluster) -> None:
    with pytest.raises(AnswerError, match="CERTIFICATE_VERIFY_FAILED"):
        look(api, ca="").pods("default")


def test_the_account_may_not_look_at_what_it_does_not_need(api: RealCluster) -> None:
    for path in ("/api/v1/namespaces/default/secrets", "/api/v1/namespaces/default/configmaps", "/api/v1/nodes"):
        with pytest.raises(AnswerError) as caught:
            look(api)._object(path)
        assert caught.value.status == 403


def test_a_namespace_that_does_not_exist_lists_no_pods_and_is_no_health(api: RealCluster) -> None:
    assert look(api).pods("nowhere") == []
    seen = observe(api, "nowhere")
    assert (seen.status, "namespace `nowhere` does not exist" in seen.summary) == ("pending", True), seen.summary
    assert read(look(api), "nowhere").notes == ("namespace nowhere does not exist in this cluster",)


def test_a_kind_that_is_not_served_is_told_from_an_application_that_is_missing(api: RealCluster) -> None:
    with pytest.raises(ConfigError, match="serves no Argo CD Applications"):
        look(api).application("argocd", "checkout")
    api.serve_applications()
    assert look(api).application("argocd", "checkout") is None


def test_pods_events_and_a_log_that_no_kubelet_gives(api: RealCluster, space: str) -> None:
    died = waiting("CrashLoopBackOff", "back-off 40s", 4, finishedAt=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    api.put("v1/pods", POD, pod(died, ready=False), space)
    told = event(POD, "BackOff", "Back-off restarting failed container app", "2026-01-01T00:00:00Z")
    told["involvedObject"]["namespace"] = space
    told["lastTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    api.put("v1/events", "backoff", told, space)
    found = read(look(api), space)
    assert found.items == 2
    assert not [name for name, _ in found.texts if name.endswith("previous.log")]
    scan = Scanner().scan(inputs_of(found))
    assert any("OOMKilled" in one.text and one.subject.name == "checkout" for one in scan.statements)
    again = read(look(api), space, frozenset(found.ids))
    assert "Back-off restarting" not in str(again.documents)


def test_an_event_of_the_new_api_has_neither_count_nor_last_timestamp_and_is_read(api: RealCluster, space: str) -> None:
    api.put("v1/pods", POD, pod(), space)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    made = {
        "metadata": {"name": "unschedulable", "namespace": space},
        "eventTime": at,
        "reportingController": "default-scheduler",
        "reportingInstance": "scheduler-1",
        "action": "Scheduling",
        "reason": "FailedScheduling",
        "type": "Warning",
        "note": "0/3 nodes are available: 3 Insufficient memory.",
        "regarding": {"kind": "Pod", "namespace": space, "name": POD},
    }
    api.ask("POST", f"/apis/events.k8s.io/v1/namespaces/{space}/events", made)
    (seen,) = look(api).events(space)
    assert (seen.get("count"), seen.get("lastTimestamp")) == (None, None)
    assert "3 Insufficient memory" in str(read(look(api), space).documents)


def test_a_rollout_from_trouble_to_two_equal_looks(api: RealCluster, space: str) -> None:
    api.put("apps/v1/deployments", "checkout", deployment(0, 1, 1), space)
    api.put("v1/pods", POD, pod(waiting("ContainerCreating"), ready=False), space)
    assert observe(api, space).status == "pending"
    api.put("v1/pods", POD, pod(running()), space)
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1), space)
    first = observe(api, space)
    assert (first.status, "1 pod ready, 0 restarts" in first.summary) == ("pending", True), first.summary
    done = observe(api, space, first, minutes=6)
    assert done.status == "success", done.summary


def test_a_role_that_is_bound_in_one_namespace_is_enough_for_it(api: RealCluster, space: str) -> None:
    """The manifest's other way: a RoleBinding to the ClusterRole in each namespace; the cluster's events stay forbidden."""
    group = "rbac.authorization.k8s.io"
    api.ask("POST", "/api/v1/namespaces/remediator/serviceaccounts", {"metadata": {"name": "narrow"}})
    bound = {
        "metadata": {"name": "narrow", "namespace": space},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "remediator-read"},
        "subjects": [{"kind": "ServiceAccount", "name": "narrow", "namespace": "remediator"}],
    }
    api.ask("POST", f"/apis/{group}/v1/namespaces/{space}/rolebindings", bound)
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = api.ask("POST", "/api/v1/namespaces/remediator/serviceaccounts/narrow/token", wanted)
    narrow = look(api, token=SecretStr(made["status"]["token"]))
    api.put("v1/pods", POD, pod(), space)
    assert len(narrow.pods(space)) == 1
    assert narrow.namespace(space) is not None
    for other in ("default", "kube-system", "kube-public", "kube-node-lease"):
        with pytest.raises(AnswerError, match="answers 403"):
            narrow.warnings(other)
    assert narrow.warnings(space) == []
