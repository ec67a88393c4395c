"""Kubernetes events as tables: `kubectl get events`, `kubectl events`, and the Events part of a describe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.draft import Draft
from remediator.evidence.formats.patterns import alternatives
from remediator.evidence.kinds import kind_of
from remediator.evidence.messages import SUBJECT_FACTS, message_facts
from remediator.evidence.tables import columns, none
from remediator.evidence.workload import workload_of_job, workload_of_pod, workload_of_replica_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediator.evidence.command import Command
    from remediator.evidence.lines import Line
    from remediator.evidence.section import Section

OPENS = re.compile(
    r"(?:NAMESPACE +)?(?:LAST SEEN|FIRST SEEN|LASTSEEN) +.*\b(?:REASON|MESSAGE)\b|Events:\s*$|\s*Type\s+Reason\s+(?:Age|FirstSeen)\s"
)
_REPEATED = re.compile(r"(?P<last>\S+) \(x(?P<count>\d+) over (?P<first>[^)]+)\)")
_FIELD_PATH = re.compile(r"spec\.(?:init|ephemeral)?[cC]ontainers\{(?P<name>[^}]+)\}")
_DASHES = re.compile(r"[\s-]+")
_ROW = re.compile(r"\s*(?:[a-z0-9][a-z0-9-]*\s+)?(?:<\w+>|\d[\dsmhdy]*[smhdy]\b|\d{4}-\d\d|Normal\b|Warning\b|-{3})")


def set_subject(draft: Draft, kind: str, name: str) -> Draft:
    """Set the subject of a draft: pods and ReplicaSets by their workload, nodes also as node."""
    match kind:
        case "Pod":
            draft.pod = name
            if not draft.name:
                draft.kind, draft.name = workload_of_pod(name)
        case "ReplicaSet":
            draft.kind, draft.name = workload_of_replica_set(name)
            draft.facts.setdefault("replica_set", name)
        case "Job":
            draft.kind, draft.name = workload_of_job(name)
            draft.facts.setdefault("job", name)
        case "Node":
            draft.kind, draft.name, draft.node = kind, name, name
        case _:
            draft.kind, draft.name = kind, name
    return draft


def event(draft: Draft, kind: str, name: str, *, path: str = "") -> Draft:
    """Complete an event: its subject from the object it regards, its field path and its own sentence."""
    facts = message_facts(draft.text)
    subject = {key: facts.pop(key) for key in SUBJECT_FACTS if key in facts}
    draft.facts |= facts
    draft.facts |= {"object_kind": kind, "object": name}
    set_subject(draft, kind, name)
    if (inside := _FIELD_PATH.search(path)) and not draft.container:
        draft.container = inside["name"]
    for key in ("container", "image", "node", "namespace"):
        if (value := subject.get(key)) and not getattr(draft, key):
            setattr(draft, key, value)
    if kind not in {"Pod", "Node"} and draft.node and draft.kind != "Node":
        draft.node = ""
    return draft


def age(draft: Draft, text: str) -> None:
    """Read `6m9s (x5 over 7m39s)`: ages are facts, since without the time of reading they are no times."""
    if match := _REPEATED.fullmatch(text):
        draft.count = int(match["count"])
        draft.facts |= {"age": match["last"], "first_age": match["first"]}
    elif none(text):
        draft.facts["age"] = text


def table(
    lines: Sequence[Line],
    *,
    namespace: str = "",
    kind: str = "",
    name: str = "",
    section: int = 0,
    base: Draft | None = None,
) -> Iterator[Draft]:
    """Yield the events of a table whose first line is the header; `kind` and `name` hold where no OBJECT column tells them."""
    cols = columns(lines[0].text)
    for line in lines[1:]:
        if line.blank or _DASHES.fullmatch(line.text):
            continue
        cell = {key.upper(): value for key, value in cols.cells(line.text).items()}
        message = cell.get("MESSAGE", "")
        if not message or not (cell.get("REASON") or cell.get("TYPE")):
            continue
        facts = dict(base.facts) if base else {}
        draft = Draft(
            line.no,
            "event",
            message,
            none(cell.get("REASON", "")),
            none(cell.get("TYPE", "")),
            section=section,
            facts=facts,
        )
        draft.namespace = none(cell.get("NAMESPACE", "")) or namespace
        if base:
            draft.application, draft.kind, draft.name, draft.pod, draft.node = (
                base.application,
                base.kind,
                base.name,
                base.pod,
                base.node,
            )
        if reporter := none(cell.get("FROM", "") or cell.get("SOURCE", "")):
            draft.facts["reporter"] = reporter
        age(draft, cell.get("LAST SEEN") or cell.get("LASTSEEN") or cell.get("AGE") or "")
        if cell.get("COUNT", "").isdigit():
            draft.count = int(cell["COUNT"])
        on_kind, on_name = kind, name
        if reference := cell.get("OBJECT"):
            word, _, on_name = reference.partition("/")
            on_kind = kind_of(word)
        elif cell.get("KIND"):
            on_kind, on_name = kind_of(cell["KIND"]), cell.get("NAME", "").split(".")[0]
        yield event(draft, on_kind, on_name, path=cell.get("SUBOBJECT") or cell.get("SUBOBJECTPATH") or "")


def take(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the length of a table: its lines begin with an age or a type; `Events:` alone opens the one after it."""
    del command
    end = start + 1
    while end < len(lines) and (_ROW.match(lines[end].text) or OPENS.match(lines[end].text)):
        end += 1
    return end - start


