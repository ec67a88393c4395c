"""What of a model's opinion is kept: pure, and the same whatever the model meant by it.

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
    """What is left, and how often something was dropped, by reason."""

    enough_evidence: bool = False
    category: str = ""
    """Empty where the model agrees with the rules or brought no evidence for another category."""
    root_cause: tuple[CitedClaim, ...] = ()
    choices: tuple[Choice, ...] = ()
    dropped: dict[str, int] = Field(default_factory=dict)


def judge(answer: str | bytes, brief: ModelQuestion, quantity: Quantity) -> CheckedAnswer:
    """Keep just what cites evidence that exists and stays within what was offered."""
    try:
        opinion = ModelAnswer.model_validate_json(answer)
    except ValidationError:
        return CheckedAnswer(dropped={MALFORMED: 1})
    if not opinion.enough_evidence:
        return CheckedAnswer()
    dropped: Counter[str] = Counter()
    known = {window.id for window in brief.windows}
    claims = [claim for claim in opinion.root_cause if _keep(_uncited(claim.evidence, known), dropped)]
    choices = [choice for choice in opinion.choices if _keep(_objection(choice, brief, known, quantity), dropped)]
    category = ""
    if opinion.category != brief.category and _keep(_category(opinion, brief, known), dropped):
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


def _uncited(evidence: Sequence[str], known: set[str]) -> str:
    if not evidence:
        return "no evidence cited"
    return "" if set(evidence) <= known else "cites evidence that does not exist"


def _category(opinion: ModelAnswer, brief: ModelQuestion, known: set[str]) -> str:
    """Another category needs a signal of its own among what is cited: the rules' facts, read differently.

    Where the rules have no facts, a cited line is all that there can be: the answer is then shown, and bears nothing.
    """
    if opinion.category not in brief.categories:
        return "unknown category"
    if objection := _uncited(opinion.category_evidence, known):
        return objection
    borne = {window.category for window in brief.windows if window.id in opinion.category_evidence}
    return "" if borne & {opinion.category, ""} else "the cited evidence does not bear the category"


def _objection(choice: Choice, brief: ModelQuestion, known: set[str], quantity: Quantity) -> str:
    offer = next((one for one in brief.offers if one.action == choice.action), None)
    if offer is None:
        return "action not allowed"
    if choice.target not in offer.targets or choice.target not in {target.id for target in brief.targets}:
        return "target is no located value of this action"
    if objection := _uncited(choice.evidence, known):
        return objection
    signals = {window.signal for window in brief.windows if window.id in choice.evidence}
    if not signals & set(offer.ends):
        return "the cited evidence is nothing that the action ends"
    return _arguments(choice.arguments, offer, quantity)


def _arguments(arguments: Sequence[Argument], offer: Offer, quantity: Quantity) -> str:
    named: Mapping[str, Parameter] = {parameter.name: parameter for parameter in offer.parameters}
    given = [argument.name for argument in arguments]
    if sorted(given) != sorted(named):
        return "parameters missing, unknown or given twice"
    fits = all(_fits(argument.value, named[argument.name], quantity) for argument in arguments)
    return "" if fits else "parameter out of bounds"


def _fits(value: str, parameter: Parameter, quantity: Quantity) -> bool:
    """Only an exact offered value, or a quantity between two bounds that are both known: no bound, no freedom."""
    if value in parameter.values:
        return True
    amount, low, high = (quantity(text) for text in (value, parameter.minimum, parameter.maximum))
    return amount is not None and low is not None and high is not None and low <= amount <= high
