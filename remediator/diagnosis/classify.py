"""Turns statements into incidents.

A cause explains the symptoms around it, so the strongest cause names the incident and symptoms become its evidence.
An input without any signal is `info` only if nothing grave is left unexplained; else it is `unknown`, with the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from remediator.diagnosis.gravity import GraveStatement, grave_statements
from remediator.diagnosis.grouping import Group, group_matches, key_of
from remediator.diagnosis.last_words import last_words
from remediator.diagnosis.resemblance import resembled
from remediator.diagnosis.severity import recovered, severity_of
from remediator.diagnosis.signals import SignalMatch, find_matches
from remediator.diagnosis.wrapping import unwrapped
from remediator.domain.incident import SEVERITIES, Diagnosis, Evidence, Statement, Subject
from remediator.evidence import normalise
from remediator.policy import Catalogue

MAX_EVIDENCE = 12
MAX_CONTEXT = 160
_TEXT_BOUND = 1200
_SIGNATURE = 120
_QUOTE = 300
"""Characters of the sentence that names an unknown fault."""


def classify(
    statements: Sequence[Statement], catalogue: Catalogue, *, redact: Callable[[str], str] = lambda text: text
) -> tuple[Diagnosis, ...]:
    """Return all incidents in these statements, most severe first; always at least one (`info` if nothing is wrong)."""
    hits = find_matches(statements, catalogue)
    groups = [group for group in group_matches(hits, statements) if not recovered(group, statements)]
    if not groups:
        return (_without_incident(statements, hits, catalogue, redact),)
    diagnoses = [_diagnose(group, statements, redact) for group in groups]
    order = {severity: index for index, severity in enumerate(SEVERITIES)}
    ranked = sorted(
        zip(diagnoses, groups, strict=True),
        key=lambda pair: (order[pair[0].severity], tuple(-part for part in pair[1].lead.rank)),
    )
    return tuple(diagnosis for diagnosis, _ in ranked)


def signature(diagnosis: Diagnosis) -> str:
    """Return the text that identifies an incident when it occurs again: its leading signal and the objects that it names."""
    if not diagnosis.evidence:
        return diagnosis.category
    lead = diagnosis.evidence[0]
    kind = lead.signal or normalise(lead.text)[:_SIGNATURE]
    return ":".join([kind, *object_names(diagnosis), *_foreign_log(diagnosis)])


def _foreign_log(diagnosis: Diagnosis) -> list[str]:
    """Return the log that alone tells of this incident of another workload.

    Declining such a tale must not silence the same fault once the platform tells of it.
    """
    speakers = {item.speaker for item in diagnosis.evidence}
    own = {f"log:{name}" for name in (diagnosis.subject.name, diagnosis.subject.pod, diagnosis.subject.container, "")}
    return sorted(speakers) if all(s.startswith("log:") for s in speakers) and not speakers & own else []


def object_names(diagnosis: Diagnosis) -> list[str]:
    """Return the names in the leading evidence: the same fault of another name is another fault."""
    facts = diagnosis.evidence[0].facts if diagnosis.evidence else {}
    return [facts[name] for name in ("missing", "key", "variable", "flag", "command") if facts.get(name)]


def _diagnose(group: Group, statements: Sequence[Statement], redact: Callable[[str], str]) -> Diagnosis:
    lead = group.lead
    ordered = sorted(
        group.hits, key=lambda hit: (hit is not lead, hit.signal.role != "cause", [-part for part in hit.rank])
    )
    evidence = _evidence(ordered, redact)
    statement_ids = {id(hit.statement) for hit in group.hits}
    context = [s for s in statements if id(s) not in statement_ids and _is_context(s, group)]
    said = next((_told(statement, redact) for statement in last_words(group, statements)), "")
    return Diagnosis(
        category=lead.category.id,
        severity=severity_of(group, statements),
        subject=group.subject,
        summary=summarise(lead, group.subject, _restarts(group)),
        evidence=evidence,
        context=tuple(_context(s, redact) for s in context[:MAX_CONTEXT]),
        victims=tuple(victim for victim in group.victims if key_of(victim) != key_of(group.subject)),
        first_seen=min((e.first_seen for e in evidence if e.first_seen), default=""),
        last_words=said,
    )


def _restarts(group: Group) -> int:
    """Return the highest restart count in the statuses of this incident."""
    counts = (hit.statement.facts.get("restart_count", "") for hit in group.hits)
    return max((int(text) for text in counts if text.isdigit()), default=0)


def summarise(lead: SignalMatch, subject: Subject, restarts: int = 0) -> str:
    """Return the summary of the leading signal, else of its category, filled with the names of this incident."""
    words = {
        "workload": _place(subject),
        "container": subject.container,
        "image": lead.facts.get("image") or subject.image or "its image",
        "probe": lead.facts.get("probe", "health").lower(),
        "resource": lead.facts.get("resource", "cpu"),
        "restarts": f" ({restarts} restarts)" if restarts > 1 else "",
    }
    template = lead.signal.summary or lead.category.summary or lead.category.title
    return re.sub(
        r"\{(\w+)\}", lambda placeholder: str(words.get(placeholder[1]) or lead.facts.get(placeholder[1], "")), template
    )


def _place(subject: Subject) -> str:
    name = (
        subject.name or subject.pod or subject.application or subject.node or subject.container or "an unnamed object"
    )
    return f"{name} ({subject.namespace})" if subject.namespace else name


def _evidence(hits: Sequence[SignalMatch], redact: Callable[[str], str]) -> tuple[Evidence, ...]:
    """Return one piece of evidence per signal and sentence; a repeated sentence raises the count."""
    pieces: dict[tuple[str, str, str], Evidence] = {}
    for hit in hits:
        statement = hit.statement
        name = (hit.signal.id, statement.subject.pod or statement.subject.name, statement.text[:200])
        if name in pieces:
            evidence = pieces[name]
            pieces[name] = evidence.model_copy(update={"count": max(evidence.count, statement.count)})
        elif len(pieces) < MAX_EVIDENCE:
            pieces[name] = Evidence(
                id=f"E{len(pieces) + 1}",
                signal=hit.signal.id,
                category=hit.category.id,
                **_common(statement, redact),
                facts={key: redact(value) for key, value in hit.facts.items()},
            )
    return tuple(pieces.values())


def _context(statement: Statement, redact: Callable[[str], str]) -> Evidence:
    facts = {key: redact(value) for key, value in statement.facts.items()}
    return Evidence(id="", signal="", category="", **_common(statement, redact), facts=facts)


def _common(statement: Statement, redact: Callable[[str], str]) -> dict[str, object]:
    return {
        "source": _printable_source(statement.source),
        "line": statement.line,
        "channel": statement.channel,
        "subject": statement.subject,
        "speaker": statement.speaker,
        "reason": statement.reason,
        "text": redact(statement.text[:_TEXT_BOUND]),
        "count": statement.count,
        "first_seen": statement.first_seen,
        "last_seen": statement.last_seen,
    }


def _printable_source(source: str) -> str:
    """Return a source name for people: only the last part of an absolute path, since the rest describes somebody's machine."""
    return source.rpartition("/")[2] if source.startswith("/") else source


