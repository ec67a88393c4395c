"""Services as the evidence and the repository show them: which are complained about, what they select, who listens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.diagnosis.hosts import host_in, service_subject
from remediator.domain.incident import Evidence, Subject
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import RemedyContext

SERVICE_KINDS = frozenset({"Service", "Endpoints", "EndpointSlice"})
_RUNNING = frozenset(
    {
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Rollout",
        "Pod",
        "ReplicationController",
        "DeploymentConfig",
    }
)
_LISTENS = re.compile(
    r"(?i)\b(?:listen(?:ing|s)?|serving|served|started|running|ready to accept connections|bound|available|starting)\b[^\n]{0,80}?"
    r"(?:\bport[ =:]+|https?://[^\s/:]+:|\[::\]:|0\.0\.0\.0:|127\.0\.0\.1:|\*:|[ (]:)(?P<port>\d{2,5})\b"
)


@dataclass(frozen=True)
class FaultyService:
    """One Service of the repository that clients cannot use, with what says so."""

    application: Application
    manifest: Manifest
    evidence: tuple[Evidence, ...]
    client_ports: frozenset[str] = frozenset()
    """Ports on which clients ask for it, where the evidence tells."""

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return self.manifest.namespace_in(self.application)

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec, empty where there is none."""
        found = self.manifest.body.get("spec")
        return found if isinstance(found, dict) else {}

    @property
    def selector(self) -> dict[str, str]:
        """Labels by which it finds its pods."""
        found = self.spec.get("selector")
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    @property
    def ports(self) -> list[dict[str, Any]]:
        """Its ports as written."""
        return [port for port in self.spec.get("ports") or () if isinstance(port, dict)]

    @property
    def headless(self) -> bool:
        """Whether clients reach its pods without it: no target port is used then."""
        return str(self.spec.get("clusterIP", "")) == "None"

    @property
    def selects(self) -> bool:
        """Whether it finds its pods by labels: neither an alias of a host name nor one with hand-made endpoints."""
        return bool(self.selector) and self.spec.get("type") != "ExternalName"


@dataclass(frozen=True)
class WorkloadPods:
    """The pods that one workload of the repository makes."""

    application: Application
    manifest: Manifest
    labels: Mapping[str, str]
    path: YamlPath
    """Of the labels."""


def faulty_services(case: RemedyContext) -> list[FaultyService]:
    """Services that the evidence says cannot be used, and that this repository holds."""
    told: dict[tuple[str, str], list[Evidence]] = {}
    asked: dict[tuple[str, str], set[str]] = {}
    for subject, evidence, port in _named(case):
        key = (subject.namespace, subject.name)
        told.setdefault(key, []).append(evidence)
        asked.setdefault(key, set()).update([port] if port else [])
    found: list[FaultyService] = []
    for (namespace, name), evidence_list in told.items():
        cluster = case.diagnosis.subject.cluster
        subject = Subject(cluster=cluster, namespace=namespace, kind="Service", name=name)
        for match in case.repository.find(subject):
            manifest = match.manifest
            here = manifest.namespace_in(match.application)
            if manifest.kind != "Service" or manifest.name != name or (namespace and here and here != namespace):
                continue
            if all(server.manifest is not manifest for server in found):
                cited = tuple({one.id: one for one in evidence_list if one.signal}.values())
                found.append(FaultyService(match.application, manifest, cited, frozenset(asked[namespace, name])))
    return found


def _named(case: RemedyContext) -> Iterator[tuple[Subject, Evidence, str]]:
    """(Service, who says so, port) for every Service that a piece of evidence complains about."""
    diagnosis = case.diagnosis
    hosts: list[tuple[Subject, Evidence, str]] = []
    for one in diagnosis.evidence:
        if one.subject.kind in SERVICE_KINDS:
            yield one.subject, one, ""
        name = one.facts.get("field_serviceName") or one.facts.get("service") or ""
        if name and name != "port":
            space, _, short = name.rpartition("/")
            yield (
                Subject(namespace=space or one.facts.get("field_namespace", "") or one.subject.namespace, name=short),
                one,
                "",
            )
        host, port = host_in(one.text)
        if host and (subject := service_subject(host, one.subject)).kind == "Service":
            hosts.append((subject, one, port))
    yield from hosts
    lead = diagnosis.evidence[0] if diagnosis.evidence else None
    if lead is not None and diagnosis.subject.kind in SERVICE_KINDS:
        yield diagnosis.subject, lead, ""
    if lead is not None and not hosts and diagnosis.subject.kind not in SERVICE_KINDS:
        yield from _mentioned(case)


