"""A demand: the value that a message asks for, at the place of the desired state that it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.gitops import Application
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.case import Want
from remediator.remedies.engine.effects import PLATFORM_CHANNELS

Sentences = tuple[str, str]
"""The title of a demand and its reason."""


@dataclass(frozen=True)
class Demand:
    """One value that a message asks for."""

    rule: str
    """Name of the reader, shown by `explain`."""
    title: str
    reason: str
    """One sentence that names the message's bound or form, and the value that breaks it."""
    evidence: tuple[str, ...]
    words: tuple[str, ...]
    """Names and values that the message and the place share."""
    wants: tuple[Want, ...] = ()
    edits: tuple[Edit, ...] = ()
    places: tuple[Place, ...] = ()
    applications: tuple[Application, ...] = ()
    sure: float = 1.0
    """Certainty of the value, 0 to 1."""
    predicts: tuple[str, ...] = ()
    """Category ids, or `signal:ID`, that the wrong value leads to."""

    @classmethod
    def of(
        cls, piece: Evidence, rule: str, words: tuple[str, ...], want: Want, sure: float, sentences: Sentences
    ) -> Demand:
        """Return the demand of one value by one piece of evidence, whose signal the wrong value leads to."""
        title, reason = sentences
        predicts = (f"signal:{piece.signal}",)
        return cls(rule, title, reason, (piece.id,), words, (want,), sure=sure, predicts=predicts)


DemandReader = Callable[[Inquiry], Iterator[Demand]]


def platform_evidence(inquiry: Inquiry) -> Iterator[Evidence]:
    """Yield the evidence that events, statuses, syncs and alerts gave, each text once."""
    yield from (piece for piece in distinct_evidence(inquiry) if piece.channel in PLATFORM_CHANNELS)


def distinct_evidence(inquiry: Inquiry) -> Iterator[Evidence]:
    """Yield all evidence that can be cited, each text once."""
    texts = set()
    for piece in inquiry.diagnosis.evidence:
        if piece.id and piece.text not in texts:
            texts.add(piece.text)
            yield piece
