"""Older values of a field: a value that worked before is the best candidate for a fix.

The remedy decides which older values would end the incident (`Fix.accepts`); git says which ones there were. A field
that was already set back by its newest commit is left alone: somebody has mended it since.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, format_path, get
from remediator.gitops import Located, history
from remediator.gitops.history import ValueChange
from remediator.policy.leaves import documents
from remediator.remedies.engine.case import Fix, RemedyContext, Want

LOOK_BACK = 5
"""Number of changes of a value that are read from the history."""
_MAX_SHOWN = 60
"""Longer values are not repeated in a reason."""


def earlier_values(case: RemedyContext, fix: Fix) -> Iterator[Fix]:
    """Yield the same fix with the previous value, where the remedy accepts that one.

    Several fields are restored together, to the state before one commit, or not at all.
    """
    if fix.accepts is None or not fix.wants or not case.policies.actions["roll_back"].enabled:
        return
    candidates = [_acceptable_values(case, fix, want) for want in fix.wants]
    if not all(candidates):
        return
    newest = [values[0] for values in candidates]
    if len({change.commit for _, change in newest}) != 1:
        return
    wants = tuple(replace(want, value=value) for want, (value, _) in zip(fix.wants, newest, strict=True))
    change = newest[0][1]
    sentence = describe_change(change, fix.wants[0].path)
    yield replace(
        fix,
        title=_title(fix.wants[0], wants[0].value, change),
        reason=f"{sentence}. {_effect(wants[0].value)}",
        wants=wants,
        parameters={**fix.parameters, "to": _value_text(wants[0].value), "commit": change.commit[:10]},
        score=0.95,
        accepts=None,
        rollback=sentence,
    )


def _acceptable_values(case: RemedyContext, fix: Fix, want: Want) -> list[tuple[Any, ValueChange]]:
    """Return the older rendered values that the fix accepts, newest first, each with the change that replaced it."""
    located = case.repository.locate(want.application, want.manifest, want.path)
    current = get(want.manifest.body, want.path)
    values: list[tuple[Any, ValueChange]] = []
    for place in _existing(located):
        history_of_place = history.changes(case.repository.root, place, limit=LOOK_BACK)
        if any(change.old == place.value for change in history_of_place.changes[1:]):
            continue  # the newest change brought back an older value: it was mended since
        for change in history_of_place.changes:
            old = _rendered(place, current, change.old)
            if old is not MISSING:
                old = _with_other_parts(case, located, place, old, change)
            if old is MISSING and not was_added(case, place, change):
                continue
            if old != current and fix.accepts is not None and fix.accepts(old):
                values.append((old, change))
        if values:
            break
    return values


def _with_other_parts(case: RemedyContext, located: Located, first: Place, value: Any, change: ValueChange) -> Any:
    """Return the older value with what the same commit changed in the field's other places: an image's parts ran together."""
    for place in _existing(located):
        if place == first:
            continue
        changes = history.changes(case.repository.root, place, limit=LOOK_BACK).changes
        together = next((other for other in changes if other.commit == change.commit), None)
        if together is not None and together.old is not MISSING and str(value).count(str(place.value)) == 1:
            value = str(value).replace(str(place.value), str(together.old))
    return value


def is_added_lately(case: RemedyContext, want: Want) -> bool:
    """Return True where one of the last commits added the field to an object that ran without it."""
    return any(change.old is MISSING and was_added(case, place, change) for place, change in _late_changes(case, want))


def is_changed_lately(case: RemedyContext, want: Want) -> bool:
    """Return True where one of the last commits gave the field another value than it had."""
    return any(change.old is not MISSING for _, change in _late_changes(case, want))


def _late_changes(case: RemedyContext, want: Want) -> Iterator[tuple[Place, ValueChange]]:
    """Yield the places of a field, each with its newest change where one of the last commits made it."""
    located = case.repository.locate(want.application, want.manifest, want.path)
    recent = {commit.commit for commit in history.recent(case.repository.root, until=case.diagnosis.first_seen)}
    for place in _existing(located):
        newest = history.changes(case.repository.root, place, limit=1).changes
        if newest and newest[0].commit in recent:
            yield place, newest[0]


def was_added(case: RemedyContext, place: Place, change: ValueChange) -> bool:
    """Return True where the commit added the value to an object that already existed.

    A value that was added with its whole object has no earlier state to go back to.
    """
    bodies = documents(history.file_at(case.repository.root, f"{change.commit}^", change.file))
    if not bodies or place.document >= len(bodies):
        return False
    items = [index for index, step in enumerate(place.path[:-1]) if isinstance(step, int)]
    return get(bodies[place.document], place.path[: items[-1] + 1 if items else 0]) not in (MISSING, None)


def _existing(located: Located) -> list[Place]:
    return [place for place in located.places if place.exists] if located.status == "located" else []


def _rendered(place: Place, current: Any, old: Any) -> Any:
    """Return the rendered field as it was with the older text at the place."""
    if old is MISSING or not isinstance(current, str) or str(place.value) == current:
        return old
    part = str(place.value)
    if part and current.count(part) == 1:
        return current.replace(part, str(old))
    return old


def describe_change(change: ValueChange, path: tuple[str | int, ...]) -> str:
    """Return one sentence that tells a person when and how the value was changed."""
    field = _field_name(path)
    verb = "added" if change.old is MISSING else "removed" if change.new is MISSING else "changed"
    values = f" from {_value_text(change.old)} to {_value_text(change.new)}" if verb == "changed" else ""
    return f"{field} was {verb}{values} by {change.commit[:7]} ({change.subject!r}, {change.when[:10]})"


def _title(want: Want, value: Any, change: ValueChange) -> str:
    field = _field_name(want.path)
    name = want.manifest.name
    if value is MISSING:
        return f"remove {field} of `{name}`, which {change.commit[:7]} added"
    return f"restore {field} of `{name}` to {_value_text(value)}"


def _effect(value: Any) -> str:
    """Return the sentence that tells what the fix does with the field."""
    if value is MISSING:
        return "The fix removes it again."
    text = "" if isinstance(value, dict | list) or len(str(value)) > _MAX_SHOWN else f", {value}"
    return f"The fix restores the previous value{text}."


def _field_name(path: tuple[str | int, ...]) -> str:
    """Return the field as people call it (`limits.memory`, `image`), without a list index in front of it."""
    tail = path[-2:] if isinstance(path[-1], str) else path[-3:]
    return format_path(tail[1:] if isinstance(tail[0], int) else tail)


def _value_text(value: Any) -> str:
    return "absent" if value is MISSING else str(value)
