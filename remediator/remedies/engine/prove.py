"""Prove a fix: locate it, edit the files, render them, compare, validate, and check the policy.

A fix that fails one of these steps is no proposal. The comparison is of rendered objects, because only they show
what a change of values, of a patch or of a shared base really does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain import quantities
from remediator.domain.change import Edit, Place, Proposal
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get
from remediator.errors import ConfigError
from remediator.gitops import ObjectChange, Repository
from remediator.gitops.change.generated_names import is_follow_up
from remediator.policy.guard import FileChange, check_changes
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.effects import EffectRuling, judge_effect
from remediator.remedies.engine.own_block import own_block, own_layer
from remediator.remedies.engine.own_literal import own_literal
from remediator.remedies.engine.refusals import check_cause
from remediator.remedies.engine.unprovable import Unprovable
from remediator.yamledit import EditRefused

_SHARED = "the same value also sets"
"""The note of a place whose value feeds other fields of the Application too."""


@dataclass(frozen=True)
class Proof:
    """A proved fix: the proposal, what it changes in the rendered objects, and the checkout after it."""

    proposal: Proposal
    differences: tuple[ObjectChange, ...]
    files: Mapping[str, bytes | None]


def prove(case: RemedyContext, fix: Fix) -> Proposal:
    """Return the proposal for a fix; raise `Unprovable` with the reason where it cannot be made."""
    return proof_of(case, fix).proposal


def proof_of(case: RemedyContext, fix: Fix) -> Proof:
    """Return the proposal for a fix with what proves it; raise `Unprovable` where it cannot be made."""
    check_cause(case, fix)
    _check_bounds(case, fix)
    places, edits = list(fix.places), list(fix.edits)
    for want in fix.wants:
        place, want_edits = _edits_for(case.repository, want)
        if not fix.rollback and (layer := _own_layer(case, want, place, want_edits)):
            place, want_edits = layer
        if any(_SHARED in note for note in place.notes) and (own := own_block(case, want, place)):
            place, want_edits = own[0], [own[1]]
        places.append(place)
        edits += [edit for edit in want_edits if edit not in edits]
    if not edits:
        raise Unprovable(f"{fix.title}: nothing would change")
    if case.policies.locating.shared_places == "refuse":
        shared = sorted({name for place in places for name in place.also_feeds})
        if shared:
            raise Unprovable(f"{fix.title}: the place also feeds {', '.join(shared)} (locating.shared_places: refuse)")
    files = _apply(case.repository, edits, fix)
    if not files:
        raise Unprovable(f"{fix.title}: nothing would change")
    after, differences = _check_rendering(case, fix, places, files)
    _guard(case, files)
    ruling = judge_effect(case, fix, after, differences, files)
    proposal = Proposal(
        id=case.action.id,
        action=case.action.id,
        title=fix.title,
        parameters=dict(fix.parameters),
        reason=fix.reason,
        evidence_ids=fix.evidence,
        places=tuple(places),
        edits=tuple(edits),
        risk="high" if ruling.hardening else case.action.risk,
        score=fix.score,
        rendered=tuple(_line(change) for change in differences[:40]),
        remade=_remade(differences),
        history=(fix.rollback,) if fix.rollback else (),
        policy=_policy_words(case, ruling),
        weakens=ruling.weakens,
        on_request=ruling.on_request,
    )

    return Proof(proposal, tuple(differences), files)


def _check_bounds(case: RemedyContext, fix: Fix) -> None:
    """Raise where a value is outside the policy's bounds, also where it is an older value from the history."""
    bounds = case.action.bounds
    low, high = quantities.parse(bounds.minimum or None), quantities.parse(bounds.maximum or None)
    for want in fix.wants:
        amount = None if want.value is MISSING else quantities.parse(want.value)
        if amount is None:
            continue
        if high is not None and amount > high:
            raise Unprovable(
                f"{fix.title}: {want.value} would exceed the maximum of {bounds.maximum} ({case.action.id})"
            )
        if low is not None and amount < low:
            raise Unprovable(f"{fix.title}: {want.value} is below the minimum of {bounds.minimum} ({case.action.id})")


def _edits_for(repository: Repository, want: Want) -> tuple[Place, list[Edit]]:
    field = f"{want.manifest.kind} {want.manifest.name} {format_path(want.path)}"
    located = repository.locate(want.application, want.manifest, want.path)
    if located.status not in ("located", "insert") and (place := _beside_sibling(repository, want)) is not None:
        return place, [_edit(place, want.value)]
    if located.status not in ("located", "insert"):
        options = ", ".join(f"{place.file}:{format_path(place.path)}" for place in located.candidates[:4])
        raise Unprovable(f"{field}: {located.reason or 'cannot be located'}{f' ({options})' if options else ''}")
    current = get(want.manifest.body, want.path)
    for place in located.places:
        if (added := _added(current, want.value)) and place.exists and isinstance(place.value, list):
            return place, [_edit(place, item).model_copy(update={"op": "append"}) for item in added]
        value = _source_value(place, current, want.value)
        if value is not _NOT_INVERTIBLE:
            return place, [_edit(place, value)]
    raise Unprovable(
        f"{field}: its value is made of several parts in {located.places[0].file}, and no single one of them can give it"
    )


