"""Addresses with a port that their Service does not have: the call was refused, and `kubectl get svc` shows the port.

The client's text is changed, never the Service: a Service with one port that others reach is right about itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.change import Edit
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import format_path
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.text_values import TextValue, application_values

_REFUSED = re.compile(r"(?i)connection refused|connection timed out|i/o timeout|ECONNREFUSED|ETIMEDOUT")
_RESOLVED = re.compile(r"(?<![\w.-])(?P<host>[a-z][a-z0-9.-]*) \((?:\d{1,3}\.){3}\d{1,3}:(?P<port>\d{2,5})\)")
"""The form of `nc` and of curl: the name, then the address that it resolved to."""
_DIALLED = re.compile(r"(?<![\w.-])(?P<host>[a-z][a-z0-9.-]*):(?P<port>\d{2,5})(?!\w|[.:]\w)")
_ONE_PORT = re.compile(r"(?P<port>\d+)(?::\d+)?/TCP")


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
            form = re.compile(rf"(?<![\w.-]){re.escape(host)}:{port}(?!\d)")
            addresses = [
                text
                for application in inquiry.applications
                for text in application_values(inquiry.repository, application)
                if isinstance(text.value, str) and len(form.findall(text.value)) == 1
            ]
            if len({address.position for address in addresses}) == 1:
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


def _demand(inquiry: Inquiry, address: TextValue, host: str, port: str, expected: str, piece: Evidence) -> Demand:
    value = re.sub(rf"(?<![\w.-]){re.escape(host)}:{port}(?!\d)", f"{host}:{expected}", address.value)
    place = address.place("the only text of the Application with the refused address")
    return Demand(
        rule="refused_service_port",
        title=f"dial {host} on port {expected} instead of {port} in `{address.application.name}`",
        reason=f"{format_path(address.inside or address.path)} dials {host}:{port}, which is refused; the Service {host} has port {expected} alone.",
        evidence=(piece.id,),
        words=(host, port),
        edits=(Edit.at(place, "set", value),),
        places=(place,),
        applications=address.readers(inquiry.repository),
    )
