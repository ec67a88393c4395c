"""Repeated statements become one with a count, so that ten thousand equal lines cost as much as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.evidence.fingerprint import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from remediator.evidence.draft import Draft

_TIMELY = frozenset({"age", "first_age", "restarted_ago", "msg", "error", "uptime", "pid", "dial_host"})
"""Facts that differ between two sightings of the same thing."""


def key_of(draft: Draft) -> tuple[object, ...]:
    """What makes two statements the same: who says what about whom. Numbers in the sentence do not, other facts do."""
    facts = (
        ()
        if draft.channel in {"log", "text"}
        else tuple(sorted((k, v) for k, v in draft.facts.items() if k not in _TIMELY))
    )
    return (
        draft.source, draft.channel, draft.application, draft.cluster, draft.namespace, draft.kind, draft.name, draft.pod,
        draft.container, draft.node, draft.reason, draft.level, normalise(draft.text) if draft.channel in {"log", "text", "event"} else draft.text, facts,
    )  # fmt: skip


def merge(into: Draft, other: Draft) -> None:
    """Adds a repetition to the first sighting.

    Two sections that show one event (describe and get events) tell it once; lines of one section are many times.
    """
    if into.channel == "event" and into.section != other.section:
        into.count = max(into.count, other.count)
    else:
        into.count += other.count
    times = [time for time in (into.first_seen, other.first_seen) if time]
    into.first_seen = min(times, default="")
    into.last_seen = max(into.last_seen, other.last_seen)
    for fact, text in other.facts.items():
        into.facts.setdefault(fact, text)


class Deduplicator:
    """Collects drafts in order of first sighting, folding repetitions; beyond `most` distinct ones it only counts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[object, ...], Draft] = {}
        self.dropped = 0

    def add(self, drafts: Iterable[Draft]) -> None:
        """Takes statements in the order of the input."""
        for draft in drafts:
            key = key_of(draft)
            if known := self._kept.get(key):
                merge(known, draft)
            elif len(self._kept) < self._most:
                self._kept[key] = draft
            else:
                self.dropped += 1

    @property
    def drafts(self) -> list[Draft]:
        """What was kept."""
        return list(self._kept.values())
