"""Older values of a wanted field: what worked before is the strongest candidate there is."""

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
"""How many changes of the value are considered."""


def earlier_values(case: RemedyContext, fix: Fix) -> Iterator[Fix]:
    """The same fix with the value that stood there before, where the remedy says that one would do.

    Several wanted fields go back together, to before the same commit, or not at all.
    """
    if fix.accepts is None or not fix.wants or not case.policies.actions["roll_back"].enabled:
        return
    pasts = [_past(case, fix, want) for want in fix.wants]
    if not all(pasts):
        return
    firsts = [past[0] for past in pasts]
    if len({change.commit for _, change in firsts}) != 1:
        return
    wants = tuple(replace(want, value=value) for want, (value, _) in zip(fix.wants, firsts, strict=True))
    change = firsts[0][1]
    said = describe_change(change, fix.wants[0].path)
    yield replace(
        fix,
        title=_title(fix.wants[0], wants[0].value, change),
        reason=f"{said}. The evidence points at just this value, so what stood there before is restored.",
        wants=wants,
        parameters={**fix.parameters, "to": _word(wants[0].value), "commit": change.commit[:10]},
        score=0.95,
        accepts=None,
        rollback=said,
    )


def _past(case: RemedyContext, fix: Fix, want: Want) -> list[tuple[Any, ValueChange]]:
    """Older rendered values that the fix accepts, newest first, with the change that ended each."""
    located = case.repository.locate(want.application, want.manifest, want.path)
    present = get(want.manifest.body, want.path)
    found: list[tuple[Any, ValueChange]] = []
    for place in _existing(located):
        past = history.changes(case.repository.root, place, limit=LOOK_BACK)
        if any(change.old == place.value for change in past.changes[1:]):
            continue  # the newest change brought back an older value: it was mended since
        for change in past.changes:
            old = _rendered(place, present, change.old)
            if old is MISSING and not _grew(case, place, change):
                continue
            if old != present and fix.accepts is not None and fix.accepts(old):
                found.append((old, change))
        if found:
            break
    return found


def _grew(case: RemedyContext, place: Place, change: ValueChange) -> bool:
    """Whether the commit added the value to what was there before; what came with its whole object never lacked it."""
    before = documents(history.file_at(case.repository.root, f"{change.commit}^", change.file))
    if not before or place.document >= len(before):
        return False
    items = [index for index, step in enumerate(place.path[:-1]) if isinstance(step, int)]
    return get(before[place.document], place.path[: items[-1] + 1 if items else 0]) not in (MISSING, None)


def _existing(located: Located) -> list[Place]:
    return [place for place in located.places if place.exists] if located.status == "located" else []


def _rendered(place: Place, present: Any, old: Any) -> Any:
    """The rendered field as it was, from the older text at the place."""
    if old is MISSING or not isinstance(present, str) or str(place.value) == present:
        return old
    part = str(place.value)
    if part and present.count(part) == 1:
        return present.replace(part, str(old))
    return old


def describe_change(change: ValueChange, path: tuple[str | int, ...]) -> str:
    """One sentence of history, for people."""
    what = _named(path)
    verb = "added" if change.old is MISSING else "removed" if change.new is MISSING else "changed"
    values = f" from {_word(change.old)} to {_word(change.new)}" if verb == "changed" else ""
    return f"{what} was {verb}{values} by {change.commit[:7]} ({change.subject!r}, {change.when[:10]})"


def _title(want: Want, value: Any, change: ValueChange) -> str:
    what = _named(want.path)
    name = want.manifest.name
    if value is MISSING:
        return f"remove {what} of `{name}`, which {change.commit[:7]} added"
    return f"restore {what} of `{name}` to {_word(value)}"


def _named(path: tuple[str | int, ...]) -> str:
    """The field as people call it: `limits.memory`, `image`; an index in front of it tells them nothing."""
    tail = path[-2:] if isinstance(path[-1], str) else path[-3:]
    return format_path(tail[1:] if isinstance(tail[0], int) else tail)


def _word(value: Any) -> str:
    return "absent" if value is MISSING else str(value)