def _beside_sibling(repository: Repository, want: Want) -> Place | None:
    """Return the place of a new key beside one of the same mapping, which a chart may copy as a whole.

    That the new key reaches the object is proved by rendering, as for every other edit.
    """
    if not isinstance(want.path[-1], str) or get(want.manifest.body, want.path) is not MISSING:
        return None
    mapping = get(want.manifest.body, want.path[:-1])
    for key in mapping if isinstance(mapping, dict) else ():
        located = repository.locate(want.application, want.manifest, (*want.path[:-1], key))
        for place in located.places if located.status == "located" else ():
            if place.exists and not place.inside and place.path[-1:] == (key,):
                path = (*place.path[:-1], want.path[-1])
                return place.model_copy(update={"path": path, "value": None, "exists": False})
    return None


def _own_layer(case: RemedyContext, want: Want, place: Place, edits: Sequence[Edit]) -> tuple[Place, list[Edit]] | None:
    """Return the same edit in the Application's own values or overlay, where the place is a text that others read too.

    None where one of those others is in the evidence: then the text itself is at fault.
    """
    if len(edits) != 1 or edits[0].op != "set" or not place.also_feeds:
        return None
    value = edits[0].value
    if any(case.mentions(name) for name in place.also_feeds):
        return None
    if (literal := own_literal(case, want, place, value)) is not None:
        return literal[0], [literal[1]]
    candidates = case.repository.locate(want.application, want.manifest, want.path).candidates
    own = own_layer(case, want, place, candidates, value)
    return (own[0], [own[1]]) if own else None


_NOT_INVERTIBLE: Any = object()


def _added(current: Any, new: Any) -> list[Any]:
    """Return the items that the new list has after all items of the current one; none where it differs otherwise."""
    if isinstance(current, list) and isinstance(new, list) and new[: len(current)] == current:
        return new[len(current) :]
    return []


def _source_value(place: Place, current: Any, expected: Any) -> Any:
    """Return the text for the place that makes the rendered field `expected`.

    That is the value itself in most cases; where the place has only a part of it (an image's tag), that part.
    """
    if expected is MISSING:
        return MISSING
    if not place.exists or place.value is None or isinstance(expected, dict | list) or str(place.value) == str(current):
        return _typed(place.value, expected) if place.exists else expected
    part, rendered, new = str(place.value), str(current), str(expected)
    if part.endswith(f"={rendered}"):  # a literal of a generator: the text holds the key too
        return f"{part.removesuffix(rendered)}{new}"
    at = rendered.find(part)
    while part and at >= 0:
        front, back = rendered[:at], rendered[at + len(part) :]
        if new.startswith(front) and new.endswith(back) and len(new) >= len(front) + len(back):
            inner = new[len(front) : len(new) - len(back)]
            if inner and inner != part:
                return _typed(place.value, inner)
        at = rendered.find(part, at + 1)
    if not isinstance(current, str) or part not in rendered:
        return expected if _same_type(place.value, current) else _NOT_INVERTIBLE
    return _NOT_INVERTIBLE


def _typed(old: Any, new: Any) -> Any:
    """Return the new value in the type of the old one where that is possible: a quoted "8080" stays a string."""
    if isinstance(old, str) and isinstance(new, int | float) and not isinstance(new, bool):
        return str(new)
    if isinstance(old, int) and not isinstance(old, bool) and isinstance(new, str) and new.isdigit():
        return int(new)
    return new


def _same_type(a: Any, b: Any) -> bool:
    return isinstance(a, type(b)) or isinstance(b, type(a))


def _edit(place: Place, value: Any) -> Edit:
    position = {"file": place.file, "document": place.document, "path": place.path, "inside": place.inside}
    if value is MISSING:
        return Edit(op="delete", **position)
    return Edit(op="set" if place.exists else "insert", value=value, **position)


def _apply(repository: Repository, edits: Sequence[Edit], fix: Fix) -> dict[str, bytes | None]:
    try:
        return changes(edits, repository.read)
    except EditRefused as error:
        raise Unprovable(f"{fix.title}: the edit was refused: {error}") from error


def _check_rendering(
    case: RemedyContext, fix: Fix, places: Sequence[Place], files: Mapping[str, bytes | None]
) -> tuple[Repository, Sequence[ObjectChange]]:
    repository = case.repository
    after = repository.with_changes(files)
    if problems := repository.validate(after):
        raise Unprovable(f"{fix.title}: the result is not valid: {problems[0].message}")
    differences = repository.difference(after)
    shared = {place_name for place in places for place_name in place.also_feeds}
    touched = {want.application.name for want in fix.wants} | {app.name for app in fix.applications} | shared
    touched |= _generated(fix, repository, after)
    for change in differences:
        if change.application not in touched:
            raise Unprovable(f"{fix.title}: it would change {change.application} too")
        if change.scope == "failure" and change.after is not MISSING and change.after:
            raise Unprovable(f"{fix.title}: {change.application} would no longer render: {change.after}")
    for change in differences:
        _check_maximum(case, fix, change)
    for want in fix.wants:
        _check_want(want, differences, fix)
    return after, differences


