"""Limit ranges that refuse a pod or a claim: the nearest value that they admit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine import quantities
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import claims

_EDGE = re.compile(
    r"(?P<edge>minimum|maximum) (?P<resource>[\w./-]+) usage per (?P<type>Container|Pod|PersistentVolumeClaim) is (?P<bound>[0-9.]+[A-Za-z]*?)"
    r"(?:, but (?P<which>limit|request) is (?P<got>[0-9.]+[A-Za-z]*)|\.\s+No (?P<absent>limit|request) is specified)"
)
_RATIO = re.compile(
    r"(?P<resource>cpu|memory) max limit to request ratio per (?:Container|Pod) is (?P<bound>[0-9.]+), but provided ratio is (?P<got>[0-9.]+)"
)
"""Both sentences are the LimitRanger's (plugin/pkg/admission/limitranger)."""

Change = tuple[YamlPath, str]


def fit_limit_range(case: RemedyContext) -> Iterator[Fix]:
    """Move the refused request or limit to the bound, and its counterpart along where it would contradict."""
    for one in case.signals(*case.action.ends):
        if (
            "PersistentVolumeClaim" in one.text
            and (found := _EDGE.search(one.text))
            and found["type"] == "PersistentVolumeClaim"
        ):
            yield from _claim(case, one, found)
            continue
        for target in case.targets:
            changes, said, ids = _changes(target, one)
            if not changes:
                continue
            text = ", ".join(said)
            yield Fix(
                title=f"fit `{target.manifest.name}` into the namespace's limits: {text}",
                reason=f"A limit range refuses the pod; {text} is the nearest that it admits.",
                evidence=case.cite(one),
                wants=tuple(Want(target.application, target.manifest, path, value) for path, value in changes.items()),
                parameters={"to": text, "containers": ", ".join(ids)},
                score=0.7,
                accepts=_admits(changes, below="maximum" in one.text) if len(changes) == 1 else None,
            )


def _admits(changes: dict[YamlPath, str], *, below: bool) -> Callable[[Any], bool]:
    """An older value would do where it lies on the admitted side of the bound."""
    bound = quantities.parse(next(iter(changes.values())))

    def accepts(old: Any) -> bool:
        amount = quantities.parse(old) if old is not MISSING else None
        return amount is not None and bound is not None and (amount <= bound if below else amount >= bound)

    return accepts


def _changes(target: Match, one: Evidence) -> tuple[dict[YamlPath, str], list[str], list[str]]:
    """Path → value for all complaints of one message, with the words for them; nothing where one of them cannot be met."""
    changes: dict[YamlPath, str] = {}
    said: list[str] = []
    names: list[str] = []
    complaints = [*_EDGE.finditer(one.text), *_RATIO.finditer(one.text)]
    for found in dict.fromkeys(complaints):
        own = list(_answer(target, found))
        if not own:
            return {}, [], []
        for path, value, name in own:
            changes[path] = value
            said.append(f"{path[-2]}.{path[-1]} {value}")
            names.append(name)
    return changes, list(dict.fromkeys(said)), list(dict.fromkeys(names))


def _answer(target: Match, found: re.Match[str]) -> Iterator[tuple[YamlPath, str, str]]:
    containers = [(body, path) for body, path, _ in target.manifest.containers()]
    groups = found.groupdict()
    if groups.get("type") == "Pod" and len(containers) != 1:
        return
    resource, bound = found["resource"], quantities.parse(found["bound"])
    for body, path in containers:
        request, limit = get(body, ("resources", "requests", resource)), get(body, ("resources", "limits", resource))
        name = str(body.get("name", ""))
        if "edge" not in groups:
            yield from ((where, value, name) for where, value in _ratio(path, resource, request, limit, found))
            continue
        side = {"limit": "limits", "request": "requests"}[groups.get("which") or groups["absent"] or ""]
        present = limit if side == "limits" else request
        if groups.get("absent"):
            if present is MISSING and bound is not None:
                yield (*path, "resources", side, resource), found["bound"], name
            continue
        if bound is None or present is MISSING or quantities.parse(present) != quantities.parse(found["got"]):
            continue
        yield (*path, "resources", side, resource), found["bound"], name
        other, counterpart = ("requests", request) if side == "limits" else ("limits", limit)
        amount = quantities.parse(counterpart) if counterpart is not MISSING else None
        if amount is not None and (
            (found["edge"] == "maximum" and other == "requests" and amount > bound)
            or (found["edge"] == "minimum" and other == "limits" and amount < bound)
        ):
            yield (*path, "resources", other, resource), found["bound"], name


def _ratio(path: YamlPath, resource: str, request: Any, limit: Any, found: re.Match[str]) -> Iterator[Change]:
    """A limit at most so many times the request: the request rises, since the program was given that limit to use."""
    most, got = Decimal(found["bound"]), Decimal(found["got"])
    asked, capped = (
        quantities.parse(request) if request is not MISSING else None,
        quantities.parse(limit) if limit is not MISSING else None,
    )
    if not asked or not capped or not most or abs(capped / asked - got) > Decimal("0.01") * got:
        return
    least = capped / most
    value = (
        quantities.cores_like(least, str(request)) if resource == "cpu" else quantities.bytes_like(least, str(request))
    )
    yield (*path, "resources", "requests", resource), value


def _claim(case: RemedyContext, one: Evidence, found: re.Match[str]) -> Iterator[Fix]:
    """A claim that is larger or smaller than the namespace admits."""
    asked = re.search(r'persistentvolumeclaims? \\?"(?P<name>[a-z0-9.-]+)\\?" is forbidden', one.text)
    name = asked["name"] if asked else one.subject.name if one.subject.kind == "PersistentVolumeClaim" else ""
    for claim in claims(case, one.subject.model_copy(update={"name": name})) if name else []:
        present = claim.get("resources", "requests", "storage")
        if present is MISSING or quantities.parse(present) != quantities.parse(found["got"]):
            continue
        yield Fix(
            title=f"ask for {found['bound']} in claim `{claim.name}` instead of {present}",
            reason=f"The namespace's limit range has a {found['edge']} of {found['bound']} for a claim, and `{claim.name}` asks for {present}.",
            evidence=case.cite(one),
            wants=(
                Want(
                    claim.application, claim.manifest, (*claim.path, "resources", "requests", "storage"), found["bound"]
                ),
            ),
            parameters={"claim": claim.name, "from": str(present), "to": found["bound"]},
            score=0.7,
        )
