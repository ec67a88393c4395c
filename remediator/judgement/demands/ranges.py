"""Numbers outside the range that a refusal names: set the nearest number of the range.

Only for amounts. Of a number that identifies something (a port that a program listens on, an account) the nearest
allowed one is as wrong as any other; a node port is an amount in that sense, since clients learn it from the Service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.yaml_paths import get
from remediator.judgement.demands.demand import Demand
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.case import Fix, Want
from remediator.remedies.engine.older_values import earlier_values
from remediator.remedies.objects.refusal import Refusal, refusals

_ACTION = "meet_demand"
_SIGNAL = "object_invalid"
_BETWEEN = re.compile(
    r"(?:range of valid ports is|must be (?:between|in the range)|should be (?:between|in the range))\s+"
    r"(?P<low>\d{1,9})(?:\s*-\s*|\s+(?:and|to)\s+)(?P<high>\d{1,9})(?![\w.])"
)
_AT_MOST = re.compile(r"(?:must|should) be less than or equal to (?P<high>\d{1,9})(?![\w.])")
_AT_LEAST = re.compile(r"(?:must|should) be greater than or equal to (?P<low>\d{1,9})(?![\w.])")
_IDENTITY = re.compile(r"(?i)port|user|group|uid|gid|mode|version|generation|revision|id$")
_NODE_PORT = "nodePort"
_NODE_PORT_TRIES = 100


def number_in_range(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield one demand for each refused number whose message names the range; another bound of it is declined."""
    for refusal in refusals(inquiry.context(_ACTION), _SIGNAL):
        field = str(refusal.path[-1]) if refusal.path else ""
        bounds = _bounds(refusal.detail)
        if refusal.problem != "Invalid value" or bounds is None:
            continue
        current = refusal.current
        if not isinstance(current, int) or isinstance(current, bool) or str(current) != refusal.value:
            continue  # corrected since, or computed from several texts
        if field != _NODE_PORT and _IDENTITY.search(field):
            continue
        nearest = min(max(current, bounds.start), bounds.stop - 1)
        if field == _NODE_PORT:
            nearest = _free_node_port(inquiry, bounds, upwards=current < bounds.start)
        if nearest not in (current, 0):
            yield _demand(inquiry, refusal, nearest, bounds)


def _bounds(detail: str) -> range | None:
    """Return the range that the message names, both ends in it; None where it names none or several."""
    ranges = [range(int(match["low"]), int(match["high"]) + 1) for match in _BETWEEN.finditer(detail)]
    at_least = [int(match["low"]) for match in _AT_LEAST.finditer(detail)]
    at_most = [int(match["high"]) for match in _AT_MOST.finditer(detail)]
    if not ranges and len(at_least) + len(at_most) == 1:
        ranges = [range(at_least[0], 2**31) if at_least else range(at_most[0] + 1)]
    return ranges[0] if len(ranges) == 1 and len(ranges[0]) and not (at_least and at_most) else None


def _free_node_port(inquiry: Inquiry, bounds: range, *, upwards: bool) -> int:
    """Return the port of the range next to the refused one that no rendered Service uses; 0 where none is near."""
    used = {
        get(service.body, ("spec", "ports", index, _NODE_PORT))
        for service in inquiry.world.of_kind("Service")
        for index, _ in enumerate(service.body.get("spec", {}).get("ports") or ())
    }
    ports = bounds if upwards else reversed(bounds)
    return next((port for port, _ in zip(ports, range(_NODE_PORT_TRIES), strict=False) if port not in used), 0)


def _demand(inquiry: Inquiry, refusal: Refusal, nearest: int, bounds: range) -> Demand:
    """Return the demand for the value of the range that ran before, else for the nearest one."""
    field, current = str(refusal.path[-1]), refusal.current
    reason = f"The API server refuses {field} {current} of `{refusal.name}`: {refusal.detail}"
    fix = Fix(
        title=f"set {field} of `{refusal.name}` to {nearest}",
        reason=f"{reason}. {nearest} is the nearest free value.",
        evidence=(refusal.evidence.id,),
        wants=(Want(refusal.application, refusal.manifest, refusal.path, nearest),),
        accepts=lambda old: isinstance(old, int) and old in bounds,
    )
    fix = next(earlier_values(inquiry.context(_ACTION), fix), fix)
    return Demand(
        rule="number_in_range",
        title=fix.title,
        reason=fix.reason,
        evidence=fix.evidence,
        words=(str(current), refusal.name),
        wants=fix.wants,
        predicts=(f"signal:{_SIGNAL}",),
    )
