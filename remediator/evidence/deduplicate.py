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
    """Return the identity of a statement: who says what about whom. Numbers in the sentence do not count, other facts do."""
    facts = (
        ()
        if draft.channel in {"log", "text"}
        else tuple(sorted((k, v) for k, v in draft.facts.items() if k not in _TIMELY))
    )
    return (
        draft.source, draft.channel, draft.speaker, draft.application, draft.cluster, draft.namespace, draft.kind, draft.name, draft.pod,
        draft.container, draft.node, draft.reason, draft.level, normalise(draft.text) if draft.channel in {"log", "text", "event"} else draft.text, facts,
    )  # fmt: skip


def merge(into: Draft, repetition: Draft) -> None:
    """Add a repetition to the first sighting.

    Two sections that show one event (describe and get events) tell it once; lines of one section are many times.
    """
    if into.channel == "event" and into.section != repetition.section:
        into.count = max(into.count, repetition.count)
    else:
        into.count += repetition.count
    times = [time for time in (into.first_seen, repetition.first_seen) if time]
    into.first_seen = min(times, default="")
    into.last_seen = max(into.last_seen, repetition.last_seen)
    for fact, text in repetition.facts.items():
        into.facts.setdefault(fact, text)


class Deduplicator:
    """Collects drafts in order of first sighting, folding repetitions; beyond `most` distinct ones it only counts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._drafts: dict[tuple[object, ...], Draft] = {}
        self.dropped = 0

    def add(self, drafts: Iterable[Draft]) -> None:
        """Add statements in the order of the input."""
        for draft in drafts:
            key = key_of(draft)
            if first := self._drafts.get(key):
                merge(first, draft)
            elif len(self._drafts) < self._most:
                self._drafts[key] = draft
            else:
                self.dropped += 1

    @property
    def drafts(self) -> list[Draft]:
        """Return the distinct drafts in order of first sighting."""
        return list(self._drafts.values())
