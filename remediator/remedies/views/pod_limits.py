"""Memory limits that the evidence shows on pods: the cluster can run an older or newer version than the repository."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.remedies.engine.case import RemedyContext


def memory_limits_of_killed(case: RemedyContext, killed: Sequence[Evidence], container: str) -> set[Decimal]:
    """Return the memory limits that the evidence shows on the pods that were killed; empty where it shows none."""
    return {
        amount
        for evidence in case.statements
        if evidence.subject.container in ("", container)
        and (evidence in killed or evidence.subject.pod in {statement.subject.pod for statement in killed})
        if (amount := quantities.parse(evidence.facts.get("memory_limit"))) is not None
    }
