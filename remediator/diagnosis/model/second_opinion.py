"""A second reading of an incident by a model, after the rules: asked, judged, and told beside the rules' answer.

The rules' category, severity and first choice stand whatever it says, since a model that lies must do no more harm than
none. It may add options that pass every check of a rule's, behind them, and its words are quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from remediator.diagnosis.model.check import judge
from remediator.diagnosis.model.question import UNKNOWN, VALUE
from remediator.diagnosis.model.recall import key_of, meanings, recall_answer, storable_answer
from remediator.diagnosis.prompts import VERSION
from remediator.domain.lifecycle import SecondReading
from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from remediator.diagnosis.model.check import CheckedAnswer
    from remediator.domain.change import Proposal
    from remediator.domain.model_answer import Choice, ModelQuestion
    from remediator.domain.ports import Analyst

SetValue: TypeAlias = "Callable[[Proposal, str, str], Proposal]"
"""(proposal, path, value): the proposal with that value, located, rendered and within bounds; else PolicyViolation."""

_MAX_OPTIONS = 2


def second_reading(
    analyst: Analyst,
    brief: ModelQuestion,
    proposals: Sequence[Proposal],
    set_value: SetValue,
    quantity: Callable[[str], Decimal | None],
    redact: Callable[[str], str],
    previous: SecondReading | None = None,
) -> tuple[SecondReading, tuple[Proposal, ...]]:
    """Return the report about the model's answer and the options that it adds; a failing model never raises."""
    key = key_of(analyst.name, brief)
    earlier = recall_answer(previous, key, brief)
    try:
        answer = earlier or analyst.consider(brief)
    except RemediatorError as error:
        note = f"The model was not heard: {redact(str(error))[:300]}"
        return SecondReading(model=analyst.name, note=note, heard=False, prompt=VERSION), ()
    if earlier:
        analyst.recalled()
    judged = judge(answer, brief, quantity)
    dropped = dict(judged.dropped)
    added: list[Proposal] = []
    for choice in judged.choices:
        try:
            option = _option(choice, proposals, set_value)
        except RemediatorError as error:
            why = f"option refused ({redact(str(error))[:120]})"
            dropped[why] = dropped.get(why, 0) + 1
            continue
        if (
            option
            and option.edits not in [proposal.edits for proposal in (*proposals, *added)]
            and len(added) < _MAX_OPTIONS
        ):
            mine = {"id": f"{choice.action}#model{len(added) + 1}", "source": "model"}
            added.append(option.model_copy(update=mine))
    worth = storable_answer(redact(answer))
    second = SecondReading(
        model=analyst.name,
        note=redact(_note(judged, dropped, brief, added)),
        dropped=sum(dropped.values()),
        category=judged.category,
        prompt=VERSION,
        recalled=bool(earlier),
        key=key if worth else "",
        answer=worth,
        meant=meanings(brief) if worth else {},
    )
    return second, tuple(added)


def _option(choice: Choice, proposals: Sequence[Proposal], set_value: SetValue) -> Proposal | None:
    """Return a proposal with the model's value in a rule's place; None if it is the rule's own value."""
    proposal = proposals[int(choice.target[1:]) - 1]
    edit = next(candidate for candidate in proposal.edits if candidate.op in {"set", "insert"})
    value = next(argument.value for argument in choice.arguments if argument.name == VALUE)
    if value == str(edit.value):
        return None
    option = set_value(proposal, ".".join(str(step) for step in edit.path if isinstance(step, str))[-200:], value)
    cited = ", ".join(choice.evidence)
    reason = f"The model suggests {value} ({cited}); the rules would set {edit.value}."
    return option.model_copy(update={"reason": reason, "score": 0.0})


def _note(judged: CheckedAnswer, dropped: dict[str, int], brief: ModelQuestion, added: Sequence[Proposal]) -> str:
    lines = []
    if judged.category and brief.category == UNKNOWN:
        lines.append(f"It reads this as {judged.category}; no rule says so.")
    elif judged.category:
        lines.append(f"It calls this {judged.category}; the rules say {brief.category}, and that stands.")
    if added:
        lines.append(f"Options added behind the rules': {', '.join(option.title for option in added)}.")
    if not judged.enough_evidence and not dropped:
        lines.append("It says that the evidence is not enough.")
    if dropped:
        lines.append("Dropped: " + "; ".join(f"{why} ({number})" for why, number in sorted(dropped.items())) + ".")
    lines += [f"{claim.text} ({', '.join(claim.evidence)})" for claim in judged.root_cause]
    if brief.category == UNKNOWN:  # what it cites stands nowhere else in the report
        cited = {name for claim in judged.root_cause for name in claim.evidence}
        lines += [
            f"{window.id}: {' '.join(window.text.split())[:200]}" for window in brief.windows if window.id in cited
        ]
    return "\n".join(lines) or "It adds nothing to the rules' answer."
