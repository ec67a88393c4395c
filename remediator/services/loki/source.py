"""Log lines from Loki: its server applies the policy's line filters, so that few lines are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from remediator.domain.sources import Reading, item_id
from remediator.domain.times import stamp
from remediator.errors import ConfigError
from remediator.services.loki.client import Loki, QueryLimits
from remediator.services.loki.query import line_filter, of_workload, shared_matchers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remediator.domain.sources import Question, Web, Workload
    from remediator.policy import Catalogue
    from remediator.services.loki.client import Direction, LokiEntry

MOST = 20_000
"""The most lines of one reading."""

_LINE = 6_000
"""The most characters of one line: in a file, a longer line of JSON would be cut, and a cut line is no JSON."""
_LONG_AGO = 86_400 * 10**9
"""A day in nanoseconds; look-backs are days."""

_CHUNK_LINES, _CHUNK_SIZE = 20_000, 2 << 20


@dataclass
class LokiSource:
    """The `EvidenceSource` port. `query` wins over `selectors`; a workload in the question over both."""

    name: str
    web: Web
    catalogue: Catalogue
    selectors: Sequence[str] = ()
    query: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    most: int = MOST
    limits: QueryLimits = field(default_factory=QueryLimits)

    def read(self, question: Question) -> Reading:
        """Return the lines that answer the question and were not handled before."""
        client = Loki(self.web, self.limits)
        start, end = nanoseconds(question.since), nanoseconds(question.until)
        entries: dict[LokiEntry, None] = {}
        handled = lambda entry: _id(entry) in question.handled  # noqa: E731 - of this question only
        direction: Direction = "forward" if question.polling else "backward"
        reached: list[int] = []
        for query in self._queries(question.workloads):
            lines = client.lines(query, start, end, most=self.most, direction=direction, handled=handled)
            entries |= dict.fromkeys(lines)
            if client.cut and question.polling:
                reached.append(lines[-1].at)
                client.notes.append("the rest is read at the next poll")
        ids = {entry: _id(entry) for entry in sorted(entries)}
        new_entries = [self._understood(entry) for entry, entry_id in ids.items() if entry_id not in question.handled]
        if not entries:
            client.notes.append("no line in that time (Loki keeps silent about ranges beyond its own look-back)")
        elif end - start > _LONG_AGO and (oldest := min(entries).at) - start > (end - start) // 10:
            at = stamp(datetime.fromtimestamp(oldest // 10**9, UTC))
            client.notes.append(f"nothing before {at}: quiet, or beyond Loki's own look-back, which cuts in silence")
        return Reading(
            documents=tuple(documents(self.name, new_entries)),
            items=len(new_entries),
            ids=tuple(ids.values()),
            notes=tuple(dict.fromkeys(client.notes)),
            read_until=datetime.fromtimestamp(min(reached) // 10**9, UTC) if reached else None,
        )

    def _queries(self, workloads: Sequence[Workload]) -> list[str]:
        if workloads:
            filters, shared = self._line_filter(), shared_matchers(self.selectors, self.labels)
            return list(dict.fromkeys(of_workload(workload, self.labels, filters, shared) for workload in workloads))
        if self.query:
            return [self.query]
        if not self.selectors:
            raise ConfigError(
                "needs `selectors` or a `query` to be polled; without them only named workloads are looked at",
                path=f"{self.name}",
            )
        return [selector + self._line_filter() for selector in self.selectors]

    def _understood(self, entry: LokiEntry) -> LokiEntry:
        """Return the entry with the usual names for the collector's labels: the evidence reader knows no others."""
        labels = dict(entry.labels)
        usual = {name: labels[label] for name, label in self.labels.items() if label in labels}
        return entry._replace(labels=tuple((usual | labels).items())) if usual else entry

    def _line_filter(self) -> str:
        """Return a filter for every signal of container logs: Loki's expressions are google-re2's too."""
        patterns = [
            signal.pattern
            for category in self.catalogue.categories
            for signal in category.signals
            if signal.match != "reason" and (not signal.channels or {"log", "text"} & set(signal.channels))
        ]
        return line_filter(patterns)


def _id(entry: LokiEntry) -> str:
    return item_id(str(entry.at), repr(entry.labels), entry.line)


def nanoseconds(moment: datetime) -> int:
    """Return the time as Loki writes it."""
    return int(moment.timestamp() * 1_000_000) * 1000


def documents(name: str, entries: Sequence[LokiEntry]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield the entries as documents of Loki's own format, in pieces that also fit into a file of `collect --output`."""
    piece: list[LokiEntry] = []
    size = number = 0
    for entry in entries:
        if piece and (len(piece) >= _CHUNK_LINES or size > _CHUNK_SIZE):
            number += 1
            yield f"{name}#{number}", _document(piece)
            piece, size = [], 0
        piece.append(entry)
        size += min(len(entry.line), _LINE) + 40
    if piece:
        yield f"{name}#{number + 1}" if number else name, _document(piece)


def _document(entries: Iterable[LokiEntry]) -> dict[str, Any]:
    streams: dict[tuple[tuple[str, str], ...], list[LokiEntry]] = {}
    for entry in entries:
        streams.setdefault(entry.labels, []).append(entry)
    result = [
        {"stream": dict(labels), "values": [[str(entry.at), entry.line[:_LINE]] for entry in stream]}
        for labels, stream in streams.items()
    ]
    return {"status": "success", "data": {"resultType": "streams", "result": result}}
