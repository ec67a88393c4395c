"""Loki's `query_range`, complete for a range whatever the server's limits are.

Success is JSON, every error is plain text; the default limit is 100 lines over all streams; a range may be at most
some days long (grafana.com/docs/loki/latest/reference/loki-http-api).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from remediator.domain.sources import AnswerError, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remediator.domain.sources import Parameters, Web

Direction = Literal["backward", "forward"]

_PATH = "/loki/api/v1/query_range"
_LONG = 1800
"""Characters of a query beyond which it is posted as a form: proxies refuse long addresses."""
_TOO_MANY = re.compile(r"max_entries_limit_per_query \(\d+ > (\d+)\)|max entries limit.*?> (\d+)\)")
_TOO_LONG = re.compile(r"exceeds the limit \(query length: [^,]+, limit: ([0-9a-z.]+)\)")
_TOO_LARGE = re.compile(r"larger than (?:the )?max[a-z ]*\((\d+) vs\.? (\d+)\)")
_TOO_MUCH = re.compile("would read too many bytes|too large to execute on a single querier|max number of chunks limit")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(w|d|h|ms|m|s)")
_UNITS = {"w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NS = 1_000_000_000
_FEW = 200
"""Lines a request where even a usual page may be too much."""
_SILENT = (0, 504)
_SHORT = 600.0
"""Seconds of a range that is not split further."""


class LokiEntry(NamedTuple):
    """One log line."""

    at: int
    """Nanoseconds since 1970."""
    labels: tuple[tuple[str, str], ...]
    line: str


_MOST_PAGES = 500
"""The limit of requests for one question, against a server that answers beyond the requested range."""


@dataclass
class QueryLimits:
    """The limits of a server, as its refusals name them; shared between questions."""

    page: int = 1000
    """Lines a request: Loki's parts exchange 4 MiB at most, and a larger request never gets an answer."""
    window: float = 30 * 86_400.0
    """Seconds a request may span."""


