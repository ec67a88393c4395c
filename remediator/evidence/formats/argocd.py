"""`argocd app get`, `argocd app list`, and lines of Argo CD's own controllers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.command import Command, command_of
from remediator.evidence.draft import Draft
from remediator.evidence.formats.tree import nodes, value
from remediator.evidence.lines import next_filled, rfc3339
from remediator.evidence.messages import message_facts
from remediator.evidence.tables import columns, none, snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(
    r"Name:\s+\S|CONDITION {2,}MESSAGE|GROUP {2,}KIND {2,}NAMESPACE|Operation: {2,}\S"
    r"|NAME {2,}CLUSTER {2,}NAMESPACE {2,}PROJECT {2,}STATUS {2,}HEALTH|TIMESTAMP {2,}GROUP {2,}KIND"
)
_OWN = re.compile(
    r"(?:Project|Server|URL|SyncWindow|Sync Policy|Sync Status|Health Status|Source|Sources|Repo|Target|Path):"
)
_SYNC = re.compile(r"(?P<status>\w+)(?: (?:to|from) (?P<target>\S+))?(?: \((?P<revision>[0-9a-fA-F]+)\))?")
_SOURCE = re.compile(r"(?:- )?(?P<key>Repo|Target|Path|Chart|Helm Values|Ref|Name Prefix):\s*(?P<value>.*)")
_SOURCE_FACTS = {
    "Repo": "repo",
    "Target": "target_revision",
    "Path": "path",
    "Chart": "chart",
    "Helm Values": "helm_values",
    "Ref": "ref",
}
_LAST_TIME = re.compile(r"\s(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \w+)$")


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of one part, which ends at a blank line; each part of an output is a section of its own."""
    text = lines[start].text
    if text.startswith("Name:") and command.verb != "app get":
        head = [line.text for line in lines[start + 1 : start + 12]]
        if sum(1 for line_text in head if _OWN.match(line_text)) < 2:
            return 0
    if text.startswith("Operation:"):
        following = next_filled(lines, start + 1)
        if following >= len(lines) or not lines[following].text.startswith(("Sync Revision:", "Phase:", "Start:")):
            return 0
    end = start + 1
    while end < len(lines) and not lines[end].blank and command_of(lines[end].text) is None:
        end += 1
    return end - start


def read(section: Section) -> Iterator[Draft]:
    """Yield the statements of one part; the Application named by the first part holds for the parts after it."""
    head = section.lines[0].text
    if head.startswith("Name:"):
        yield from _application(section)
    elif head.startswith("CONDITION"):
        yield from _conditions(section)
    elif head.startswith("Operation:"):
        yield from _operation(section)
    elif head.startswith("NAME"):
        yield from _list(section)
    else:
        yield from _resources(section)


def _base(section: Section, line: int) -> Draft:
    context = section.context
    name = context.application
    if section.command.verb == "app get" and not name and section.command.words:
        name = section.command.words[0].rsplit("/", 1)[-1]
    facts = dict(context.app_facts)
    return Draft(
        line,
        "sync",
        application=name,
        kind="Application",
        name=name,
        namespace=facts.get("app_namespace", ""),
        facts=facts,
        section=section.no,
    )


def _application(section: Section) -> Iterator[Draft]:
    tree = nodes(section.lines)
    namespace, _, name = value(tree, "Name").rpartition("/")
    facts: dict[str, str] = {
        "app_namespace": namespace,
        "project": value(tree, "Project"),
        "server": value(tree, "Server"),
    }
    facts["destination_namespace"] = value(tree, "Namespace")
    facts["sync_policy"] = value(tree, "Sync Policy")
    for line in section.lines:
        if match := _SOURCE.match(line.text.strip()):
            key = _SOURCE_FACTS.get(match["key"], "")
            if key and match["value"]:
                facts[key] = f"{facts[key]}, {match['value']}" if key in facts else match["value"]
    sync = _SYNC.match(value(tree, "Sync Status"))
    health = value(tree, "Health Status")
    facts |= {
        "sync_status": sync["status"] if sync else "",
        "health": health,
        "revision": (sync["revision"] or "") if sync else "",
    }
    section.context.application, section.context.app_facts = name, facts
    for key, reason in (("Sync Status", facts["sync_status"]), ("Health Status", health.split(" ")[0])):
        if node := next((node for node in tree if node.key == key), None):
            draft = _base(section, node.line.no)
            draft.reason, draft.text = reason, f"{key}: {node.value}"
            yield draft
    if not any(node.key in {"Sync Status", "Health Status"} for node in tree):
        yield _base(section, section.first)


