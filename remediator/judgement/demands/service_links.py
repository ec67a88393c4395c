"""Variables that Kubernetes sets for each Service and a program takes for its own settings.

For a Service `redis` every pod of the namespace gets `REDIS_PORT=tcp://10.0.0.7:6379`, unless the container sets the variable
or the pod switches these links off. A program that reads `REDIS_PORT` expects a number and fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.text import contains_word
from remediator.gitops import Match
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.case import Want

_LINK = re.compile(r"\btcp://(?:\d{1,3}\.){3}\d{1,3}:(?P<port>\d{1,5})\b")
_READ = re.compile(r"\b[A-Z][A-Z0-9_]*_(?:SERVICE_HOST|SERVICE_PORT|TCP_ADDR|TCP_PORT)\b")
"""Variables that are read on purpose: switching the links off would take them away."""


def service_link(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield the demand to switch the links off, where a program stumbles over the address of a Service of its namespace."""
    for piece in distinct_evidence(inquiry):
        if not (link := _LINK.search(piece.text)):
            continue
        for match in inquiry.targets.matches:
            service = _service(inquiry, match, int(link["port"]))
            pod = match.manifest.pod_spec()
            if pod is None or not service or pod[0].get("enableServiceLinks") is False:
                continue
            variable = f"{service.upper().replace('-', '_')}_PORT"
            if _READ.search(str(pod[0])) or _sets(match, variable):
                continue
            name = match.manifest.name
            sentences = (
                f"switch service links off for `{name}`",
                f"`{name}` reads the address that Kubernetes puts into {variable} for Service `{service}` as a setting of its own",
            )
            want = Want.of(match, (*pod[1], "enableServiceLinks"), False)
            sure = 0.9 if contains_word(piece.text, variable, "") else 0.7
            yield Demand.of(piece, "service_link", (variable, service, link["port"]), want, sure, sentences)


def _service(inquiry: Inquiry, match: Match, port: int) -> str:
    """Return the only Service of the namespace with this port; empty where none or several have it."""
    namespace = match.manifest.namespace_in(match.application)
    names = {
        placed.name
        for placed in inquiry.world.of_kind("Service")
        if placed.namespace == namespace and any(item.get("port") == port for item in _ports(placed.body))
    }
    return names.pop() if len(names) == 1 else ""


def _ports(body: dict[str, Any]) -> list[dict[str, Any]]:
    ports = (body.get("spec") or {}).get("ports")
    return [item for item in ports if isinstance(item, dict)] if isinstance(ports, list) else []


def _sets(match: Match, variable: str) -> bool:
    return any(
        isinstance(item, dict) and item.get("name") == variable
        for container, _, _ in match.manifest.containers()
        for item in container.get("env") or ()
    )