def _is_context(statement: Statement, group: Group) -> bool:
    """Return True if a statement may help to fix this incident: same object, namespace or application, or cluster-wide."""
    subject = statement.subject
    spaces = {s.namespace for s in (group.subject, *group.victims) if s.namespace}
    if subject.namespace:
        return subject.namespace in spaces or not spaces
    if subject.application:
        return subject.application == group.subject.application
    return subject.kind in ("Node", "StorageClass", "IngressClass", "PriorityClass", "") or not spaces


def _without_incident(
    statements: Sequence[Statement], hits: Sequence[SignalMatch], catalogue: Catalogue, redact: Callable[[str], str]
) -> Diagnosis:
    """Return the diagnosis of an input that no rule explains: `unknown` with what is grave in it, else `info`."""
    explained = [hit.statement for hit in hits if hit.signal.role != "hint" or hit.signal.calm]
    if grave := grave_statements(statements, explained):
        return _unknown_diagnosis(grave, catalogue, redact)
    subject = next((s.subject for s in (*explained, *statements) if s.subject.application), None) or next(
        (s.subject for s in (*explained, *statements) if s.subject.name or s.subject.pod), Subject()
    )
    category = catalogue.by_id["info"]
    return Diagnosis(
        category=category.id,
        severity=category.severity,
        subject=subject,
        summary=category.summary or category.title,
        evidence=_evidence(hits, redact),
    )


def _unknown_diagnosis(
    grave: Sequence[GraveStatement], catalogue: Catalogue, redact: Callable[[str], str]
) -> Diagnosis:
    """Return `unknown` about the object of the gravest statement, with its sentence."""
    lead = grave[0].statement
    about = [item.statement for item in grave if key_of(item.statement.subject) == key_of(lead.subject)]
    others = [item.statement for item in grave if item.statement not in about]
    evidence = tuple(
        Evidence(id=f"E{number}", signal="", category="unknown", **_common(statement, redact), facts=statement.facts)
        for number, statement in enumerate((*about, *others)[:MAX_EVIDENCE], 1)
    )
    return Diagnosis(
        category="unknown",
        severity=grave[0].severity,
        subject=lead.subject,
        summary=f"{_place(lead.subject)}: {_sentence(lead, redact)}",
        evidence=evidence,
        first_seen=lead.first_seen,
        resembles=resembled((unwrapped(piece.text) for piece in evidence), catalogue),
    )


def _told(statement: Statement, redact: Callable[[str], str]) -> str:
    """Return what a log line says: the message and error of a structured one, else its sentence."""
    told = [statement.facts[name] for name in ("msg", "error") if statement.facts.get(name)]
    return redact(": ".join(dict.fromkeys(told))) if told else _sentence(statement, redact)


def _sentence(statement: Statement, redact: Callable[[str], str]) -> str:
    """Return what a statement says on one line; of a long one the end, where wrapped messages say what is wrong."""
    text = " ".join(redact(unwrapped(statement.text)).split())
    if statement.reason and statement.reason not in text:
        text = f"{statement.reason}: {text}" if text else statement.reason
    return text if len(text) <= _QUOTE else f"… {text[-_QUOTE:]}"
