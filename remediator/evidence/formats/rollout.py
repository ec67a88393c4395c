"""`kubectl rollout status` and `kubectl wait`, and the complaints that kubectl itself prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import set_subject
from remediator.evidence.kinds import kind_of
from remediator.evidence.messages import message_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

_ROLLOUT = re.compile(
    r'(?:Waiting for )?(?:error: )?(?P<kind>deployment|statefulset|daemon ?set)(?: spec update to be observed|s)?[ "]+(?P<name>[a-z0-9.-]+)"?(?P<what> .*)?'
)
_REASONS = (
    ("exceeded its progress deadline", "ProgressDeadlineExceeded"),
    ("successfully rolled out", "RolledOut"),
    ("rolling update complete", "RolledOut"),
    ("rollout to finish", "RolloutWaiting"),
    ("rollout to complete", "RolloutWaiting"),
)
_SERVER = re.compile(r"Error from server(?: \((?P<reason>\w+)\))?: (?P<message>.*)")
_INVALID = re.compile(r'The (?P<kind>[A-Z]\w+) "(?P<name>[^"]{0,253})" is invalid: (?P<message>.*)')
_TIMEOUT = re.compile(r"error: timed out waiting for the condition(?: on (?P<kind>[\w.]+)/(?P<name>[\w.-]+))?")
_PREFIX = re.compile(r"error(?: when \w+ \"[^\"]*\")?: ")

OPENS = re.compile(
    r"(?:Waiting for )?(?:error: )?(?:deployment|statefulset|daemon ?set)[ \"]+[a-z0-9.\"-]+ |Waiting for deployment spec|Error from server|The [A-Z]\w+ \"[^\"]*\" is invalid:|error: timed out waiting"
)


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of a message: one line, except that "is invalid" lists its causes in the lines below."""
    del command
    end = start + 1
    if lines[start].text.startswith("The "):
        while end < len(lines) and lines[end].text.startswith(("* ", " * ")):
            end += 1
    return end - start


def read(section: Section) -> Iterator[Draft]:
    """Yield one status; its subject is the object that the sentence or the command names."""
    text = section.text
    draft = Draft(section.first, "status", text, namespace=section.command.namespace, section=section.no)
    kind, name = section.command.target
    if match := _SERVER.match(text):
        draft.reason, draft.level = match["reason"] or "ServerError", "error"
        draft.facts |= message_facts(match["message"])
        draft.namespace = draft.namespace or draft.facts.get("resource_namespace", "")
    elif match := _INVALID.match(text):
        draft.reason, draft.level = "Invalid", "error"
        kind, name = match["kind"], match["name"]
        draft.facts |= message_facts(text.removeprefix("The "))
    elif match := _TIMEOUT.match(text):
        draft.reason, draft.level = "TimedOut", "error"
        kind, name = (kind_of(match["kind"]), match["name"]) if match["kind"] else (kind, name)
    elif match := _ROLLOUT.match(text):
        draft.reason = next((reason for needle, reason in _REASONS if needle in text), "Rollout")
        kind, name = kind_of(match["kind"].replace(" ", "")), match["name"]
    if name:
        set_subject(draft, kind, name)
    yield draft
