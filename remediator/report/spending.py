"""The cost of one run's questions to the model, as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.report import wording

if TYPE_CHECKING:
    from remediator.domain.investigation import Spent
    from remediator.policy import ModelBounds


def spending(name: str, spent: Spent, bounds: ModelBounds) -> str:
    """Return raw text, empty where no model was asked; a cost only where the policy gives prices, since prices change."""
    if not (spent.questions or spent.reused):
        return ""
    parts = [f"asked about {wording.count(spent.questions, 'incident')}"]
    if spent.reused:
        parts.append(f"{wording.count(spent.reused, 'earlier answer')} reused")
    if spent.questions:
        parts.append(
            f"{wording.count(spent.calls, 'request')}, {wording.count(spent.sent, 'token')} sent, {spent.received:,} received{_cost(spent, bounds)}"
        )
    if spent.today:
        parts.append(f"{spent.today:,} of {bounds.tokens_per_day:,} tokens today")
    return f"Model `{name}`: {'; '.join(parts)}."


def _cost(spent: Spent, bounds: ModelBounds) -> str:
    into, out = bounds.price_per_million_input, bounds.price_per_million_output
    cost = (spent.sent * into + spent.received * out) / 1_000_000
    if not cost:
        return ""
    amount = f"{cost:.2f}" if cost >= 0.995 else f"{cost:.4f}"
    return f", about {amount} {bounds.currency}"
