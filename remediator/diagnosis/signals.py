"""Finds the signals of the policies in statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from remediator.domain.incident import Statement
from remediator.policy import Catalogue, Category, Signal


@dataclass(frozen=True)
class SignalMatch:
    """A match of one signal in one statement."""

    statement: Statement
    category: Category
    signal: Signal
    facts: dict[str, str] = field(default_factory=dict)
    """The statement's facts and the pattern's named groups."""

    @property
    def rank(self) -> tuple[int, float, int]:
        """Return the sort key, highest first: priority, weight, how close the speaker is to the platform."""
        nearness = {"status": 5, "event": 4, "sync": 4, "log": 3, "alert": 2, "text": 1}
        return (self.category.priority, self.signal.weight, nearness[self.statement.channel])


class SignalMatcher:
    """All signals of a catalogue, compiled once; linear-time whatever the log holds."""

    def __init__(self, catalogue: Catalogue) -> None:
        import re2

        self._owners = [(category, signal) for category in catalogue.categories for signal in category.signals]
        self._set = re2.Set.SearchSet()
        for _, signal in self._owners:
            self._set.Add(_reason_only(signal))
        self._set.Compile()

    def hits(self, statements: Iterable[Statement]) -> Iterator[SignalMatch]:
        """Yield every match, statement by statement; resolved and silenced alerts do not count."""
        for statement in statements:
            if statement.channel == "alert" and not _firing(statement):
                continue
            full_text = f"{statement.reason}: {statement.text}" if statement.reason else statement.text
            for index in sorted(self._set.Match(full_text) or ()):
                category, signal = self._owners[index]
                if (hit := self._judge(statement, full_text, category, signal)) is not None:
                    yield hit

    @staticmethod
    def _judge(statement: Statement, full_text: str, category: Category, signal: Signal) -> SignalMatch | None:
        if signal.channels and statement.channel not in signal.channels:
            return None
        searched = {"reason": statement.reason, "text": statement.text, "both": full_text}[signal.match]
        match = compiled(signal.pattern).search(searched)
        if match is None or (signal.unless and compiled(signal.unless).search(full_text)):
            return None
        groups = {_stem(name): value for name, value in match.groupdict().items() if value}
        return SignalMatch(statement, category, signal, {**statement.facts, **groups})


def _firing(statement: Statement) -> bool:
    """Return True if an alert is neither resolved (webhook: `status`) nor silenced or inhibited (API: `state`)."""
    return statement.facts.get("status") != "resolved" and statement.facts.get("state") != "suppressed"


def _reason_only(signal: Signal) -> str:
    """Return a pattern for the first filter: `^` of a reason is also the start of `reason: text`, `$` is not its end."""
    return signal.pattern.removesuffix("$") if signal.match == "reason" else signal.pattern


def _stem(name: str) -> str:
    """`missing2` of an alternative spelling is the fact `missing`."""
    return name.rstrip("0123456789")


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Any:
    """Return a google-re2 expression, compiled once."""
    import re2

    return re2.compile(pattern)


def find_matches(statements: Sequence[Statement], catalogue: Catalogue) -> list[SignalMatch]:
    """Return all matches of a catalogue in these statements."""
    return list(SignalMatcher(catalogue).hits(statements))
