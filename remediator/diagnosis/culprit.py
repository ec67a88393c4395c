"""Who is to blame for a line: not always the one who logs it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from remediator.diagnosis.hosts import host_in, service_subject
from remediator.diagnosis.signals import SignalMatch
from remediator.domain.incident import Statement, Subject

_ADDRESS = re.compile(
    r"\b(?P<host>[a-z0-9][a-z0-9.-]*[a-z0-9])(?::\d+)?[ /]?\(?(?P<ip>\d{1,3}(?:\.\d{1,3}){3})\b", re.IGNORECASE
)
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


class Callees:
    """Which Service an address belongs to, as far as the input tells: `backend:80 (10.96.1.2:80)`, `kubectl get svc`."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._by_address: dict[str, Subject] = {}
        self._called: dict[tuple[str, str, str], Subject] = {}
        for statement in statements:
            subject = statement.subject
            if subject.kind == "Service" and (
                address := statement.facts.get("ip") or statement.facts.get("cluster_ip")
            ):
                self._by_address[address] = subject
            if statement.channel not in ("log", "text"):
                continue
            if found := _ADDRESS.search(statement.text):
                self._by_address.setdefault(found["ip"], service_subject(found["host"].lower(), subject))
            host, _ = host_in(statement.text)
            if host:
                self._called.setdefault(_caller(subject), service_subject(host, subject))

    def of(self, text: str, caller: Subject) -> Subject | None:
        """The Service that a line means: named in it, by its address, or by the caller's other lines."""
        host, _ = host_in(text)
        if host:
            return service_subject(host, caller)
        for address in _IP.findall(text):
            if address in self._by_address:
                return self._by_address[address]
        return self._called.get(_caller(caller))


def culprit(hit: SignalMatch, callees: Callees) -> Subject:
    """The subject that an incident led by this hit is about."""
    subject = hit.statement.subject
    if subject.kind == "Endpoints":
        return subject.model_copy(update={"kind": "Service"})
    if hit.signal.blames == "callee" and hit.statement.channel in ("log", "text"):
        return callees.of(hit.statement.text, subject) or subject
    if hit.signal.blames == "route":
        return _routed(hit, subject)
    if hit.signal.blames == "account" and not subject.name and hit.facts.get("account"):
        return Subject(
            cluster=subject.cluster,
            namespace=hit.facts.get("namespace", ""),
            kind="ServiceAccount",
            name=hit.facts["account"],
        )
    return subject


def _routed(hit: SignalMatch, subject: Subject) -> Subject:
    """An ingress controller complains of an Ingress and its Service, not of itself."""
    namespace = hit.facts.get("field_namespace", "")
    if name := hit.facts.get("field_ingress") or hit.facts.get("ingress", ""):
        space, _, short = name.rpartition("/")
        return Subject(cluster=subject.cluster, namespace=space or namespace, kind="Ingress", name=short)
    if service := hit.facts.get("service", ""):
        space, _, short = service.rpartition("/")
        return Subject(
            cluster=subject.cluster, namespace=space or namespace or subject.namespace, kind="Service", name=short
        )
    return subject


def _caller(subject: Subject) -> tuple[str, str, str]:
    return (subject.namespace, subject.name or subject.pod, subject.container)
