"""Amounts that an admission policy refuses: lower the amount to the maximum that its message names.

Gatekeeper's library names the container, the amount and the maximum; Kyverno names the object and the path, and the
policy's own words hold the bound. A bound of another form ("less than 4Gi") leaves the value open and is declined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get
from remediator.judgement.demands.demand import Demand, platform_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.world import Placed
from remediator.remedies.engine.case import Want

_GATEKEEPER = re.compile(
    r"container <(?P<container>[^<>\s]+)> (?P<resource>cpu|memory|ephemeral-storage) (?P<side>limit|request) "
    r"<(?P<value>[^<>\s]+)> is higher than the maximum allowed of <(?P<maximum>[^<>\s]+)>"
)
_KYVERNO = re.compile(r"resource (?P<kind>\w+)/(?P<namespace>[\w.-]+)/(?P<name>[\w.-]+) was blocked")
_KYVERNO_PATH = re.compile(r"failed at path (?P<path>/[\w/-]*resources/(?:limits|requests)/[\w-]+)")
_AT_MOST = re.compile(
    r"(?i)(?:not exceed|at most|no more than|not be more than|less than or equal to|<=)\s*[`'\"]?(?P<maximum>\d+(?:\.\d+)?[A-Za-z]{0,2})\b"
)


def admission_maximum(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield one demand for each amount that is above the maximum of a policy's message."""
    for piece in platform_evidence(inquiry):
        text = piece.text.replace('\\"', '"')
        for match in _GATEKEEPER.finditer(text):
            field = ("resources", f"{match['side']}s", match["resource"])
            holders = _holders(inquiry, match["container"], field, match["value"])
            if len(holders) == 1:
                yield from _lowered(piece, *holders[0], match["maximum"])
        yield from _kyverno(inquiry, piece, text)


def _holders(inquiry: Inquiry, container: str, field: YamlPath, value: str) -> list[tuple[Placed, YamlPath]]:
    """Return every field of the incident's Applications that bears the refused amount in a container of that name."""
    amount = quantities.parse(value)
    return [
        (placed, (*path, *field))
        for placed in inquiry.world.workloads
        if placed.application in inquiry.applications
        for body, path, _ in placed.containers()
        if body.get("name") == container and amount is not None and quantities.parse(get(body, field)) == amount
    ]


def _kyverno(inquiry: Inquiry, piece: Evidence, text: str) -> Iterator[Demand]:
    """Read a refusal of one field; a message with several bounds or paths is left to a person."""
    names = {match.groups() for match in _KYVERNO.finditer(text)}
    paths = {match["path"] for match in _KYVERNO_PATH.finditer(text)}
    maxima = {match["maximum"] for match in _AT_MOST.finditer(text)}
    if not len(names) == len(paths) == len(maxima) == 1:
        return
    kind, namespace, name = names.pop()
    path: YamlPath = tuple(int(step) if step.isdigit() else step for step in paths.pop().strip("/").split("/"))
    for placed in inquiry.world.of_kind(kind):
        if placed.name == name and placed.namespace in ("", namespace):
            yield from _lowered(piece, placed, path, maxima.pop())
            return


def _lowered(piece: Evidence, placed: Placed, path: YamlPath, maximum: str) -> Iterator[Demand]:
    """Lower the amount to the maximum; a request above the new limit goes along, as the API server demands."""
    current, bound = get(placed.body, path), quantities.parse(maximum)
    amount = quantities.parse(current)
    if amount is None or bound is None or amount <= bound:
        return
    wants = [Want(placed.application, placed.manifest, path, maximum)]
    side, resource = path[-2], str(path[-1])
    request_path: YamlPath = (*path[:-2], "requests", resource)
    request = quantities.parse(get(placed.body, request_path)) if side == "limits" else None
    if request is not None and request > bound:
        wants.append(Want(placed.application, placed.manifest, request_path, maximum))
    field = f"{side}.{resource}"
    yield Demand(
        rule="admission_maximum",
        title=f"lower {field} of `{placed.name}` from {current} to {maximum}",
        reason=f"An admission policy refuses {field} of {current} in `{placed.name}`; it allows {maximum} at most.",
        evidence=(piece.id,),
        words=(str(current), maximum, placed.name),
        wants=tuple(wants),
    )
