"""Addresses with a port that their Service does not have: the call was refused, and `kubectl get svc` shows the port.

The client's text is changed, never the Service: a Service with one port that others reach is right about itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, format_path
from remediator.errors import ConfigError
from remediator.gitops import Application
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.text_changes import own_files
from remediator.judgement.text_values import text_values
from remediator.policy.leaves import documents

_REFUSED = re.compile(r"(?i)connection refused|connection timed out|i/o timeout|ECONNREFUSED|ETIMEDOUT")
_RESOLVED = re.compile(r"(?<![\w.-])(?P<host>[a-z][a-z0-9.-]*) \((?:\d{1,3}\.){3}\d{1,3}:(?P<port>\d{2,5})\)")
"""The form of `nc` and of curl: the name, then the address that it resolved to."""
_DIALLED = re.compile(r"(?<![\w.-])(?P<host>[a-z][a-z0-9.-]*):(?P<port>\d{2,5})(?!\w|[.:]\w)")
_ONE_PORT = re.compile(r"(?P<port>\d+)(?::\d+)?/TCP")


@dataclass(frozen=True)
class Address:
    """One value of an Application's texts that holds the refused address."""

    application: Application
    file: str
    document: int
    path: YamlPath
    inside: YamlPath
    value: str


def refused_service_port(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield one demand where one text dials a port that the shown Service does not have."""
    for piece in distinct_evidence(inquiry):
        if not _REFUSED.search(piece.text):
            continue
        pairs = {
            (match["host"], match["port"]) for form in (_RESOLVED, _DIALLED) for match in form.finditer(piece.text)
        }
        for host, port in sorted(pairs):
            expected = _only_port(inquiry, host, piece)
            if expected in ("", port) or _is_declared(inquiry, host, port):
                continue
            addresses = [
                address
                for application in inquiry.applications
                for address in _addresses(inquiry, application, f"{host}:{port}")
            ]
            if len({(item.file, item.document, item.path, item.inside) for item in addresses}) == 1:
                yield _demand(inquiry, addresses[0], host, port, expected, piece)


def _only_port(inquiry: Inquiry, host: str, piece: Evidence) -> str:
    """Return the port of the Service as the cluster shows it; empty where it shows none, several, or two namespaces."""
    service, _, domain = host.partition(".")
    namespace = domain.partition(".")[0] or piece.subject.namespace
    services = {
        (item.subject.namespace, item.facts["ports"])
        for item in (*inquiry.diagnosis.evidence, *inquiry.diagnosis.context)
        if item.subject.kind == "Service" and item.subject.name == service and item.channel == "status"
        if item.facts.get("ports") and (not namespace or item.subject.namespace == namespace)
    }
    match = _ONE_PORT.fullmatch(services.pop()[1]) if len(services) == 1 else None
    return match["port"] if match else ""


def _is_declared(inquiry: Inquiry, host: str, port: str) -> bool:
    """Return True where a rendered Service of that name has the refused port: then the cluster is what lags behind."""
    return any(
        str(entry.get("port")) == port
        for service in inquiry.world.of_kind("Service")
        if service.name == host.partition(".")[0]
        for entry in service.body.get("spec", {}).get("ports") or ()
    )


def _addresses(inquiry: Inquiry, application: Application, text: str) -> Iterator[Address]:
    form = re.compile(rf"(?<![\w.-]){re.escape(text)}(?!\d)")
    for file in sorted(own_files(inquiry.repository, application)):
        try:
            bodies: Any = documents(inquiry.repository.read(file)) if file.endswith((".yaml", ".yml")) else None
        except ConfigError:
            continue
        for index, body in enumerate(bodies or ()):
            if file == application.file and index != application.document:
                continue
            for path, inside, value in text_values(body):
                if isinstance(value, str) and len(form.findall(value)) == 1:
                    yield Address(application, file, index, path, inside, value)


def _demand(inquiry: Inquiry, address: Address, host: str, port: str, expected: str, piece: Evidence) -> Demand:
    position = {"file": address.file, "document": address.document, "path": address.path, "inside": address.inside}
    value = re.sub(rf"(?<![\w.-]){re.escape(host)}:{port}(?!\d)", f"{host}:{expected}", address.value)
    return Demand(
        rule="refused_service_port",
        title=f"dial {host} on port {expected} instead of {port} in `{address.application.name}`",
        reason=f"{format_path(address.inside or address.path)} dials {host}:{port}, which is refused; the Service {host} has port {expected} alone.",
        evidence=(piece.id,),
        words=(host, port),
        edits=(Edit(op="set", value=value, **position),),
        places=(
            Place(
                value=address.value,
                proof="unproved",
                why="matched by evidence: the only text of the Application with the refused address",
                **position,
            ),
        ),
        applications=tuple(dict.fromkeys((address.application, *inquiry.repository.feeds.readers(address.file)))),
    )
