"""Notifications of Argo CD as chat and mail show them: a failed sync, a degraded or unknown Application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.command import command_of
from remediator.evidence.draft import Draft
from remediator.evidence.lines import next_filled, rfc3339
from remediator.evidence.messages import message_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

_MARK = r"(?::[\w+-]{1,30}:\s*|\W{1,6})?"
OPENS = re.compile(
    rf"{_MARK}(?:Application \S+ (?:has degraded|sync (?:status )?is|has been (?:created|deleted|successfully)|is now running new)|The sync operation of application \S|Failed to sync application \S)"
)
_FAILURES = (
    re.compile(
        rf"{_MARK}The sync operation of application (?P<name>\S+) has failed(?: at (?P<time>\S+?))?(?: with the following error)?[:.]?(?:\s+(?P<message>.*))?$"
    ),
    re.compile(rf"{_MARK}Failed to sync application (?P<name>[^\s.]+(?:\.[^\s.]+)*)\.?(?:\s*(?P<message>.*))?$"),
)
_DEGRADED = re.compile(rf"{_MARK}Application (?P<name>\S+) has degraded")
_UNKNOWN = re.compile(rf"{_MARK}Application (?P<name>\S+) sync (?:status )?is\s+['\"]?(?P<status>Unknown|OutOfSync)")
_CALM = re.compile(
    rf"{_MARK}(?:Application (?P<name>\S+) (?P<what>has been (?:created|deleted|successfully synced)|is now running new version)|The sync operation of application (?P<started>\S+) has (?:started|succeeded))"
)
ROW_OPENS = re.compile(
    r"(?P<name>(?:Comparison|Sync|InvalidSpec|Deletion|Unknown|RepeatedResource|SharedResource)(?:Error|Warning)) {2,}(?P<message>\S.*)"
)
_STAMP = re.compile(r"\s+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \S+)\s*$")
_LINK = re.compile(r"\W{0,3}(?:Application|Sync operation) details\b|https?://\S+\s*$|<https?://")
_CONDITION = re.compile(r"\W{0,3}(?P<name>[A-Z][A-Za-z]{2,40}(?:Error|Warning))\W{0,3}")
_TITLES = {"sync status": "sync_status", "health status": "health", "repository": "repo", "revision": "revision"}
_MOST = 60


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of one notification: to the blank line that no field of the card follows, or to the next one."""
    del command
    end = start + 1
    while end < len(lines) and end - start < _MOST:
        if lines[end].blank:
            following = next_filled(lines, end)
            if following >= len(lines) or not _is_title(lines[following].text):
                break
            end = following
        if command_of(lines[end].text) is not None or OPENS.match(lines[end].text):
            break
        end += 1
    return end - start


def _is_title(text: str) -> bool:
    """Return True for the title of a field of the card: `Sync Status`, `ComparisonError`."""
    return text.strip().strip("*:").lower() in _TITLES or bool(_CONDITION.fullmatch(text.strip()))


def read(section: Section) -> Iterator[Draft]:
    """Yield what the notification says of its Application, with the conditions and statuses listed below it."""
    head, below = section.lines[0], section.lines[1:]
    if match := next(filter(None, (form.match(head.text) for form in _FAILURES)), None):
        message = "\n".join([match["message"] or "", *_message(below)]).strip()
        draft = _about(section, head, match["name"], "Failed", message or "The sync operation failed")
        draft.facts |= {"operation": "Sync", "phase": "Failed", **message_facts(message)}
        draft.last_seen = rfc3339(match.groupdict().get("time") or "")
        yield draft
    elif match := _DEGRADED.match(head.text):
        yield _about(section, head, match["name"], "Degraded", "Health Status: Degraded", health="Degraded")
    elif match := _UNKNOWN.match(head.text):
        name, status = match["name"], match["status"]
        yield _about(section, head, name, status, f"Sync Status: {status}", sync_status=status)
        for line, condition, message in _conditions(below):
            draft = _about(section, line, name, condition, message, condition=condition)
            draft.facts |= message_facts(message)
            yield draft
    elif match := _CALM.match(head.text):
        yield _about(section, head, match["name"] or match["started"], "", head.text.strip())


def take_row(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of a condition's row without its header: to its time, which a message of several lines puts last."""
    del command
    end = start
    while end < len(lines) and end - start < _MOST and command_of(lines[end].text) is None:
        end += 1
        if _STAMP.search(lines[end - 1].text):
            return end - start
    return next((at for at in range(1, end - start) if lines[start + at].blank), end - start)


def read_row(section: Section) -> Iterator[Draft]:
    """Yield the condition of the Application that the command names."""
    text = "\n".join(line.text for line in section.lines)
    match = ROW_OPENS.match(text)
    stamp = _STAMP.search(text)
    if match is None:
        return
    message = text[match.start("message") : stamp.start() if stamp else len(text)].strip()
    name = section.command.words[0] if section.command.tool == "argocd" and section.command.words else ""
    draft = _about(section, section.lines[0], name, match["name"], message, condition=match["name"])
    draft.facts |= message_facts(message)
    draft.last_seen = rfc3339(stamp["time"]) if stamp else ""
    yield draft


def _conditions(lines: Sequence[Line]) -> Iterator[tuple[Line, str, str]]:
    """Yield the conditions below the head, listed with bullets or as fields of the card: line, name, message."""
    titles = [match["name"] if (match := _CONDITION.fullmatch(line.text.strip())) else "" for line in lines]
    for line, title_above in zip(lines, ["", *titles], strict=False):
        text = line.text.strip()
        bullet, _, message = text.partition(" ")
        if title_above and text:
            yield line, title_above, text
        elif bullet in {"*", "-", "•"} and message:
            yield line, "ComparisonError", message


def _message(lines: Sequence[Line]) -> list[str]:
    """Return the lines that continue the error: all before the link to its details, or before a field of the card."""
    texts: list[str] = []
    for line in lines:
        if _LINK.match(line.text) or line.text.strip().lower() in _TITLES:
            break
        texts.append(line.text)
    return texts


def _about(section: Section, line: Line, name: str, reason: str, text: str, **facts: str) -> Draft:
    name = name.strip("`*_.'\"").rpartition("/")[2]
    draft = Draft(line.no, "sync", text, reason, kind="Application", name=name, application=name, section=section.no)
    draft.facts |= facts | _fields(section.lines)
    return draft


def _fields(lines: Sequence[Line]) -> dict[str, str]:
    """Return the fields of the card: a title, and its value on the next line or behind it."""
    facts: dict[str, str] = {}
    for line, following in zip(lines, [*lines[1:], None], strict=False):
        text = line.text.strip().strip("*")
        for title, fact in _TITLES.items():
            if text.lower() == title and following is not None:
                facts[fact] = following.text.strip().strip("`<>")
            elif text.lower().startswith(f"{title}:"):
                facts[fact] = text[len(title) + 1 :].strip(" *`<>")
    return {key: value for key, value in facts.items() if value}
