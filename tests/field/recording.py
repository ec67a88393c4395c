"""Recorded investigations: the answers as they were given, and of each request what tells whether it is still the same.

A request is kept as a digest of the whole and four hexadecimal digits for each of its lines, so that a replay can show
the lines that are new, without tens of kilobytes for every question.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.field.incident import HOME
from tests.model.model_server import Reply, completion

if TYPE_CHECKING:
    from tests.field.incident import FieldIncident
    from tests.model.model_server import Behaviour, Body

FOLDER = HOME / "investigations"
_FENCE = re.compile(r"data-[0-9a-f]{24}$")
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Request:
    """What is kept of a request."""

    digest: str
    messages: int
    lines: str
    """Four digits for each line of the messages that the request before did not have."""
    frame: str
    """A digest of all but the messages: the model's name, the tools, the settings."""

    @classmethod
    def of(cls, body: Body, before: int) -> Request:
        """Return what is kept of a request of which the first `before` messages are kept with an earlier one."""
        frame = {key: value for key, value in body.items() if key != "messages"}
        lines = "".join(_short(line) for line in _lines(body, before))
        return cls(_digest(body), len(body["messages"]), lines, _digest(frame))

    def difference(self, body: Body, before: int) -> str:
        """Return how a request differs from this one, for people; empty where it is the same to the byte."""
        now = Request.of(body, before)
        if now.digest == self.digest:
            return ""
        if now.lines == self.lines:
            what = "tools or settings" if now.frame != self.frame else "roles, calls or an earlier message"
            return f"the same lines, but other {what}"
        kept = Counter(self.lines[at : at + 4] for at in range(0, len(self.lines), 4))
        added = []
        for line in _lines(body, before):
            if kept[_short(line)]:
                kept[_short(line)] -= 1
            elif not _FENCE.match(line):  # the hash of the data, which changes with any of its lines
                added.append(f"+ {line[:300]}")
        shown = added[:_MOST_SHOWN] + ([f"… {len(added) - _MOST_SHOWN} more"] if len(added) > _MOST_SHOWN else [])
        return "\n".join([f"{len(added)} lines are new:", *shown])


@dataclass
class Recording:
    """One incident's requests and replies in order, and what came of them."""

    requests: list[Request] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    """Each the text and the calls (name, arguments) of an answer."""
    outcome: dict[str, Any] = field(default_factory=dict)

    def over(self, behaviour: Behaviour) -> Behaviour:
        """Return the behaviour, with each of its answers kept here."""

        def answer(body: Body) -> Reply:
            reply = behaviour(body)
            self.requests.append(Request.of(body, self.before(body, len(self.requests))))
            message = json.loads(reply.body)["choices"][0]["message"]
            calls = [(one["function"]["name"], one["function"]["arguments"]) for one in message.get("tool_calls") or ()]
            self.replies.append({"text": message["content"], "calls": calls})
            return reply

        return answer

    def before(self, body: Body, number: int) -> int:
        """Return how many messages of a request the one before it, of the same investigation, had already."""
        before = self.requests[number - 1].messages if number else 0
        return before if before < len(body["messages"]) else 0

    def save(self, path: Path) -> None:
        """Write it, a line for each request and reply."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [
            f' "requests": [\n{_rows([vars(one) for one in self.requests])}\n ]',
            f' "replies": [\n{_rows(self.replies)}\n ]',
            f' "outcome": {json.dumps(self.outcome, ensure_ascii=False)}',
        ]
        path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read what `save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls([Request(**one) for one in data["requests"]], data["replies"], data["outcome"])


@dataclass
class Replay:
    """A model that gives the recorded answers as long as it is asked the same, byte for byte."""

    recording: Recording
    asked: int = 0
    difference: str = ""

    def __call__(self, body: Body) -> Reply:
        """Answer with the next reply; a request that is not the recorded one gets an error, and is described."""
        number, self.asked = self.asked, self.asked + 1
        if self.difference or number >= len(self.recording.requests):
            self.difference = self.difference or f"request {number + 1} was never made before"
            return Reply(status=400, body=b"{}")
        before = self.recording.before(body, number)
        if difference := self.recording.requests[number].difference(body, before):
            self.difference = f"request {number + 1}: {difference}"
            return Reply(status=400, body=b"{}")
        kept = self.recording.replies[number]
        return completion(body, kept["text"], calls=[tuple(call) for call in kept["calls"]])


def path_of(incident: FieldIncident) -> Path:
    """Return the file of an incident's recording."""
    return FOLDER / incident.batch / f"{incident.name}.json"


def _rows(items: Sequence[Any]) -> str:
    return ",\n".join(f"  {json.dumps(item, ensure_ascii=False, separators=(',', ':'))}" for item in items)


def _lines(body: Body, before: int) -> list[str]:
    messages = body["messages"][before:]
    return [line for message in messages for line in f"{message.get('content') or ''}".splitlines()]


def _short(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:4]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:24]
