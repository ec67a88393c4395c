"""A Loki of the tests' own: its limits and its words are those that a real one was recorded with."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import re2

from tests.outside.servers import Answer, Asked

NS = 1_000_000_000
_STRING = r"(\"(?:[^\"\\]|\\.)*\"|`[^`]*`)"
_MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*{_STRING}")
_FILTER = re.compile(rf"(\|~|\|=|!=|!~)\s*{_STRING}")


@dataclass
class LokiServer:
    """Lines by label set: `lines[labels] = [(ns, text)]`."""

    lines: dict[tuple[tuple[str, str], ...], list[tuple[int, str]]] = field(default_factory=dict)
    tenant: str = ""
    most: int = 5000
    longest: float = 30 * 86_400 + 3600
    shown: str = "30d1h"

    def add(self, at: float, text: str, **labels: str) -> None:
        self.lines.setdefault(tuple(sorted(labels.items())), []).append((int(at * NS), text))

    def __call__(self, asked: Asked) -> Answer:
        if self.tenant and asked.headers.get("x-scope-orgid") != self.tenant:
            return Answer("no org id\n", 401, "text/plain; charset=utf-8")
        if asked.path != "/loki/api/v1/query_range":
            return Answer("404 page not found\n", 404, "text/plain; charset=utf-8")
        try:
            return self._range(asked)
        except _Refusal as refusal:
            return Answer(str(refusal), 400, "text/plain; charset=utf-8")

    def _range(self, asked: Asked) -> Answer:
        query, limit = asked.get("query"), int(asked.get("limit") or 100)
        start, end = int(asked.get("start")), int(asked.get("end"))
        if end <= start:
            raise _Refusal("end timestamp must not be before or equal to start time")
        if (end - start) / NS > self.longest:
            length = f"{(end - start) // NS // 3600}h0m0s"
            raise _Refusal(f"the query time range exceeds the limit (query length: {length}, limit: {self.shown})")
        if limit > self.most:
            raise _Refusal(
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.most})"
            )
        counted = re.fullmatch(r"sum\(count_over_time\((.*)\[(\d+)s\]\)\)", query)
        hits = self._select(counted[1] if counted else query)
        if counted:
            return self._matrix([at for at, _, _ in hits], start, end, int(asked.get("step")), int(counted[2]))
        hits = sorted((one for one in hits if start <= one[0] < end), reverse=asked.get("direction") != "forward")
        streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
        for at, labels, text in hits[:limit]:
            streams.setdefault(labels, []).append([str(at), text])
        result = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
        return Answer({"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}})

    def _select(self, query: str) -> list[tuple[int, tuple[tuple[str, str], ...], str]]:
        body = re.match(r"\s*\{([^}]*)\}(.*)", query, re.DOTALL)
        if not body:
            raise _Refusal("parse error : syntax error: unexpected $end")
        matchers = [(name, op, _text(value)) for name, op, value in _MATCHER.findall(body[1])]
        if not any(op in {"=", "=~"} and value not in {"", ".*"} for _, op, value in matchers):
            raise _Refusal(
                "parse error : queries require at least one regexp or equality matcher that does not have an"
            )
        filters = [(op, re2.compile(_text(v)) if "~" in op else _text(v)) for op, v in _FILTER.findall(body[2])]
        found = []
        for labels, lines in self.lines.items():
            if all(_matches(dict(labels).get(name, ""), op, value) for name, op, value in matchers):
                found += [(at, labels, text) for at, text in lines if all(_passes(text, *one) for one in filters)]
        return found

    @staticmethod
    def _matrix(stamps: list[int], start: int, end: int, step: int, width: int) -> Answer:
        counts = (
            (at, sum(1 for one in stamps if (at - width) * NS < one <= at * NS))
            for at in range(start // NS, end // NS + 1, step)
        )
        points = [[at, str(count)] for at, count in counts if count]
        result = [{"metric": {}, "values": points}] if points else []
        return Answer({"status": "success", "data": {"resultType": "matrix", "result": result, "stats": {}}})


class _Refusal(Exception):
    pass


def _text(quoted: str) -> str:
    return quoted[1:-1] if quoted.startswith("`") else str(json.loads(quoted))


def _matches(value: str, op: str, wanted: str) -> bool:
    hit = bool(re2.compile(wanted).fullmatch(value)) if "~" in op else value == wanted
    return not hit if op.startswith("!") else hit


def _passes(text: str, op: str, wanted: object) -> bool:
    hit = wanted in text if isinstance(wanted, str) else bool(wanted.search(text))  # type: ignore[attr-defined]
    return not hit if op.startswith("!") else hit
