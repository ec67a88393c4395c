"""Rate how well a hypothesis explains what was observed: one table of weights, each row with its reason.

The weights are log-odds. They are added up, and the sum is read as a probability, so that figures of different
generators can be compared. A remedy's own rating enters as its log-odds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry

UNKNOWN = "unknown"
"""The category of what no signal explains: it follows from no hypothesis, and speaks against none."""


@dataclass(frozen=True)
class Weighed:
    """A hypothesis with its probability and the rows that made it."""

    hypothesis: Hypothesis
    probability: float
    rows: tuple[tuple[str, float], ...]
    """Name of each row that counted, with the log-odds that it added."""


def weigh(hypothesis: Hypothesis, inquiry: Inquiry) -> Weighed:
    """Return the hypothesis with the probability that it is the cause, given the facts."""
    features = _features(hypothesis, inquiry)
    weights = inquiry.policies.weights
    rows = [(name, share * weights[name].weight) for name, share in features.items() if share and name in weights]
    score = features.get("remedy_score", 0.0)
    if score:
        rows.insert(0, ("remedy_score", _log_odds(score)))
    return Weighed(hypothesis, 1 / (1 + math.exp(-sum(value for _, value in rows))), tuple(rows))


def _features(hypothesis: Hypothesis, inquiry: Inquiry) -> Mapping[str, float]:
    features: dict[str, float] = {f"from_{hypothesis.generator}": 1.0, **hypothesis.features}
    if hypothesis.predicts and inquiry.diagnosis.category != UNKNOWN:
        leading, any_evidence = _explained(hypothesis.predicts, inquiry)
        features["explains_lead"] = float(leading)
        features["explains_other"] = float(any_evidence and not leading)
        features["explains_nothing"] = float(not any_evidence)
    if hypothesis.excludes:
        features["contradicted"] = float(_explained(hypothesis.excludes, inquiry)[1])
    if hypothesis.generator == "changes" and _lead_is_outside(inquiry):
        features["outside_cause"] = float(not any(inquiry.mentions(hypothesis.words)))
    if hypothesis.words:
        by_platform, by_log = inquiry.mentions(hypothesis.words)
        features["named_by_platform"] = float(by_platform)
        features["named_by_log"] = float(by_log and not by_platform)
        features["named_by_nobody"] = float(not by_platform and not by_log)
    return features


def _lead_is_outside(inquiry: Inquiry) -> bool:
    """Return True where the signal that leads the evidence says that the cause lies outside the repository."""
    owners = inquiry.policies.catalogue.signal_owner
    lead = next((piece.signal for piece in inquiry.diagnosis.evidence if piece.signal), "")
    return lead in owners and owners[lead][1].outside


def _explained(predicted: tuple[str, ...], inquiry: Inquiry) -> tuple[bool, bool]:
    """Return whether the leading evidence, and whether any, is of a predicted category or signal."""
    hits = [
        item.category in predicted or f"signal:{item.signal}" in predicted
        for item in inquiry.diagnosis.evidence
        if item.signal
    ]
    leading = inquiry.diagnosis.category in predicted or bool(hits and hits[0])
    return leading, leading or any(hits)


def _log_odds(score: float) -> float:
    share = min(max(score, 0.01), 0.99)
    return math.log(share / (1 - share))
