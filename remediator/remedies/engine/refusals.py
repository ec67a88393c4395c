"""Refusals before anything is located: a fix without a cause in the evidence, and faults that no text can end."""

from __future__ import annotations

import re
from collections.abc import Mapping

from remediator.domain.yaml_paths import MISSING, YamlPath, get, leaves, parse_path
from remediator.gitops import Manifest
from remediator.policy.models import ANY_INCIDENT
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.unprovable import Unprovable

_FORBIDDEN = re.compile(r"(?P<field>[a-z]\w*(?:\.[\w-]+|\[\d+\])+): Forbidden: (?P<why>may not be (?:used|set)[^\n]*)")

_BEFORE = "BeforeHookCreation"
_SYNC_HOOKS = frozenset({"PreSync", "Sync", "PostSync"})
_NODE_COUNTS = re.compile(r"(\d+) ((?:node\(s\) |Insufficient |Too many )[^,.]+)")
"""The scheduler's reasons, each with the number of nodes that it holds for."""


def check_cause(case: RemedyContext, fix: Fix) -> None:
    """Raise where a fix cites nothing that its action ends, or where the live object is in the way of every fix."""
    ends = set(case.action.ends)
    cited = [piece for piece in case.diagnosis.evidence if piece.id in fix.evidence]
    if not any(piece.signal in ends or f"category:{piece.category}" in ends for piece in cited) and not (
        cited and (ANY_INCIDENT in ends or f"category:{case.diagnosis.category}" in ends)
    ):
        raise Unprovable(f"{fix.title}: no evidence shows what `{case.action.id}` ends")
    if _replaces_live_object(fix):
        return
    if reason := live_object_in_the_way(case) or cordoned_nodes(case):
        raise Unprovable(reason)


def _replaces_live_object(fix: Fix) -> bool:
    """Return True where the fix tells Argo CD to delete the live object and make it anew with each sync."""
    pairs = [(want.path, want.value) for want in fix.wants]
    pairs += [(edit.inside or edit.path, edit.value) for edit in fix.edits]
    set_to = {str(step): str(value) for path, value in pairs for step, value in _last_steps(path, value)}
    if any("Force=true" in str(value) and "Replace=true" in str(value) for _, value in pairs):
        return True
    # A hook without a policy of its own is deleted before the next one is made, too.
    policy = set_to.get("argocd.argoproj.io/hook-delete-policy", _BEFORE)
    return set_to.get("argocd.argoproj.io/hook") in _SYNC_HOOKS and _BEFORE in policy


def _last_steps(path: YamlPath, value: object) -> list[tuple[object, object]]:
    """Return the key that is set with its value, and those of a mapping that is set as a whole."""
    inner = [(path, value)] if not isinstance(value, Mapping) else [((*path, *at), leaf) for at, leaf in leaves(value)]
    return [(steps[-1], leaf) for steps, leaf in inner if steps]


def cordoned_nodes(case: RemedyContext) -> str:
    """Return why no text ends the fault where most nodes take no pod at all: somebody cordoned them; else nothing."""
    for piece in case.diagnosis.evidence:
        counts = {words: int(count) for count, words in _NODE_COUNTS.findall(piece.facts.get("unschedulable", ""))}
        cordoned = counts.get("node(s) were unschedulable", 0)
        if cordoned > sum(counts.values()) - cordoned:
            return f"{cordoned} of {piece.facts.get('nodes', sum(counts.values()))} nodes are cordoned: uncordon them, or add nodes"
    return ""


def live_object_in_the_way(case: RemedyContext) -> str:
    """Return why no text ends the fault, where it lies in what runs and not in the repository; else nothing."""
    for piece in case.diagnosis.evidence:
        kind, name = piece.facts.get("invalid_kind", ""), piece.facts.get("invalid_name", "")
        rendered = _rendered(case, kind, name)
        if rendered is None:
            continue
        if kind == "Job" and piece.signal == "field_immutable":
            return (
                f"Job `{name}` has run, and its template cannot change: delete it once, or give it the annotation"
                " `argocd.argoproj.io/sync-options: Force=true,Replace=true` so that each sync replaces it"
            )
        for refusal in _FORBIDDEN.finditer(piece.text):
            if get(rendered.body, _steps(refusal["field"])) is MISSING:
                return (
                    f"{kind} `{name}` has no {refusal['field']} in this repository, so the live object has it:"
                    " replace the live object once"
                )
    return ""


def _rendered(case: RemedyContext, kind: str, name: str) -> Manifest | None:
    """Return the one object of that kind and name among the culprit's Applications; None where it is not there."""
    if not kind or not name:
        return None
    names = {target.application.name for target in case.targets} | {case.diagnosis.subject.application}
    objects = [
        manifest
        for application in case.repository.applications
        if application.name in names
        for manifest in case.repository.objects(application)
        if (manifest.kind, manifest.name) == (kind, name)
    ]
    return objects[0] if len(objects) == 1 else None


def _steps(field: str) -> tuple[str | int, ...]:
    return tuple(step for step in parse_path(field) if isinstance(step, str | int))
