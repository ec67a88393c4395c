"""Services as the repository and the evidence show them: faulty ones, their pods, and the ports that are listened on.

A message rarely names the Service by its kind. So hosts in messages and in the lines around them count too, and the
repository decides whether such a Service exists.
"""

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
from remediator.remedies.views.open_ports import observed_ports

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

_DIALED = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}:(\d{2,5})(?!\d)")


@dataclass(frozen=True)
class FaultyService:
    """One Service of the repository that clients cannot use, with the evidence for it."""

    application: Application
    manifest: Manifest
    evidence: tuple[Evidence, ...]
    client_ports: frozenset[str] = frozenset()
    """The ports on which clients call it, as far as the evidence shows them."""

    @property
    def namespace(self) -> str:
        """The namespace that it is deployed to."""
        return self.manifest.namespace_in(self.application)

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec; empty where it has none."""
        spec = self.manifest.body.get("spec")
        return spec if isinstance(spec, dict) else {}

    @property
    def selector(self) -> dict[str, str]:
        """The labels by which it finds its pods."""
        selector = self.spec.get("selector")
        return {str(key): str(value) for key, value in selector.items()} if isinstance(selector, dict) else {}

    @property
    def ports(self) -> list[dict[str, Any]]:
        """Its ports as the manifest has them."""
        return [port for port in self.spec.get("ports") or () if isinstance(port, dict)]

    @property
    def headless(self) -> bool:
        """True where clients reach the pods directly, so that no target port is used."""
        return str(self.spec.get("clusterIP", "")) == "None"

    @property
    def selects(self) -> bool:
        """True where it finds its pods by labels; False for an alias of a host name or hand-made endpoints."""
        return bool(self.selector) and self.spec.get("type") != "ExternalName"


@dataclass(frozen=True)
class WorkloadPods:
    """The pods that one workload of the repository makes."""

    application: Application
    manifest: Manifest
    labels: Mapping[str, str]
    path: YamlPath
    """The path of the labels."""


def faulty_services(case: RemedyContext) -> list[FaultyService]:
    """Return the Services of this repository that cannot be used according to the evidence."""
    evidence_by_key: dict[tuple[str, str], list[Evidence]] = {}
    ports_by_key: dict[tuple[str, str], set[str]] = {}
    for subject, evidence, port in _complaints_about(case):
        key = (subject.namespace, subject.name)
        evidence_by_key.setdefault(key, []).append(evidence)
        ports_by_key.setdefault(key, set()).update([port] if port else [])
    services: list[FaultyService] = []
    for (namespace, name), evidence_list in evidence_by_key.items():
        cluster = case.diagnosis.subject.cluster
        subject = Subject(cluster=cluster, namespace=namespace, kind="Service", name=name)
        for match in case.repository.find(subject):
            manifest = match.manifest
            manifest_namespace = manifest.namespace_in(match.application)
            if (
                manifest.kind != "Service"
                or manifest.name != name
                or (namespace and manifest_namespace and manifest_namespace != namespace)
            ):
                continue
            if all(server.manifest is not manifest for server in services):
                cited = tuple({evidence.id: evidence for evidence in evidence_list if evidence.signal}.values())
                services.append(
                    FaultyService(match.application, manifest, cited, frozenset(ports_by_key[namespace, name]))
                )
    return services


def _complaints_about(case: RemedyContext) -> Iterator[tuple[Subject, Evidence, str]]:
    """Yield (Service, evidence, port) for every Service that the evidence complains about."""
    diagnosis = case.diagnosis
    hosts: list[tuple[Subject, Evidence, str]] = []
    for evidence in diagnosis.evidence:
        if evidence.subject.kind in SERVICE_KINDS:
            yield evidence.subject, evidence, ""
        name = evidence.facts.get("field_serviceName") or evidence.facts.get("service") or ""
        if name and name != "port":
            space, _, short = name.rpartition("/")
            yield (
                Subject(
                    namespace=space or evidence.facts.get("field_namespace", "") or evidence.subject.namespace,
                    name=short,
                ),
                evidence,
                "",
            )
        host, port = host_in(evidence.text)
        if host and (subject := service_subject(host, evidence.subject)).kind == "Service":
            hosts.append((subject, evidence, port))
    yield from hosts
    lead = diagnosis.evidence[0] if diagnosis.evidence else None
    if lead is not None and diagnosis.subject.kind in SERVICE_KINDS:
        yield diagnosis.subject, lead, ""
    if lead is not None and not hosts and diagnosis.subject.kind not in SERVICE_KINDS:
        yield from _hosts_near(case)
        yield from _dialed_by_port(case)


def _hosts_near(case: RemedyContext) -> Iterator[tuple[Subject, Evidence, str]]:
    """Yield hosts of the lines that the same workload logged near its complaint: `Connecting to backend:80`."""
    for complaint in case.diagnosis.evidence:
        if complaint.channel not in ("log", "text"):
            continue
        for statement in case.diagnosis.context:
            near = (
                statement.subject.name == complaint.subject.name
                and statement.source == complaint.source
                and abs(statement.line - complaint.line) <= 20
            )
            if near and statement.channel in ("log", "text"):
                host, port = host_in(statement.text)
                if host and (subject := service_subject(host, statement.subject)).kind == "Service":
                    yield subject, complaint, port


def _dialed_by_port(case: RemedyContext) -> Iterator[tuple[Subject, Evidence, str]]:
    """Yield the Service behind an address that is only numbers: the one that the caller's containers name with this port."""
    for complaint in case.diagnosis.evidence:
        for port in dict.fromkeys(_DIALED.findall(complaint.text)):
            hosts = {
                host
                for match in case.targets
                for container, _, _ in match.manifest.containers()
                for host in re.findall(rf"(?<![\w.-])([a-z][a-z0-9.-]*):{port}(?!\d)", str(container))
            }
            if len(hosts) == 1:
                subject = service_subject(hosts.pop(), complaint.subject)
                if subject.kind == "Service":
                    yield subject, complaint, port


