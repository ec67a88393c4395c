"""From statements to incidents: causes beat symptoms, the culprit is named, calm stays calm."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from remediator.diagnosis.grouping import Group, group, key_of
from remediator.diagnosis.severity import recovered, severity_of
from remediator.diagnosis.signals import SignalMatch, matched
from remediator.domain.incident import SEVERITIES, Diagnosis, Evidence, Statement, Subject
from remediator.policy import Catalogue

MAX_EVIDENCE = 12
MAX_CONTEXT = 160
_TEXT_BOUND = 1200


def classify(
    statements: Sequence[Statement], catalogue: Catalogue, *, redact: Callable[[str], str] = lambda text: text
) -> tuple[Diagnosis, ...]:
    """All incidents in these statements, gravest first; always at least one (`info` where all is calm)."""
    hits = matched(statements, catalogue)
    groups = [one for one in group(hits, statements) if not recovered(one, statements)]
    if not groups:
        return (_calm(statements, hits, catalogue, redact),)
    diagnoses = [_diagnose(one, statements, redact) for one in groups]
    order = {severity: index for index, severity in enumerate(SEVERITIES)}
    ranked = sorted(
        zip(diagnoses, groups, strict=True),
        key=lambda pair: (order[pair[0].severity], tuple(-part for part in pair[1].lead.rank)),
    )
    return tuple(diagnosis for diagnosis, _ in ranked)


def signature(diagnosis: Diagnosis) -> str:
    """What makes the same incident the same the next time: its leading signal and the object it names."""
    if not diagnosis.evidence:
        return diagnosis.category
    return ":".join([diagnosis.evidence[0].signal, *named(diagnosis)])


def named(diagnosis: Diagnosis) -> list[str]:
    """What the leading evidence names: the same fault of another name is another fault."""
    facts = diagnosis.evidence[0].facts if diagnosis.evidence else {}
    return [facts[name] for name in ("missing", "key", "variable", "flag", "command") if facts.get(name)]


def _diagnose(one: Group, statements: Sequence[Statement], redact: Callable[[str], str]) -> Diagnosis:
    lead = one.lead
    ordered = sorted(
        one.hits, key=lambda hit: (hit is not lead, hit.signal.role != "cause", [-part for part in hit.rank])
    )
    evidence = _evidence(ordered, redact)
    seen = {id(hit.statement) for hit in one.hits}
    context = [s for s in statements if id(s) not in seen and _near(s, one)]
    return Diagnosis(
        category=lead.category.id,
        severity=severity_of(one, statements),
        subject=one.subject,
        summary=summarise(lead, one.subject, _restarts(one)),
        evidence=evidence,
        context=tuple(_context(s, redact) for s in context[:MAX_CONTEXT]),
        victims=tuple(victim for victim in one.victims if key_of(victim) != key_of(one.subject)),
        first_seen=min((e.first_seen for e in evidence if e.first_seen), default=""),
    )


def _restarts(one: Group) -> int:
    """The most restarts that any status of this incident tells."""
    told = (hit.statement.facts.get("restart_count", "") for hit in one.hits)
    return max((int(text) for text in told if text.isdigit()), default=0)


def summarise(lead: SignalMatch, subject: Subject, restarts: int = 0) -> str:
    """The category's sentence with the names of this incident in it."""
    name = subject.name or subject.pod or subject.application or subject.node or subject.container or "something"
    place = f"{name} ({subject.namespace})" if subject.namespace else name
    words = {
        "workload": place,
        "container": subject.container,
        "image": lead.facts.get("image") or subject.image or "its image",
        "probe": lead.facts.get("probe", "health").lower(),
        "resource": lead.facts.get("resource", "cpu"),
        "restarts": f" ({restarts} restarts)" if restarts > 1 else "",
    }
    template = lead.category.summary or lead.category.title
    return re.sub(r"\{(\w+)\}", lambda found: str(words.get(found[1]) or lead.facts.get(found[1], "")), template)


def _evidence(hits: Sequence[SignalMatch], redact: Callable[[str], str]) -> tuple[Evidence, ...]:
    """One piece a signal and sentence; the same sentence seen again adds to its count."""
    pieces: dict[tuple[str, str, str], Evidence] = {}
    for hit in hits:
        statement = hit.statement
        name = (hit.signal.id, statement.subject.pod or statement.subject.name, statement.text[:200])
        if name in pieces:
            known = pieces[name]
            pieces[name] = known.model_copy(update={"count": max(known.count, statement.count)})
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
        "source": _shown(statement.source),
        "line": statement.line,
        "channel": statement.channel,
        "subject": statement.subject,
        "reason": statement.reason,
        "text": redact(statement.text[:_TEXT_BOUND]),
        "count": statement.count,
        "first_seen": statement.first_seen,
        "last_seen": statement.last_seen,
    }


def _shown(source: str) -> str:
    """A name that people may read: of an absolute path its last part, since the rest tells of somebody's machine."""
    return source.rpartition("/")[2] if source.startswith("/") else source


def _near(statement: Statement, one: Group) -> bool:
    """Whether a statement may help to mend this incident: same object, namespace or application, or cluster-wide."""
    subject = statement.subject
    spaces = {s.namespace for s in (one.subject, *one.victims) if s.namespace}
    if subject.namespace:
        return subject.namespace in spaces or not spaces
    if subject.application:
        return subject.application == one.subject.application
    return subject.kind in ("Node", "StorageClass", "IngressClass", "PriorityClass", "") or not spaces


def _calm(
    statements: Sequence[Statement], hits: Sequence[SignalMatch], catalogue: Catalogue, redact: Callable[[str], str]
) -> Diagnosis:
    """Nothing that counts: `info`, or `unknown` where errors are told that no rule knows."""
    told = [hit.statement for hit in hits if hit.signal.role != "hint"]
    subject = next((s.subject for s in (*told, *statements) if s.subject.application), None) or next(
        (s.subject for s in (*told, *statements) if s.subject.name or s.subject.pod), Subject()
    )
    strange = [s for s in statements if s.level.lower() in ("fatal", "panic", "emerg") and s.channel in ("log", "text")]
    category = catalogue.by_id["unknown" if strange else "info"]
    return Diagnosis(
        category=category.id,
        severity=category.severity,
        subject=subject,
        summary=category.summary or category.title,
        evidence=_evidence(hits, redact),
        context=tuple(_context(one, redact) for one in strange[:MAX_EVIDENCE]),
    )
