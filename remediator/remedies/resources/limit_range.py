"""Limit ranges that refuse a pod or a claim.

The refusal names the bound and the value that it compared. A value is set to the bound only where the repository has the
compared value: otherwise the repository was changed since.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import claims

_EDGE = re.compile(
    r"(?P<edge>minimum|maximum) (?P<resource>[\w./-]+) usage per (?P<type>Container|Pod|PersistentVolumeClaim) is (?P<bound>[0-9.]+[A-Za-z]*?)"
    r"(?:, but (?P<which>limit|request) is (?P<got>[0-9.]+[A-Za-z]*)|\.\s+No (?P<absent>limit|request) is specified)"
)
_RATIO = re.compile(
    r"(?P<resource>cpu|memory) max limit to request ratio per (?:Container|Pod) is (?P<bound>[0-9.]+), but provided ratio is (?P<got>[0-9.]+)"
)
"""Both messages come from the LimitRanger (plugin/pkg/admission/limitranger)."""

Change = tuple[YamlPath, str]


def fit_limit_range(case: RemedyContext) -> Iterator[Fix]:
    """Set the refused request or limit to the bound, and its counterpart where the two would contradict."""
    for piece in case.signals(*case.action.ends):
        if (
            "PersistentVolumeClaim" in piece.text
            and (match := _EDGE.search(piece.text))
            and match["type"] == "PersistentVolumeClaim"
        ):
            yield from _claim_fix(case, piece, match)
            continue
        for target in case.targets:
            changes, settings, ids = _changes(target, piece)
            if not changes:
                continue
            text = ", ".join(settings)
            yield Fix(
                title=f"fit `{target.manifest.name}` into the namespace's limits: {text}",
                reason=f"A limit range refuses the pod; {text} is the nearest value that it admits.",
                evidence=case.cite(piece),
                wants=tuple(Want.of(target, path, value) for path, value in changes.items()),
                parameters={"to": text, "containers": ", ".join(ids)},
                score=0.7,
                accepts=_accepts_within(changes, below="maximum" in piece.text) if len(changes) == 1 else None,
            )


def _accepts_within(changes: dict[YamlPath, str], *, below: bool) -> Callable[[Any], bool]:
    """Return a check that accepts an older value on the admitted side of the bound."""
    bound = quantities.parse(next(iter(changes.values())))

    def accepts(old: Any) -> bool:
        amount = quantities.parse(old) if old is not MISSING else None
        return amount is not None and bound is not None and (amount <= bound if below else amount >= bound)

    return accepts


def _changes(target: Match, piece: Evidence) -> tuple[dict[YamlPath, str], list[str], list[str]]:
    """Return path → value for all complaints of a message, the settings in words and the containers.

    The result is empty where one of the complaints cannot be met.
    """
    changes: dict[YamlPath, str] = {}
    settings: list[str] = []
    names: list[str] = []
    complaints = [*_EDGE.finditer(piece.text), *_RATIO.finditer(piece.text)]
    for complaint in dict.fromkeys(complaints):
        values = list(_bounded_values(target, complaint))
        if not values:
            return {}, [], []
        for path, value, name in values:
            changes[path] = value
            settings.append(f"{path[-2]}.{path[-1]} {value}")
            names.append(name)
    return changes, list(dict.fromkeys(settings)), list(dict.fromkeys(names))


def _bounded_values(target: Match, complaint: re.Match[str]) -> Iterator[tuple[YamlPath, str, str]]:
    containers = [(body, path) for body, path, _ in target.manifest.containers()]
    groups = complaint.groupdict()
    if groups.get("type") == "Pod" and len(containers) != 1:
        return
    resource, bound = complaint["resource"], quantities.parse(complaint["bound"])
    for body, path in containers:
        request, limit = get(body, ("resources", "requests", resource)), get(body, ("resources", "limits", resource))
        name = str(body.get("name", ""))
        if "edge" not in groups:
            yield from (
                (field_path, value, name) for field_path, value in _ratio(path, resource, request, limit, complaint)
            )
            continue
        side = {"limit": "limits", "request": "requests"}[groups.get("which") or groups["absent"] or ""]
        current = limit if side == "limits" else request
        if groups.get("absent"):
            if current is MISSING and bound is not None:
                yield (*path, "resources", side, resource), complaint["bound"], name
            continue
        if bound is None or current is MISSING or quantities.parse(current) != quantities.parse(complaint["got"]):
            continue
        yield (*path, "resources", side, resource), complaint["bound"], name
        other_side, counterpart = ("requests", request) if side == "limits" else ("limits", limit)
        amount = quantities.parse(counterpart) if counterpart is not MISSING else None
        if amount is not None and (
            (complaint["edge"] == "maximum" and other_side == "requests" and amount > bound)
            or (complaint["edge"] == "minimum" and other_side == "limits" and amount < bound)
        ):
            yield (*path, "resources", other_side, resource), complaint["bound"], name


def _ratio(path: YamlPath, resource: str, request: Any, limit: Any, complaint: re.Match[str]) -> Iterator[Change]:
    """Yield a higher request that meets the maximum ratio; the limit stays, since the program may need it."""
    maximum, ratio = Decimal(complaint["bound"]), Decimal(complaint["got"])
    request_amount, limit_amount = (
        quantities.parse(request) if request is not MISSING else None,
        quantities.parse(limit) if limit is not MISSING else None,
    )
    if (
        not request_amount
        or not limit_amount
        or not maximum
        or abs(limit_amount / request_amount - ratio) > Decimal("0.01") * ratio
    ):
        return
    minimum = limit_amount / maximum
    value = (
        quantities.cores_like(minimum, str(request))
        if resource == "cpu"
        else quantities.bytes_like(minimum, str(request))
    )
    yield (*path, "resources", "requests", resource), value


def _claim_fix(case: RemedyContext, piece: Evidence, complaint: re.Match[str]) -> Iterator[Fix]:
    """Set the size of a claim to the bound that the namespace admits."""
    refusal = re.search(r'persistentvolumeclaims? \\?"(?P<name>[a-z0-9.-]+)\\?" is forbidden', piece.text)
    name = refusal["name"] if refusal else piece.subject.name if piece.subject.kind == "PersistentVolumeClaim" else ""
    for claim in claims(case, piece.subject.model_copy(update={"name": name})) if name else []:
        current = claim.get("resources", "requests", "storage")
        if current is MISSING or quantities.parse(current) != quantities.parse(complaint["got"]):
            continue
        yield Fix(
            title=f"ask for {complaint['bound']} in claim `{claim.name}` instead of {current}",
            reason=f"The namespace's limit range has a {complaint['edge']} of {complaint['bound']} for a claim, and `{claim.name}` asks for {current}.",
            evidence=case.cite(piece),
            wants=(Want.of(claim, (*claim.path, "resources", "requests", "storage"), complaint["bound"]),),
            parameters={"claim": claim.name, "from": str(current), "to": complaint["bound"]},
            score=0.7,
        )