def _mentioned(case: RemedyContext) -> Iterator[tuple[Subject, Evidence, str]]:
    """Hosts of the lines that the same complainant logged round its complaint: `Connecting to backend:80`."""
    for one in case.diagnosis.evidence:
        if one.channel not in ("log", "text"):
            continue
        for other in case.diagnosis.context:
            near = (
                other.subject.name == one.subject.name
                and other.source == one.source
                and abs(other.line - one.line) <= 20
            )
            if near and other.channel in ("log", "text"):
                host, port = host_in(other.text)
                if host and (subject := service_subject(host, other.subject)).kind == "Service":
                    yield subject, one, port


def neighbours(case: RemedyContext, application: Application, namespace: str) -> Iterator[tuple[Application, Manifest]]:
    """Every object of a namespace, of this Application first, then of the others on the same cluster."""
    others = [
        other
        for other in case.repository.applications
        if other != application
        and other.cluster == application.cluster
        and (not other.namespace or not namespace or other.namespace == namespace)
    ]
    for one in (application, *others):
        for manifest in case.repository.objects(one):
            if (manifest.namespace_in(one) or namespace) == namespace:
                yield one, manifest


def pods_in_namespace(case: RemedyContext, server: FaultyService) -> list[WorkloadPods]:
    """The long-running workloads of a Service's namespace with the labels of their pods."""
    return [
        WorkloadPods(application, manifest, labels, path)
        for application, manifest in neighbours(case, server.application, server.namespace)
        if manifest.kind in _RUNNING
        for labels, path in [pod_labels(manifest)]
    ]


def pod_labels(manifest: Manifest) -> tuple[dict[str, str], YamlPath]:
    """Labels of the pods that an object makes, and their path."""
    pod = manifest.pod_spec()
    template: YamlPath = () if manifest.kind == "Pod" else ("spec", "template") if pod is None else pod[1][:-1]
    path: YamlPath = (*template, "metadata", "labels")
    node: Any = manifest.body
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return ({str(key): str(value) for key, value in node.items()} if isinstance(node, dict) else {}), path


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a selector takes these labels; an empty one takes none."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selected_pods(server: FaultyService, pods: Sequence[WorkloadPods]) -> list[WorkloadPods]:
    """Those of the pods that the Service sends to."""
    return [one for one in pods if selects(server.selector, one.labels)] if server.selects else []


def statements_about(case: RemedyContext, server: FaultyService) -> list[Evidence]:
    """What the input shows of a Service and its endpoints: `get svc`, `describe svc`, `get endpoints`."""
    return [
        one
        for one in case.statements
        if one.subject.kind in SERVICE_KINDS
        and one.subject.name == server.manifest.name
        and (not one.subject.namespace or not server.namespace or one.subject.namespace == server.namespace)
    ]


def has_endpoints(case: RemedyContext, server: FaultyService) -> bool:
    """Whether the input shows addresses behind the Service."""
    texts = [one.facts.get("endpoints", "") for one in statements_about(case, server)]
    return any(re.search(r"\d:\d|\d\.\d", text) for text in texts)


def parse_labels(text: str) -> dict[str, str]:
    """`a=b, c=d` of kubectl as a mapping."""
    found = (part.strip().partition("=") for part in re.split(r"[,\s]+", text) if "=" in part)
    return {key: value for key, _, value in found}


def live_pods(case: RemedyContext, namespace: str) -> list[tuple[Evidence, dict[str, str]]]:
    """Pods that the input shows with their labels."""
    return [
        (one, parse_labels(one.facts["labels"]))
        for one in case.statements
        if one.subject.pod and one.facts.get("labels") and one.subject.namespace in ("", namespace)
    ]


def container_ports(pods: Iterable[WorkloadPods]) -> list[tuple[WorkloadPods, dict[str, Any], YamlPath]]:
    """Every declared port of the pods' containers with its path."""
    return [
        (one, port, (*path, "ports", index))
        for one in pods
        for body, path, init in one.manifest.containers()
        if not init
        for index, port in enumerate(body.get("ports") or ())
        if isinstance(port, dict) and port.get("containerPort") is not None
    ]


def listening_ports(case: RemedyContext, pods: Sequence[WorkloadPods]) -> set[int]:
    """Ports on which the pods' own logs say they listen."""
    names = {one.manifest.name for one in pods}
    return {
        int(found["port"])
        for one in case.statements
        if one.channel == "log" and one.subject.name in names
        for found in _LISTENS.finditer(one.text)
    }
