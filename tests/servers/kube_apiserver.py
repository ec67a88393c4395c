"""A real kube-apiserver on etcd, built by scripts/kube_apiserver.sh: no kubelet, no controller, so a test sets each status."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.servers.processes import free_port, started

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = Path(__file__).resolve().parents[2] / "deploy/kubernetes/role.yaml"
_ADMIN = "fake-admin-token"
_PLURALS = {
    "ServiceAccount": "serviceaccounts",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
}
_POD = {"containers": [{"name": "app", "image": "registry.example.com/app:1"}]}
_NAMES = {"plural": "applications", "singular": "application", "kind": "Application", "listKind": "ApplicationList"}
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
APPLICATIONS = {
    "metadata": {
        "name": "applications.argoproj.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, a test's own"},
    },
    "spec": {
        "group": "argoproj.io",
        "names": _NAMES,
        "scope": "Namespaced",
        "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": _ANYTHING}}],
    },
}
"""Argo CD's kind as a cluster serves it: like the real one it has no status subresource, and keeps what it is given."""


@dataclass
class RealCluster:
    """Written as an administrator; read by what is tested, with the token of deploy/kubernetes's account."""

    url: str
    ca: Path
    token: str = ""

    @property
    def client(self) -> tuple[Path, Path]:
        """Certificate and key of the user `narrow-user`, who may do nothing yet."""
        folder = self.ca.parent.parent
        return folder / "client.crt", folder / "client.key"

    def ask(self, method: str, path: str, body: object = None, *, kind: str = "application/json") -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {_ADMIN}", "Content-Type": kind}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=self.ca)) as answer:
            return json.load(answer)

    def put(self, kind: str, name: str, body: dict[str, Any], namespace: str = "shop") -> None:
        """Create an object, or replace it; its status as its controller would set it."""
        self._namespace(namespace)
        full = _complete(kind, body)
        full["metadata"] = {**full.get("metadata", {}), "name": name, "namespace": namespace}
        at = _path(kind, namespace)
        with contextlib.suppress(urllib.error.HTTPError):
            full["metadata"]["resourceVersion"] = self.ask("GET", f"{at}/{name}")["metadata"]["resourceVersion"]
        stored = self.ask(*(("PUT", f"{at}/{name}") if "resourceVersion" in full["metadata"] else ("POST", at)), full)
        if "status" in full and not kind.startswith("argoproj.io"):
            if "observedGeneration" in full["status"]:
                full["status"]["observedGeneration"] = stored["metadata"]["generation"]
            self.ask("PUT", f"{at}/{name}/status", {**full, "metadata": stored["metadata"]})

    def drop(self, kind: str, name: str, namespace: str = "shop") -> None:
        self.ask("DELETE", f"{_path(kind, namespace)}/{name}?gracePeriodSeconds=0")

    def serve_applications(self) -> None:
        """Install the kind, and wait until it is served."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        self.ask(
            "POST", path, {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"} | APPLICATIONS
        )
        _until(lambda: self.ask("GET", "/apis/argoproj.io/v1alpha1/applications"))

    def account(self) -> str:
        """Apply deploy/kubernetes/role.yaml as it is; a token of its account."""
        self._namespace("remediator")
        for document in yaml.safe_load_all(ROLE.read_text()):
            namespace = document["metadata"].get("namespace", "")
            plural = _PLURALS[document["kind"]]
            self.ask("POST", _path(f"{document['apiVersion']}/{plural}", namespace), document)
        token_request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
        path = "/api/v1/namespaces/remediator/serviceaccounts/remediator/token"
        self.token = self.ask("POST", path, token_request)["status"]["token"]
        return self.token

    def _namespace(self, name: str) -> None:
        with contextlib.suppress(urllib.error.HTTPError):
            self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})


def _client_certificate(folder: Path) -> Path:
    """An authority for clients, and a user whom it knows; the authority's certificate."""
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    authority = ["-keyout", "clients.key", "-out", "clients.crt", "-subj", "/CN=clients"]
    user = ["-keyout", "client.key", "-out", "client.crt", "-subj", "/CN=narrow-user", "-CA", "clients.crt"]
    user += ["-CAkey", "clients.key", "-addext", "extendedKeyUsage=clientAuth", "-addext", "basicConstraints=CA:FALSE"]
    for certificate in (authority, user):
        subprocess.run([*new, *certificate], cwd=folder, check=True, capture_output=True)
    return folder / "clients.crt"