def neighbours(case: RemedyContext, application: Application, namespace: str) -> Iterator[tuple[Application, Manifest]]:
    """Yield every object of a namespace, those of this Application first, then of others on the same cluster."""
    neighbour_applications = [
        neighbour
        for neighbour in case.repository.applications
        if neighbour != application
        and neighbour.cluster == application.cluster
        and (not neighbour.namespace or not namespace or neighbour.namespace == namespace)
    ]
    for owner in (application, *neighbour_applications):
        for manifest in case.repository.objects(owner):
            if (manifest.namespace_in(owner) or namespace) == namespace:
                yield owner, manifest


def pods_in_namespace(case: RemedyContext, server: FaultyService) -> list[WorkloadPods]:
    """Return the long-running workloads of a Service's namespace with the labels of their pods."""
    return [
        WorkloadPods(application, manifest, labels, path)
        for application, manifest in neighbours(case, server.application, server.namespace)
        if manifest.kind in _RUNNING
        for labels, path in [pod_labels(manifest)]
    ]


def pod_labels(manifest: Manifest) -> tuple[dict[str, str], YamlPath]:
    """Return the labels of the pods that an object creates, and their path."""
    pod = manifest.pod_spec()
    template: YamlPath = () if manifest.kind == "Pod" else ("spec", "template") if pod is None else pod[1][:-1]
    path: YamlPath = (*template, "metadata", "labels")
    node: Any = manifest.body
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return ({str(key): str(value) for key, value in node.items()} if isinstance(node, dict) else {}), path


def selector_of(service: Manifest) -> dict[str, str]:
    """Return the labels that a Service selects its pods by; empty where it selects none."""
    spec = service.body.get("spec")
    selector = spec.get("selector") if isinstance(spec, dict) else None
    return {str(key): str(value) for key, value in selector.items()} if isinstance(selector, dict) else {}


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Return True where a selector matches these labels; an empty one matches none."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selected_pods(server: FaultyService, pods: Sequence[WorkloadPods]) -> list[WorkloadPods]:
    """Return those of the pods that the Service sends requests to."""
    return [workload for workload in pods if selects(server.selector, workload.labels)] if server.selects else []


def statements_about(case: RemedyContext, server: FaultyService) -> list[Evidence]:
    """Return what the input shows of a Service and its endpoints: `get svc`, `describe svc`, `get endpoints`."""
    return [
        statement
        for statement in case.statements
        if statement.subject.kind in SERVICE_KINDS
        and statement.subject.name == server.manifest.name
        and (not statement.subject.namespace or not server.namespace or statement.subject.namespace == server.namespace)
    ]


def has_endpoints(case: RemedyContext, server: FaultyService) -> bool:
    """Return True where the input shows addresses of the Service's endpoints."""
    texts = [statement.facts.get("endpoints", "") for statement in statements_about(case, server)]
    return any(re.search(r"\d:\d|\d\.\d", text) for text in texts)


def parse_labels(text: str) -> dict[str, str]:
    """Return kubectl's `a=b, c=d` as a mapping."""
    parts = (part.strip().partition("=") for part in re.split(r"[,\s]+", text) if "=" in part)
    return {key: value for key, _, value in parts}


def live_pods(case: RemedyContext, namespace: str) -> list[tuple[Evidence, dict[str, str]]]:
    """Return the pods of the input that have labels, with these."""
    return [
        (statement, parse_labels(statement.facts["labels"]))
        for statement in case.statements
        if statement.subject.pod and statement.facts.get("labels") and statement.subject.namespace in ("", namespace)
    ]


def container_ports(pods: Iterable[WorkloadPods]) -> list[tuple[WorkloadPods, dict[str, Any], YamlPath]]:
    """Return every declared port of the pods' containers with its path."""
    return [
        (workload, port, (*path, "ports", index))
        for workload in pods
        for body, path, init in workload.manifest.containers()
        if not init
        for index, port in enumerate(body.get("ports") or ())
        if isinstance(port, dict) and port.get("containerPort") is not None
    ]


def listening_ports(case: RemedyContext, pods: Sequence[WorkloadPods]) -> set[int]:
    """Return the ports on which the pods listen, as seen in them, else according to their own logs."""
    names = {workload.manifest.name for workload in pods}
    observed = observed_ports(case.statements, names)
    if observed is not None:
        return observed
    return {
        int(match["port"])
        for statement in case.statements
        if statement.channel == "log" and statement.subject.name in names
        for match in _LISTENS.finditer(statement.text)
    }
