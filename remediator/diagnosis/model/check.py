"""The check of a model's answer: pure, so that the same answer always gives the same result.

Nothing here makes a change. A kept choice still goes through locating, proof and guardrails like a rule's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from pydantic import Field, ValidationError

from remediator.domain.base import Value
from remediator.domain.model_answer import Argument, Choice, CitedClaim, ModelAnswer, ModelQuestion, Offer, Parameter

Quantity = Callable[[str], Decimal | None]
"""Reads a Kubernetes quantity; None for what is none."""

MALFORMED = "answer does not fit the schema"


class CheckedAnswer(Value):
    """The accepted part of an answer, and how often something was dropped, by reason."""

    enough_evidence: bool = False
    category: str = ""
    """Empty where the model agrees with the rules or brought no evidence for another category."""
    root_cause: tuple[CitedClaim, ...] = ()
    choices: tuple[Choice, ...] = ()
    dropped: dict[str, int] = Field(default_factory=dict)


def judge(answer: str | bytes, brief: ModelQuestion, quantity: Quantity) -> CheckedAnswer:
    """Keep only what cites existing evidence and stays within the offers."""
    try:
        opinion = ModelAnswer.model_validate_json(answer)
    except ValidationError:
        return CheckedAnswer(dropped={MALFORMED: 1})
    if not opinion.enough_evidence:
        return CheckedAnswer()
    dropped: Counter[str] = Counter()
    evidence_ids = {window.id for window in brief.windows}
    claims = [claim for claim in opinion.root_cause if _keep(_uncited(claim.evidence, evidence_ids), dropped)]
    choices = [
        choice for choice in opinion.choices if _keep(_objection(choice, brief, evidence_ids, quantity), dropped)
    ]
    category = ""
    if opinion.category != brief.category and _keep(_category(opinion, brief, evidence_ids), dropped):
        category = opinion.category
    return CheckedAnswer(
        enough_evidence=True,
        category=category,
        root_cause=tuple(claims),
        choices=tuple(choices),
        dropped=dict(dropped),
    )


def _keep(objection: str, dropped: Counter[str]) -> bool:
    if objection:
        dropped[objection] += 1
    return not objection


def _uncited(evidence: Sequence[str], evidence_ids: set[str]) -> str:
    if not evidence:
        return "no evidence cited"
    return "" if set(evidence) <= evidence_ids else "cites evidence that does not exist"


def _category(opinion: ModelAnswer, brief: ModelQuestion, evidence_ids: set[str]) -> str:
    """Return why the answer's category is refused; another category must cite evidence of that category.

    Where the rules found nothing, any cited line is enough: the category is then only shown, and nothing follows from it.
    """
    if opinion.category not in brief.categories:
        return "unknown category"
    if objection := _uncited(opinion.category_evidence, evidence_ids):
        return objection
    borne = {window.category for window in brief.windows if window.id in opinion.category_evidence}
    return "" if borne & {opinion.category, ""} else "the cited evidence does not bear the category"


def _objection(choice: Choice, brief: ModelQuestion, evidence_ids: set[str], quantity: Quantity) -> str:
    offer = next((candidate for candidate in brief.offers if candidate.action == choice.action), None)
    if offer is None:
        return "action not allowed"
    if choice.target not in offer.targets or choice.target not in {target.id for target in brief.targets}:
        return "target is no located value of this action"
    if objection := _uncited(choice.evidence, evidence_ids):
        return objection
    signals = {window.signal for window in brief.windows if window.id in choice.evidence}
    if not signals & set(offer.ends):
        return "the cited evidence is nothing that the action ends"
    return _arguments(choice.arguments, offer, quantity)


def _arguments(arguments: Sequence[Argument], offer: Offer, quantity: Quantity) -> str:
    parameters: Mapping[str, Parameter] = {parameter.name: parameter for parameter in offer.parameters}
    names = [argument.name for argument in arguments]
    if sorted(names) != sorted(parameters):
        return "parameters missing, unknown or given twice"
    fits = all(_fits(argument.value, parameters[argument.name], quantity) for argument in arguments)
    return "" if fits else "parameter out of bounds"


def _fits(value: str, parameter: Parameter, quantity: Quantity) -> bool:
    """Return True for an offered value, or a quantity between two known bounds; without both bounds nothing else fits."""
    if value in parameter.values:
        return True
    amount, low, high = (quantity(text) for text in (value, parameter.minimum, parameter.maximum))
    return amount is not None and low is not None and high is not None and low <= amount <= high