def _path(kind: str, namespace: str) -> str:
    version, plural = kind.rsplit("/", 1)
    root = "/api" if "/" not in version else "/apis"
    return f"{root}/{version}" + (f"/namespaces/{namespace}" if namespace else "") + f"/{plural}"


def _complete(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Add what a real server insists on and no reader looks at."""
    full: dict[str, Any] = json.loads(json.dumps(body))
    if kind == "apps/v1/deployments":
        labels = {"app": "any"}
        template = {"metadata": {"labels": labels}, "spec": _POD}
        full["spec"] = {"selector": {"matchLabels": labels}, "template": template} | full.get("spec", {})
        replicas = full["spec"].get("replicas", 1)
        full["status"].setdefault("replicas", max(replicas, full["status"].get("updatedReplicas", 0)))
        full["status"]["availableReplicas"] = full["status"].get("readyReplicas", 0)
        full["metadata"].pop("generation", None)
    if kind == "v1/pods":
        for owner in full["metadata"].get("ownerReferences", []):
            owner |= {"apiVersion": "apps/v1", "uid": owner["name"]}
        for condition in full["status"].get("conditions", []):
            condition.setdefault("status", "True")
        for status in full["status"].get("containerStatuses", []):
            status |= {
                "image": "registry.example.com/app:1",
                "imageID": "",
                "ready": "running" in status.get("state", {}),
            }
    return full


def _until(ask: Any, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            ask()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


@contextlib.contextmanager
def real_cluster(folder: Path) -> Iterator[RealCluster]:
    """etcd and kube-apiserver for the length of the block."""
    home = os.environ.get("REMEDIATOR_COUNTERPARTS")
    program = Path(home or "", "kubernetes", "kube-apiserver")
    if not home or not program.exists():
        pytest.skip("REMEDIATOR_COUNTERPARTS holds no kubernetes/kube-apiserver (scripts/kube_apiserver.sh)")
    store, peer, port = free_port(), free_port(), free_port()
    key = folder / "account.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    client = _client_certificate(folder)
    (folder / "tokens.csv").write_text(f'{_ADMIN},admin,admin,"system:masters"\n')
    at = f"http://127.0.0.1:{store}"
    etcd = ["etcd", "--data-dir", str(folder / "etcd"), "--listen-client-urls", at, "--advertise-client-urls", at]
    etcd += ["--listen-peer-urls", f"http://127.0.0.1:{peer}"]
    issuer = "https://kubernetes.default.svc"
    server = [str(program), f"--etcd-servers={at}", "--bind-address=127.0.0.1", f"--secure-port={port}"]
    server += [f"--cert-dir={folder / 'certificates'}", f"--service-account-key-file={key}"]
    server += [f"--service-account-signing-key-file={key}", f"--service-account-issuer={issuer}"]
    server += [f"--api-audiences={issuer}", "--authorization-mode=RBAC", f"--token-auth-file={folder / 'tokens.csv'}"]
    server += ["--service-cluster-ip-range=10.0.0.0/24", "--disable-admission-plugins=ServiceAccount"]
    server += [f"--client-ca-file={client}"]
    real_cluster = RealCluster(f"https://127.0.0.1:{port}", folder / "certificates" / "apiserver.crt")
    with started(etcd, f"{at}/health", folder), started(server, "", folder):
        _until(lambda: real_cluster.ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view"), 60)
        yield real_cluster
