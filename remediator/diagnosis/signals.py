"""Which signals speak in which statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from remediator.domain.incident import Statement
from remediator.policy import Catalogue, Category, Signal


@dataclass(frozen=True)
class SignalMatch:
    """One signal found in one statement."""

    statement: Statement
    category: Category
    signal: Signal
    facts: dict[str, str] = field(default_factory=dict)
    """The statement's facts and the pattern's named groups."""

    @property
    def rank(self) -> tuple[int, float, int]:
        """Gravest first when sorted in reverse: priority, weight, how close to the platform the speaker is."""
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
        """Every hit, statement by statement; what a resolved or silenced alert says does not count."""
        for statement in statements:
            if statement.channel == "alert" and not _firing(statement):
                continue
            both = f"{statement.reason}: {statement.text}" if statement.reason else statement.text
            for index in sorted(self._set.Match(both) or ()):
                category, signal = self._owners[index]
                if (hit := self._judge(statement, both, category, signal)) is not None:
                    yield hit

    @staticmethod
    def _judge(statement: Statement, both: str, category: Category, signal: Signal) -> SignalMatch | None:
        if signal.channels and statement.channel not in signal.channels:
            return None
        searched = {"reason": statement.reason, "text": statement.text, "both": both}[signal.match]
        found = _compiled(signal.pattern).search(searched)
        if found is None or (signal.unless and _compiled(signal.unless).search(both)):
            return None
        named = {_stem(name): value for name, value in found.groupdict().items() if value}
        return SignalMatch(statement, category, signal, {**statement.facts, **named})


def _firing(statement: Statement) -> bool:
    """Not resolved (webhook: `status`), not silenced or inhibited (API: `state`)."""
    return statement.facts.get("status") != "resolved" and statement.facts.get("state") != "suppressed"


def _reason_only(signal: Signal) -> str:
    """For the first sieve only: `^` of a reason is also the start of `reason: text`, `$` is not its end."""
    return signal.pattern.removesuffix("$") if signal.match == "reason" else signal.pattern


def _stem(name: str) -> str:
    """`missing2` of an alternative spelling is the fact `missing`."""
    return name.rstrip("0123456789")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    import re2

    return re2.compile(pattern)


def matched(statements: Sequence[Statement], catalogue: Catalogue) -> list[SignalMatch]:
    """All hits of a catalogue in these statements."""
    return list(SignalMatcher(catalogue).hits(statements))
