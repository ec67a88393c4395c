"""Fields that cannot change: a refusal that prints both states tells the value that the cluster has.

The API server prints the difference of the two specs, `-` for what runs and `+` for what was applied. A field that the
desired state leaves out, though the object was made with it, gets the value that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.judgement.demands.demand import Demand, platform_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.world import Placed
from remediator.remedies.engine.case import Want

_OBJECT = re.compile(
    r'(?P<kind>[A-Z]\w+)(?:\.[\w.-]+)? \\?"(?P<name>[a-z0-9.-]+)\\?" is invalid: spec: Forbidden: [^\n]*immutable'
)
_LINE = re.compile(r'(?:^|\n|\s{2})(?P<sign>[-+])\s+(?P<field>[A-Z]\w+):\s+(?P<value>&?\\?"[^"\\\n]*\\?"|nil)(?=,)')
_CHANGED = re.compile(r"(?:\n|\s{2})[-+]\s+\S")
_BOUND_BY_CONTROLLER = frozenset({"VolumeName"})


def live_value_of_immutable_field(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield one demand where the refusal's difference is one field that the desired state does not set."""
    for piece in platform_evidence(inquiry):
        match = _OBJECT.search(piece.text)
        if match is None:
            continue
        text = piece.text[match.end() :]
        lines = list(_LINE.finditer(text))
        live = {line["field"]: line["value"] for line in lines if line["sign"] == "-"}
        applied = {line["field"]: line["value"] for line in lines if line["sign"] == "+"}
        if len(lines) != len(_CHANGED.findall(text)) or len(lines) != 2 or list(live) != list(applied):
            continue  # more changed than one scalar: which part of it is the fault is not told
        ((field, value),) = live.items()
        if value == "nil" or applied[field] != "nil" or field in _BOUND_BY_CONTROLLER:
            continue
        holders = [
            placed
            for placed in inquiry.world.of_kind(match["kind"])
            if placed.name == match["name"] and placed.application in inquiry.applications
        ]
        if len(holders) == 1:
            yield from _demand(piece, holders[0], field[0].lower() + field[1:], value.strip('&\\"'))


def _demand(piece: Evidence, placed: Placed, field: str, value: str) -> Iterator[Demand]:
    if not value or get(placed.body, ("spec", field)) is not MISSING:
        return
    yield Demand(
        rule="live_value_of_immutable_field",
        title=f"set {field} of `{placed.name}` to {value}, as it runs",
        reason=f"{field} of {placed.kind} `{placed.name}` is {value} in the cluster and cannot change; the desired state leaves it out.",
        evidence=(piece.id,),
        words=(placed.name, value),
        wants=(Want(placed.application, placed.manifest, ("spec", field), value),),
    )
