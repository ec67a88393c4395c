"""The object that a line is about, which is not always the one that logs it.

A client logs that its server refuses; an ingress controller logs that somebody's Service has no endpoints. The signal
declares (`blames`) where the culprit is to be found, so no signal id stands here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from remediator.diagnosis.hosts import host_in, is_name, service_subject
from remediator.diagnosis.signals import SignalMatch
from remediator.domain.incident import Statement, Subject

_ADDRESS = re.compile(
    r"\b(?P<host>[a-z0-9][a-z0-9.-]*[a-z0-9])(?::\d+)?[ /]?\(?(?P<ip>\d{1,3}(?:\.\d{1,3}){3})\b", re.IGNORECASE
)
_WEBHOOK = re.compile(r"failed calling webhook\b[^\n]*?https://(?P<host>[a-z0-9.-]+)")
"""The API server names the Service behind a webhook that does not answer; whoever asked for the object is its victim."""
_IP = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


class Callees:
    """An index of the Services behind addresses, as far as the input shows: `backend:80 (10.96.1.2:80)`, `kubectl get svc`."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._by_address: dict[str, Subject] = {}
        self._callee_by_caller: dict[tuple[str, str, str], Subject] = {}
        for statement in statements:
            subject = statement.subject
            if subject.kind == "Service" and (
                address := statement.facts.get("ip") or statement.facts.get("cluster_ip")
            ):
                self._by_address[address] = subject
            if statement.channel not in ("log", "text"):
                continue
            if (match := _ADDRESS.search(statement.text)) and is_name(match["host"].lower()):
                self._by_address.setdefault(match["ip"], service_subject(match["host"].lower(), subject))
            host, _ = host_in(statement.text)
            if host:
                self._callee_by_caller.setdefault(_caller(subject), service_subject(host, subject))

    def of(self, text: str, caller: Subject) -> Subject | None:
        """Return the Service that a line means: by its name, by its address, or by the caller's other lines."""
        host, _ = host_in(text)
        if host:
            return service_subject(host, caller)
        for address in _IP.findall(text):
            if address in self._by_address:
                return self._by_address[address]
        return self._callee_by_caller.get(_caller(caller))


def culprit(hit: SignalMatch, callees: Callees) -> Subject:
    """Return the subject of an incident that this hit leads."""
    subject = hit.statement.subject
    if match := _WEBHOOK.search(hit.statement.text):
        return service_subject(match["host"], subject)
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
    """Return the Ingress or Service that a controller complains about, instead of the controller."""
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
