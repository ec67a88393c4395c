"""The redacted facts of one incident, each with its id and speaker: what the model is shown and what it may cite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.evidence import normalise

MOST_LINE = 600
"""Characters of one line of a log that are shown."""
_SPEAKERS = {"event": "event", "status": "status", "sync": "argocd", "alert": "alert", "log": "log", "text": "text"}


@dataclass(frozen=True)
class Fact:
    """One fact as it is shown: `E1 [event Pod shop/api-7d9f] BackOff: …`."""

    id: str
    speaker: str
    about: str
    text: str
    platform: bool
    """True where the platform says it, not a container's own log."""

    @property
    def line(self) -> str:
        """Return the fact on one line."""
        if self.speaker == "line":
            return f"{self.id} {self.text}"
        about = f" {self.about}" if self.about else ""
        return f"{self.id} [{self.speaker}{about}] {self.text}"


class FactBook:
    """All facts of an incident: what the rules cite (E…), what else was read (S…), and the log's own lines (L…)."""

    def __init__(self, diagnosis: Diagnosis, log: str, redact: Callable[[str], str]) -> None:
        self._diagnosis, self._redact = diagnosis, redact
        self._log = log

    @cached_property
    def cited(self) -> tuple[Fact, ...]:
        """Return what the rules cite."""
        seen: set[str] = set()
        return tuple(
            self._fact(item.id or f"E{number}", item, seen) for number, item in enumerate(self._diagnosis.evidence, 1)
        )

    @cached_property
    def others(self) -> tuple[Fact, ...]:
        """Return other statements about the same objects."""
        seen: set[str] = set()
        return tuple(self._fact(f"S{number}", item, seen) for number, item in enumerate(self._diagnosis.context, 1))

    @cached_property
    def lines(self) -> tuple[Fact, ...]:
        """Return the lines of the log, as far as they were kept."""
        lines = (shown(line, MOST_LINE) for line in self._redact(self._log).splitlines())
        return tuple(
            Fact(f"L{number}", "line", "", line, platform=False) for number, line in enumerate(lines, 1) if line
        )

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        """Return every fact by its id."""
        return {fact.id: fact for fact in (*self.cited, *self.others, *self.lines)}

    @cached_property
    def text(self) -> str:
        """Return everything that was said, for the question whether a name occurs in it."""
        return "\n".join(fact.line for fact in self.by_id.values())

    def search(self, words: str) -> list[Fact]:
        """Return the facts that hold all words, the rules' own first."""
        wanted = [word for word in words.casefold().split() if word]
        return [fact for fact in self.by_id.values() if all(word in fact.line.casefold() for word in wanted)]

    def known(self, ids: Iterator[str] | list[str] | tuple[str, ...]) -> tuple[str, ...]:
        """Return the ids that exist, each once."""
        return tuple(dict.fromkeys(name for name in ids if name in self.by_id))

    def meaning(self, name: str) -> str:
        """Return what an id stands for, without what changes between two occurrences."""
        fact = self.by_id[name]
        return f"{fact.speaker} {normalise(fact.text)}"

    def _fact(self, name: str, item: Evidence, seen: set[str]) -> Fact:
        """Return a statement as a fact; a detail that an earlier one of the same object gave is not repeated."""
        about = self._redact(_about(item.subject))
        details = [f"{key}={value}" for key, value in sorted(item.facts.items()) if value not in item.text]
        facts = " ".join(detail for detail in details if f"{about} {detail}" not in seen)
        seen.update(f"{about} {detail}" for detail in details)
        reason = f"{item.reason}: " if item.reason and item.reason not in item.text else ""
        times = f" (×{item.count})" if item.count > 1 else ""
        text = shown(self._redact(f"{reason}{item.text}{times}"), MOST_LINE)
        tail = f" {{{shown(self._redact(facts), 400)}}}" if facts else ""
        speaker = _SPEAKERS[item.channel]
        return Fact(name, speaker, about, text + tail, item.channel not in ("log", "text"))


def mentions(text: str, word: str) -> bool:
    """Return whether a text has this word as a word of its own."""
    return len(word) > 1 and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def shown(text: str, most: int) -> str:
    """Return a text on one line, printable, its middle left out where it is long: the meaning often stands at the end."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: most * 8]).split())
    if len(plain) <= most:
        return plain
    head = most // 2
    return f"{plain[:head]} … {plain[-(most - head - 3) :]}"


def _about(subject: Subject) -> str:
    name = subject.name or subject.pod
    where = f"{subject.namespace}/{name}" if subject.namespace and name else name or subject.namespace
    parts = [subject.kind if name else "", where, f"container {subject.container}" if subject.container else ""]
    parts += [f"application {subject.application}" if subject.application else "", subject.node]
    return " ".join(part for part in parts if part)
