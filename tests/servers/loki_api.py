"""A Loki of the tests' own: its limits and its words are those that a real one was recorded with."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import NamedTuple

import re2

from tests.servers.http_server import Answer, Asked

NS = 1_000_000_000
_STRING = r"(\"(?:[^\"\\]|\\.)*\"|`[^`]*`)"
_OPERATOR = r"(=~|!~|!=|=)"
_MATCHER = re.compile(rf"\s*([A-Za-z_]\w*)\s*{_OPERATOR}\s*{_STRING}\s*(?:,|$)")
_STAGE = re.compile(rf"\s*(?:(\|~|\|=|!=|!~)|\|\s*([A-Za-z_]\w*)\s*{_OPERATOR})\s*{_STRING}")
_SELECTOR = re.compile(rf"\s*\{{((?:[^\"`{{}}]|{_STRING})*)\}}(.*)", re.DOTALL)
_NO_GO_ESCAPE = re.compile(r"\\(?![abfnrtv\\'\"xuU0-7])")

Labels = tuple[tuple[str, str], ...]


class _Line(NamedTuple):
    at: int
    labels: Labels
    """Labels of the stream and of the line itself: its structured metadata, and the level that Loki finds."""
    text: str


@dataclass
class LokiServer:
    """Lines by the labels of their stream: `lines[labels] = [line]`."""

    lines: dict[Labels, list[_Line]] = field(default_factory=dict)
    tenant: str = ""
    most: int = 5000
    longest: float = 30 * 86_400 + 3600
    length_in_words: str = "30d1h"
    message: int = 4 << 20
    """Bytes that its parts hand each other."""

    def add(self, at: float, text: str, metadata: dict[str, str] | None = None, **labels: str) -> None:
        stream = tuple(sorted(labels.items()))
        stream_labels = tuple(sorted({**labels, "detected_level": "unknown", **(metadata or {})}.items()))
        self.lines.setdefault(stream, []).append(_Line(int(at * NS), stream_labels, text))

    def __call__(self, request: Asked) -> Answer:
        if self.tenant and request.headers.get("x-scope-orgid") != self.tenant:
            return Answer("no org id\n", 401, "text/plain; charset=utf-8")
        if request.path != "/loki/api/v1/query_range":
            return Answer("404 page not found\n", 404, "text/plain; charset=utf-8")
        try:
            return self._range(request)
        except _Refusal as refusal:
            return Answer(str(refusal), refusal.status, "text/plain; charset=utf-8")

    def _range(self, request: Asked) -> Answer:
        query, limit = request.get("query"), int(request.get("limit") or 100)
        start, end = _time(request.get("start")), _time(request.get("end"))
        if end <= start:
            raise _Refusal("end timestamp must not be before or equal to start time")
        if limit <= 0:
            raise _Refusal("limit must be a positive value")
        if request.get("direction") not in {"", "forward", "backward"}:
            raise _Refusal(f"invalid direction '{request.get('direction')}'")
        step = int(request.get("step") or max(1, (end - start) // NS // 250))
        if step <= 0:
            raise _Refusal("zero or negative query resolution step widths are not accepted. Try a positive integer")
        if (end - start) // NS / step > 11_000:
            raise _Refusal(
                "exceeded maximum resolution of 11,000 points per time series. "
                "Try increasing the value of the step parameter"
            )
        counted = re.fullmatch(r"sum\(count_over_time\((.*)\[(\d+)s\]\)\)", query, re.DOTALL)
        hits = self._select(counted[1] if counted else query)
        if (end - start) / NS > self.longest:
            length = f"{(end - start) // NS // 3600}h0m0s"
            raise _Refusal(
                f"the query time range exceeds the limit (query length: {length}, limit: {self.length_in_words})"
            )
        if counted:
            return self._matrix([hit.at for hit in hits], start, end, step, int(counted[2]))
        if limit > self.most:
            raise _Refusal(
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.most})"
            )
        hits = sorted((item for item in hits if start <= item.at < end), reverse=request.get("direction") != "forward")
        size = sum(len(item.text.encode()) for item in hits[:limit])
        if size > self.message:
            message = f"trying to send message larger than max ({size} vs. {self.message})"
            raise _Refusal(f"rpc error: code = ResourceExhausted desc = {message}", 500)
        streams: dict[Labels, list[list[str]]] = {}
        for hit in hits[:limit]:
            streams.setdefault(hit.labels, []).append([str(hit.at), hit.text])
        result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        return Answer({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}})

    def _select(self, query: str) -> list[_Line]:
        if len(query.encode()) >= 131_072:
            raise _Refusal(f"parse error : input size too long ({len(query.encode())} > 131072)")
        body = _SELECTOR.fullmatch(query)
        if not body:
            raise _Refusal("parse error : syntax error: unexpected $end")
        matchers = [(name, op, _text(value)) for name, op, value in _each(_MATCHER, body[1])]
        if all(_matches("", op, value) for _, op, value in matchers):
            raise _Refusal(
                "parse error : queries require at least one regexp or equality matcher that does not have an "
                'empty-compatible value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
            )
        stages = list(_each(_STAGE, body[3]))
        selected = []
        for stream, lines in self.lines.items():
            if all(_matches(dict(stream).get(name, ""), op, value) for name, op, value in matchers):
                selected += [item for item in lines if all(_passes(item, *stage) for stage in stages)]
        return selected

    @staticmethod
    def _matrix(stamps: list[int], start: int, end: int, step: int, width: int) -> Answer:
        """Its points are multiples of the step: the start is rounded down to one, the end up."""
        first, last = start // NS // step * step, -(-end // (NS * step)) * step
        counts = (
            (at, sum(1 for item in stamps if (at - width) * NS < item <= at * NS))
            for at in range(first, last + 1, step)
        )
        points = [[at, str(count)] for at, count in counts if count]
        result = [{"metric": {}, "values": points}] if points else []
        return Answer({"status": "success", "data": {"resultType": "matrix", "result": result, "stats": {}}})


class _Refusal(Exception):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def _time(text: str) -> int:
    """Up to ten digits are seconds, more are nanoseconds."""
    return int(text) * (NS if len(text) <= 10 else 1)


def _each(kind: re.Pattern[str], text: str) -> list[tuple[str, ...]]:
    tokens, at = [], 0
    while text[at:].strip():
        token = kind.match(text, at)
        if token is None:
            raise _Refusal(f"parse error at line 1, col {at + 1}: syntax error: unexpected {text[at : at + 9]}")
        tokens.append(tuple(part or "" for part in token.groups()))
        at = token.end()
    return tokens


def _text(quoted: str) -> str:
    if quoted.startswith("`"):
        return quoted[1:-1]
    if _NO_GO_ESCAPE.search(quoted.replace("\\\\", "")):
        raise _Refusal("parse error at line 1, col 1: invalid char escape")
    return str(json.loads(quoted))


def _matches(value: str, op: str, operand: str) -> bool:
    hit = bool(re2.compile(operand).fullmatch(value)) if "~" in op else value == operand
    return not hit if op.startswith("!") else hit


def _passes(line: _Line, op: str, label: str, compare: str, quoted: str) -> bool:
    """A line filter, or with a label's name a filter on what stream and line have."""
    operand = _text(quoted)
    if label:
        return _matches(dict(line.labels).get(label, ""), compare, operand)
    hit = bool(re2.search(operand, line.text)) if "~" in op else operand in line.text
    return not hit if op.startswith("!") else hit