def _generated(fix: Fix, *states: Repository) -> set[str]:
    """Return the Applications that an ApplicationSet generates before and after it is changed itself."""
    sets = {want.manifest.file for want in fix.wants if want.manifest.kind == "ApplicationSet"}
    return {
        app.name for state in states for app in state.applications if app.kind == "ApplicationSet" and app.file in sets
    }


def _remade(differences: Sequence[ObjectChange]) -> tuple[str, ...]:
    names = (
        f"{change.kind}/{change.name}"
        for change in differences
        if change.path[:2] == ("spec", "template") and change.kind not in _OTHER_TEMPLATES
    )
    return tuple(dict.fromkeys(names))[:40]


_OTHER_TEMPLATES = frozenset({"ApplicationSet", "ExternalSecret", "CertificateRequest", "SealedSecret", "PodTemplate"})
"""Kinds whose `spec.template` makes no pods."""
_RAISED_BY: Mapping[tuple[str, ...], str] = {
    ("limits", "memory"): "raise_memory_limit",
    ("limits", "cpu"): "raise_cpu_limit",
}


def _check_maximum(case: RemedyContext, fix: Fix, change: ObjectChange) -> None:
    """Raise where a field exceeds the maximum of the action that owns it, whichever action sets it."""
    action = case.policies.actions.get(_RAISED_BY.get(tuple(map(str, change.path[-2:])), ""))
    high = quantities.parse(action.bounds.maximum or None) if action else None
    amount = None if change.after is MISSING else quantities.parse(change.after)
    old_amount = None if change.before is MISSING else quantities.parse(change.before)
    if (
        action
        and high is not None
        and amount is not None
        and amount > high
        and (old_amount is None or amount > old_amount)
    ):
        raise Unprovable(
            f"{fix.title}: {change.after} would exceed the maximum of {action.bounds.maximum} ({action.id})"
        )


def _check_want(want: Want, differences: Sequence[ObjectChange], fix: Fix) -> None:
    own_changes = [change for change in differences if change.application == want.application.name]
    if not own_changes and want.manifest.tracked == "unseen":
        return  # nothing is rendered here: the place was matched by the value that the evidence shows
    if not own_changes:
        raise Unprovable(f"{fix.title}: the edit does not reach the rendered {want.manifest.kind} {want.manifest.name}")
    prefixes = {_plain(sibling.path) for sibling in fix.wants}
    for change in own_changes:
        path = _plain(change.path)
        inside = any(path[: len(prefix)] == prefix or prefix[: len(path)] == path for prefix in prefixes)
        if change.scope != "field" or not (inside or _derived(change)):
            raise Unprovable(
                f"{fix.title}: it would also change {change.kind} {change.name} {format_path(change.path)}"
            )


def _plain(path: YamlPath) -> YamlPath:
    return tuple(path)


def _derived(change: ObjectChange) -> bool:
    """Return True for a checksum or a name that a chart or kustomize computes, which changes with the contents."""
    if is_follow_up(change.before, change.after):
        return True
    text = format_path(change.path).lower()
    return "checksum" in text or ("annotations" in text and "hash" in text)


def _line(change: ObjectChange) -> str:
    old = "absent" if change.before is MISSING else change.before
    after = "absent" if change.after is MISSING else change.after
    position = f" {format_path(change.path)}" if change.path else ""
    return f"{change.application}: {change.kind}/{change.name}{position}: {old} → {after}"


def _guard(case: RemedyContext, files: Mapping[str, bytes | None]) -> None:
    texts = {name: _read(case.repository, name) for name in files}
    ruling = check_changes(
        {name: FileChange(before=texts[name], after=after) for name, after in files.items()}, case.policies.guardrails
    )
    if not ruling.allowed:
        raise Unprovable(f"the guardrails say no: {'; '.join(ruling.reasons)}")


def _read(repository: Repository, file: str) -> bytes | None:
    try:
        return repository.read(file)
    except ConfigError:
        return None


def _policy_words(case: RemedyContext, ruling: EffectRuling) -> tuple[str, ...]:
    bounds = case.action.bounds
    limits = [
        f"≤ {bounds.max_factor:g} ×" if bounds.max_factor else "",
        f"≤ {bounds.maximum}" if bounds.maximum else "",
    ]
    within = ", ".join(filter(None, limits))
    merge = "may merge by itself" if case.action.auto_merge and not ruling.weakens else "no auto-merge"
    lowered = [f"weakens: {sentence}" for sentence in ruling.weakens]
    grounds = ["only on request: a person must ask for this weakening"] if ruling.on_request else ruling.grounds
    return (f"within `{case.action.id}`{f' ({within})' if within else ''}", merge, *lowered, *grounds)
