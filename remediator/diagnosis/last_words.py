"""The last words of a program that ends by itself: the gravest line of its own log, which says more than that it ended."""

from __future__ import annotations

from collections.abc import Sequence

from remediator.diagnosis.gravity import grave_statements
from remediator.diagnosis.grouping import Group, key_of
from remediator.domain.incident import Statement


def last_words(group: Group, statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Return the grave lines of the culprit's own log where nothing but symptoms is known; critical ones, then the newest, first."""
    if group.lead.signal.role != "symptom":
        return ()
    known = [hit.statement for hit in group.hits]
    own = [statement for statement in statements if statement.channel == "log" and _is_own(statement, group)]
    grave = grave_statements(own, known)
    ordered = sorted(enumerate(grave), key=lambda item: (item[1].severity != "critical", -item[0]))
    return tuple(item.statement for _, item in ordered)


def _is_own(statement: Statement, group: Group) -> bool:
    """Return True for a line that the culprit's own container printed."""
    return bool(statement.subject.name or statement.subject.pod) and key_of(statement.subject) == key_of(group.subject)
