"""Hypotheses from the remedies: each action that the evidence's signals call for says what it would do.

A remedy turns what its signals say into located edits and rates how sure it is; that rating is the hypothesis' prior.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.candidates import fixes, possible_actions
from remediator.remedies.engine.unprovable import Unprovable

UNDO = "roll_back"
"""Renders each difference of recent commits; asked only where nothing surer was found."""


def from_remedies(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield what each considered action would do, all but the taking back of whole commits."""
    yield from _of_actions(inquiry, undo=False)


def from_history(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield what taking back recent commits would do."""
    yield from _of_actions(inquiry, undo=True)


def _of_actions(inquiry: Inquiry, *, undo: bool) -> Iterator[Hypothesis]:
    for action in possible_actions(inquiry.diagnosis, inquiry.policies):
        if (action.id == UNDO) is not undo:
            continue
        context = inquiry.context(action.id)
        try:
            for fix in fixes(context):
                if fix.score > 0:
                    yield Hypothesis(
                        generator="changes" if undo else "remedies",
                        rule=action.id,
                        action=action.id,
                        cause=fix.rollback or fix.reason,
                        fix=fix,
                        features={"remedy_score": fix.score},
                    )
        except Unprovable as refusal:
            yield Hypothesis(
                generator="changes" if undo else "remedies",
                rule=action.id,
                action=action.id,
                cause=str(refusal),
                fix=None,
            )