@dataclass
class Loki:
    """Reads ranges, whatever the server's limits are."""

    web: Web
    limits: QueryLimits = field(default_factory=QueryLimits)
    notes: list[str] = field(default_factory=list)
    cut: bool = False
    """True where the last reading of lines left some out."""

    def lines(
        self,
        query: str,
        start: int,
        end: int,
        *,
        most: int,
        direction: Direction = "backward",
        handled: Callable[[LokiEntry], bool] = lambda _entry: False,
    ) -> list[LokiEntry]:
        """Return the lines in [start, end) nanoseconds, oldest first.

        Where there are more than `most`, those from the side that `direction` starts at, and a note says so. Those
        that are handled do not count, or a poll that reads again what it has would never come any further.
        """
        entries: dict[LokiEntry, None] = {}
        new = 0
        self.cut = False
        for entry in self._all(query, start, end, direction):
            if entry in entries:
                continue
            if new >= most:
                side = "newest" if direction == "backward" else "oldest"
                self.notes.append(f"only the {side} {most} lines were read: narrow the selector or the time")
                self.cut = True
                break
            entries[entry] = None
            new += not handled(entry)
        return sorted(entries, key=lambda entry: entry.at)

    def matrix(self, query: str, start: int, end: int, step: int) -> list[tuple[int, float]]:
        """Return the points of a metric query with one series, (seconds, value); none where nothing matched.

        In parts where the range is longer than the server allows, each a whole number of steps. Points lie on whole
        multiples of the step, since Loki rounds to them: a part that began between two would repeat a point.
        """
        points: dict[int, float] = {}
        start -= start % (step * _NS)
        while start <= end:
            steps = max(1, int(self.limits.window) // step - 1)
            last = max(min(end, start + steps * step * _NS), start + 1)
            parameters = [("query", query), ("start", str(start)), ("end", str(last)), ("step", str(step))]
            try:
                series = self._result(parameters, "matrix")
            except AnswerError as error:
                if steps > 1 and self._shorter(error, last - start):
                    continue
                raise
            try:
                points |= {int(at): float(value) for item in series for at, value in item["values"]}
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise AnswerError(f"{self.web.name} answers with points that are none", status=200) from error
            start += (steps + 1) * step * _NS
        return sorted((at, value) for at, value in points.items() if at * _NS <= end)

    def _all(self, query: str, start: int, end: int, direction: Direction) -> Iterator[LokiEntry]:
        while start < end:
            span = int(self.limits.window * _NS)
            low, high = (max(start, end - span), end) if direction == "backward" else (start, min(end, start + span))
            try:
                yield from self._pages(query, low, high, direction)
            except _Narrower:
                continue
            start, end = (start, low) if direction == "backward" else (high, end)

    def _pages(self, query: str, low: int, high: int, direction: Direction) -> Iterator[LokiEntry]:
        for _ in range(_MOST_PAGES):
            if low >= high:
                return
            limit = self.limits.page
            try:
                page = self._page(query, low, high, limit, direction)
            except AnswerError as error:
                if not self._learned(error, high - low):
                    raise
                if self.limits.page != limit:
                    continue
                raise _Narrower from error
            yield from (entry for entry in page if low <= entry.at <= high)
            if len(page) < limit:
                return
            stamps = [entry.at for entry in page]
            if direction == "backward":
                following = min(stamps) + 1
                high = following if following < high else self._crowded(following) - 1
            else:
                following = max(stamps)
                low = following if following > low else self._crowded(following) + 1
        self.notes.append(f"more than {_MOST_PAGES} pages were not read")

    def _crowded(self, at: int) -> int:
        self.notes.append(f"more than {self.limits.page} lines bear one time stamp; some of them were not read")
        return at

    def _page(self, query: str, low: int, high: int, limit: int, direction: Direction) -> list[LokiEntry]:
        parameters = [
            ("query", query),
            ("start", str(low)),
            ("end", str(high)),
            ("limit", str(limit)),
            ("direction", direction),
        ]
        entries = []
        for stream in self._result(parameters, "streams"):
            try:
                labels = tuple(sorted((str(k), str(v)) for k, v in stream["stream"].items()))
                entries += [LokiEntry(int(value[0]), labels, str(value[1])) for value in stream["values"]]
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
                raise AnswerError(f"{self.web.name} answers with a stream that is none", status=200) from error
        return sorted(entries, key=lambda entry: entry.at, reverse=direction == "backward")

    def _result(self, parameters: Parameters, kind: str) -> list[Any]:
        long = sum(len(value) for _, value in parameters) > _LONG
        try:
            document = self.web.post_form(_PATH, parameters) if long else self.web.get(_PATH, parameters)
        except AnswerError as error:
            if "no org id" in error.detail:
                message = f"{error}: it is multi-tenant, so name its tenant (REMEDIATOR_LOKI_TENANT)"
                raise AnswerError(message, status=error.status, detail=error.detail) from error
            raise
        warnings = document.get("warnings") if isinstance(document, dict) else None
        self.notes += [short(str(warning), 200) for warning in warnings] if isinstance(warnings, list) else []
        data = document.get("data") if isinstance(document, dict) else None
        result = data.get("result") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(result, list):
            raise AnswerError(f"{self.web.name} answers with no result: {short(str(document), 120)}", status=200)
        if data.get("resultType") != kind:
            hint = "a metric query gives numbers; a query of log lines is wanted" if kind == "streams" else "no numbers"
            raise AnswerError(
                f"{self.web.name} answers with {short(str(data.get('resultType')), 40)}: {hint}", status=200
            )
        return result

    def _learned(self, error: AnswerError, span: int) -> bool:
        """Lower a limit that a refusal names, or the page size after a silence; returns whether one was lowered."""
        old = self.limits.page
        if match := _TOO_LARGE.search(error.detail):
            self.limits.page = max(1, min(old, old * int(match[2]) // (int(match[1]) or 1)))
        elif error.retryable and error.status in _SILENT:
            self.limits.page = min(old, _FEW)
        elif error.status == 400 and (match := _TOO_MANY.search(error.detail)):
            self.limits.page = max(1, min(old, int(match[1] or match[2])))
        else:
            return self._shorter(error, span)
        return self.limits.page < old

    def _shorter(self, error: AnswerError, span: int) -> bool:
        """Shorten the range where a refusal says that it is too long or reads too much; returns whether it did."""
        old, seconds = self.limits.window, 0.0
        if error.status == 400 and (match := _TOO_LONG.search(error.detail)):
            seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(match[1]))
        elif _TOO_MUCH.search(error.detail) and span > _SHORT * _NS:
            seconds = max(span / _NS / 4, _SHORT)
        self.limits.window = min(seconds or old, old)
        return self.limits.window < old


class _Narrower(Exception):
    """The range must be split again."""