def _conditions(section: Section) -> Iterator[Draft]:
    for line in section.lines[1:]:
        reason, _, message = line.text.strip().partition(" ")
        draft = _base(section, line.no)
        draft.reason, message = reason, message.strip()
        if match := _LAST_TIME.search(message):
            draft.last_seen, message = rfc3339(match["time"]), message[: match.start()]
        draft.text = message.strip()
        draft.facts |= {"condition": reason, **message_facts(message)}
        yield draft


def _operation(section: Section) -> Iterator[Draft]:
    tree = nodes(section.lines)
    draft = _base(section, section.first)
    draft.reason = value(tree, "Phase")
    message = next((node for node in tree if node.key == "Message"), None)
    draft.text = " ".join(message.values) if message else f"Operation {draft.reason}"
    draft.line = message.line.no if message else draft.line
    draft.first_seen, draft.last_seen = rfc3339(value(tree, "Start")), rfc3339(value(tree, "Finished"))
    draft.facts |= {
        "operation": value(tree, "Operation"),
        "phase": draft.reason,
        "sync_revision": value(tree, "Sync Revision"),
        **message_facts(draft.text),
    }
    yield draft


def _resources(section: Section) -> Iterator[Draft]:
    cols = columns(section.lines[0].text)
    for line in section.lines[1:]:
        cell = {snake(key): text for key, text in cols.cells(line.text).items()}
        if not cell.get("kind"):
            continue
        draft = _base(section, line.no)
        draft.kind, draft.name, draft.namespace = cell["kind"], cell.get("name", ""), cell.get("namespace", "")
        resource(draft, cell.get("status", ""), cell.get("health", ""), cell.get("message", ""))
        draft.facts |= {"group": cell.get("group", ""), "hook": cell.get("hook", "")}
        yield draft


def resource(draft: Draft, status: str, health: str, message: str) -> None:
    """Set reason and text of a managed resource: its sync status first, then its health."""
    draft.reason = status if status and status != "Synced" else (health or status)
    draft.text = message or ", ".join(part for part in (status, health) if part)
    draft.facts |= {"resource_status": status, "resource_health": health, **message_facts(message)}


def _list(section: Section) -> Iterator[Draft]:
    cols = columns(section.lines[0].text)
    for line in section.lines[1:]:
        cell = {snake(key): none(text) for key, text in cols.cells(line.text).items()}
        namespace, _, name = cell.get("name", "").rpartition("/")
        if not name or " " in name:
            continue
        facts = {
            "app_namespace": namespace, "destination_namespace": cell.get("namespace", ""), "project": cell.get("project", ""),
            "server": cell.get("cluster", ""), "sync_status": cell.get("status", ""), "health": cell.get("health", ""),
            "repo": cell.get("repo", ""), "path": cell.get("path", ""), "target_revision": cell.get("target", ""), "conditions": cell.get("conditions", ""),
        }  # fmt: skip
        draft = Draft(
            line.no,
            "sync",
            application=name,
            kind="Application",
            name=name,
            namespace=namespace,
            facts=facts,
            section=section.no,
        )
        draft.reason = facts["sync_status"] if facts["sync_status"] != "Synced" else facts["health"]
        draft.text = f"{facts['sync_status']}, {facts['health']}" + (
            f", {facts['conditions']}" if facts["conditions"] else ""
        )
        yield draft
