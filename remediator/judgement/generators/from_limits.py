"""Hypotheses from a limit that a message names: the same quantity stands under a key that says the same words.

Whose limit it is, is not who reports it: a shipper logs what the server refused. So all Applications are searched, and
the place counts only where it is the only one and its key shares words with the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from remediator.domain.change import Edit
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import format_path, get
from remediator.gitops import Application
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.limit_values import Amount, limits_in, readings, scaled, words_of
from remediator.judgement.text_values import TextValue, application_values
from remediator.remedies.engine.case import Fix

ACTION = "meet_demand"
_GRAVE = re.compile(r"(?i)\b(?:error|fatal|critical|panic|exception|failed|failure|refused|retry\w*)\b")
_DEADLINE = "job_deadline"
SHARED_WORDS = 2
"""A key must share this many words with the message, besides having its value."""
_EVERYWHERE = frozenset({"the", "of", "for", "is", "in", "to", "a", "and", "error", "failed", "mb", "bytes", "s"})


@dataclass(frozen=True)
class LimitValue:
    """One value of a text that equals a limit which a message names."""

    text: TextValue
    shared: frozenset[str]
    """The words that its key shares with the message."""


def from_limits(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield one hypothesis where exactly one value of the repository is the limit that a message names."""
    for piece in inquiry.diagnosis.evidence:
        words = frozenset(words_of(piece.text)) - _EVERYWHERE
        amounts = set(limits_in(piece.text)) or set(_limits_shown(inquiry, piece, words))
        if not piece.id or not amounts:
            continue
        values = [value for app in inquiry.repository.applications for value in _values(inquiry, app, amounts, words)]
        best = max((len(value.shared) for value in values), default=0)
        closest = [value for value in values if len(value.shared) == best]
        if len({value.text.position for value in closest}) == 1:
            yield _hypothesis(inquiry, closest[0], piece.id)
            return


def _limits_shown(inquiry: Inquiry, piece: Evidence, words: frozenset[str]) -> Iterator[Amount]:
    """Yield the limits that the status of the same object shows, where the message says that one was hit and not which.

    A program that hangs or fails needs no higher limit: so its log must be there, and without an error.
    """
    statements = (*inquiry.diagnosis.evidence, *inquiry.diagnosis.context)
    printed = [
        item
        for item in statements
        if item.channel in ("log", "text") and not item.signal and item.subject.name in ("", piece.subject.name)
    ]
    if not printed or any(_GRAVE.search(item.text) for item in printed):
        return
    if piece.signal == _DEADLINE:
        yield from _deadlines(inquiry)
    for statement in statements:
        if statement.channel != "status" or statement.subject.name != piece.subject.name:
            continue
        for fact, value in statement.facts.items():
            if len(words & frozenset(fact.split("_"))) >= SHARED_WORDS:
                yield from limits_in(f"limit {value}")


def _deadlines(inquiry: Inquiry) -> Iterator[Amount]:
    """Yield the time that the rendered Jobs give themselves: the message of a passed deadline leaves it out."""
    for match in inquiry.targets.matches:
        for path in (("spec",), ("spec", "jobTemplate", "spec")):
            seconds = get(match.manifest.body, (*path, "activeDeadlineSeconds"))
            if isinstance(seconds, int):
                yield Amount(Decimal(seconds), "seconds")


def _hypothesis(inquiry: Inquiry, limit: LimitValue, evidence: str) -> Hypothesis:
    text = limit.text
    field = format_path(text.inside or text.path)
    factor = Decimal(str(inquiry.policies.actions[ACTION].bounds.factor or 2))
    value = scaled(text.value, factor)
    place = text.place("the message names this value")
    return Hypothesis(
        generator="demands",
        rule="limit_in_message",
        action=ACTION,
        cause=f"The message names a limit that is set by {field}: {text.value}",
        fix=Fix(
            title=f"raise {field.rpartition('.')[2]} of `{text.application.name}` from {text.value} to {value}",
            reason=f"The message names the limit that {field} sets to {text.value}. The need is not known, so this is {factor} × as much.",
            evidence=(evidence,),
            edits=(Edit.at(place, "set", value),),
            places=(place,),
            applications=text.readers(inquiry.repository),
            parameters={"from": str(text.value), "to": str(value)},
            score=0.6,
        ),
        words=tuple(limit.shared),
        features={"value_sure": 0.5, "limit_words": min(len(limit.shared), 4) / 4},
    )


def _values(
    inquiry: Inquiry, application: Application, amounts: set[Amount], words: frozenset[str]
) -> Iterator[LimitValue]:
    for text in application_values(inquiry.repository, application):
        key = "_".join(str(step) for step in text.full_path[-3:])
        last = str(text.full_path[-1]) if text.full_path else ""
        shared = words & frozenset(words_of(key))
        if len(shared) >= SHARED_WORDS and amounts & set(readings(last, text.value)):
            yield LimitValue(text, shared)