_AGE = r"(?P<age>\d+[smhd]\S*(?: \(x\d+ over [^)]+\))?)"
_ROW_FORMS = (
    re.compile(
        rf"(?:(?P<namespace>[a-z0-9-]+) +)?{_AGE} +(?P<type>Normal|Warning) +(?P<reason>[A-Z]\w+) +(?P<kind>[a-z][a-z.]+)/(?P<name>[a-z0-9][a-z0-9.-]*) +(?P<message>\S.*)"
    ),
    re.compile(
        rf" *(?P<type>Normal|Warning) +(?P<reason>[A-Z]\w+) +{_AGE} +(?P<reporter>[a-z][\w.-]+(?:, \S+)?) +(?P<message>\S.*)"
    ),
    re.compile(
        r"(?P<age>\d+[smhd]\S*) +\d+[smhd]\S* +\d+ +(?P<name>[a-z0-9][a-z0-9.-]*)\.[0-9a-f]{10,20} +(?P<kind>[A-Z]\w+) +(?:(?P<path>spec\.\S+) +)?"
        r"(?P<type>Normal|Warning) +(?P<reason>[A-Z]\w+) +(?P<reporter>[a-z][\w.-]+(?:, \S+)?) +(?P<message>\S.*)"
    ),
)
"""Rows of `kubectl get events`, of `kubectl describe`, and of kubectl before 1.18, whose columns were LASTSEEN, FIRSTSEEN,
COUNT, the event's name, KIND, SUBOBJECT, TYPE, REASON and SOURCE."""
ROWS = re.compile(alternatives(form.pattern for form in _ROW_FORMS))
"""A row of `kubectl get events`, or of the events that `kubectl describe` shows, without its header, as `grep` leaves it."""


def take_rows(lines: Sequence[Line], start: int, command: Command) -> int:
    """Return the number of rows that stand together."""
    del command
    end = start + 1
    while end < len(lines) and ROWS.match(lines[end].text):
        end += 1
    return end - start


def read_rows(section: Section) -> Iterator[Draft]:
    """Yield one event per row, about the object that it names, or about the one that was described."""
    described_kind, described_name = section.command.target
    for line in section.lines:
        match = next(filter(None, (form.match(line.text) for form in _ROW_FORMS)), None)
        if match is None:
            continue
        fields = match.groupdict()
        draft = Draft(line.no, "event", match["message"], match["reason"], match["type"], section=section.no)
        draft.namespace = fields.get("namespace") or section.command.namespace
        if fields.get("reporter"):
            draft.facts["reporter"] = match["reporter"].partition(",")[0]
        age(draft, match["age"])
        kind, name = fields.get("kind") or described_kind, fields.get("name") or described_name
        yield event(draft, kind_of(kind) if kind else "", name, path=fields.get("path") or "")


def read(section: Section) -> Iterator[Draft]:
    """Yield the events; without an OBJECT column they are about the object of the command."""
    lines = section.lines
    if lines[0].text.startswith("Events:"):
        lines = lines[1:]
    if not lines:
        return
    kind, name = section.command.target
    if section.command.verb != "describe":
        kind = name = ""
    drafts = list(table(lines, namespace=section.command.namespace, kind=kind, name=name, section=section.no))
    share_pod(drafts, kind)
    yield from drafts


def share_pod(drafts: Sequence[Draft], kind: str) -> None:
    """Set the pod of a describe without its head (cut by `tail`, or by hand) from any sentence that names it."""
    if kind not in {"", "Pod"} or any(d.pod for d in drafts):
        return
    for draft in drafts:
        facts = message_facts(draft.text)
        if pod := facts.get("pod"):
            for sibling in drafts:
                sibling.namespace = sibling.namespace or facts.get("namespace", "")
                sibling.kind = sibling.name = ""
                sibling.node = sibling.node or facts.get("node", "")
                sibling.facts["object"], sibling.facts["object_kind"] = pod, "Pod"
                set_subject(sibling, "Pod", pod)
            return
