"""Hypotheses from a limit that a message names: the same quantity stands under a key that says the same words.

Whose limit it is, is not who reports it: a shipper logs what the server refused. So all Applications are searched, and
the place counts only where it is the only one and its key shares words with the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, format_path
from remediator.errors import ConfigError
from remediator.gitops import Application
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.limit_values import Amount, limits_in, readings, scaled, words_of
from remediator.judgement.text_changes import own_files
from remediator.judgement.text_values import text_values
from remediator.policy.leaves import documents
from remediator.remedies.engine.case import Fix

ACTION = "meet_demand"
_GRAVE = re.compile(r"(?i)\b(?:error|fatal|critical|panic|exception|failed|failure|refused|retry\w*)\b")
SHARED_WORDS = 2
"""A key must share this many words with the message, besides having its value."""
_EVERYWHERE = frozenset({"the", "of", "for", "is", "in", "to", "a", "and", "error", "failed", "mb", "bytes", "s"})


@dataclass(frozen=True)
class LimitPlace:
    """One value of a text that equals a limit which a message names."""

    application: Application
    file: str
    document: int
    path: YamlPath
    inside: YamlPath
    value: Any
    shared: frozenset[str]


def from_limits(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield one hypothesis where exactly one value of the repository is the limit that a message names."""
    for piece in inquiry.diagnosis.evidence:
        words = frozenset(words_of(piece.text)) - _EVERYWHERE
        amounts = set(limits_in(piece.text)) or set(_limits_shown(inquiry, piece, words))
        if not piece.id or not amounts:
            continue
        places = [place for app in inquiry.repository.applications for place in _places(inquiry, app, amounts, words)]
        best = max((len(place.shared) for place in places), default=0)
        closest = [place for place in places if len(place.shared) == best]
        if len({(place.file, place.document, place.path, place.inside) for place in closest}) == 1:
            yield _hypothesis(inquiry, closest[0], piece.id)
            return


def _limits_shown(inquiry: Inquiry, piece: Evidence, words: frozenset[str]) -> Iterator[Amount]:
    """Yield the limits that the status of the same object shows, where the message says that one was hit and not which.

    A program that hangs or fails needs no higher limit: so its log must be there, and without an error.
    """
    statements = (*inquiry.diagnosis.evidence, *inquiry.diagnosis.context)
    printed = [item for item in statements if item.channel in ("log", "text") and not item.signal]
    if not printed or any(_GRAVE.search(item.text) for item in printed):
        return
    for statement in statements:
        if statement.channel != "status" or statement.subject.name != piece.subject.name:
            continue
        for fact, value in statement.facts.items():
            if len(words & frozenset(fact.split("_"))) >= SHARED_WORDS:
                yield from limits_in(f"limit {value}")


def _hypothesis(inquiry: Inquiry, place: LimitPlace, evidence: str) -> Hypothesis:
    field = format_path(place.inside or place.path)
    factor = Decimal(str(inquiry.policies.actions[ACTION].bounds.factor or 2))
    value = scaled(place.value, factor)
    where = {"file": place.file, "document": place.document, "path": place.path, "inside": place.inside}
    return Hypothesis(
        generator="demands",
        rule="limit_in_message",
        action=ACTION,
        cause=f"The message names a limit that is set by {field}: {place.value}",
        fix=Fix(
            title=f"raise {field.rpartition('.')[2]} of `{place.application.name}` from {place.value} to {value}",
            reason=f"The message names the limit that {field} sets to {place.value}. The need is not known, so this is {factor} × as much.",
            evidence=(evidence,),
            edits=(Edit(op="set", value=value, **where),),
            places=(
                Place(
                    value=place.value,
                    proof="unproved",
                    why="matched by evidence: the message names this value",
                    **where,
                ),
            ),
            applications=tuple(dict.fromkeys((place.application, *inquiry.repository.feeds.readers(place.file)))),
            parameters={"from": str(place.value), "to": str(value)},
            score=0.6,
        ),
        words=tuple(place.shared),
        features={"value_sure": 0.5, "limit_words": min(len(place.shared), 4) / 4},
    )


def _places(
    inquiry: Inquiry, application: Application, amounts: set[Amount], words: frozenset[str]
) -> Iterator[LimitPlace]:
    for file in sorted(own_files(inquiry.repository, application)):
        try:
            parsed = documents(inquiry.repository.read(file)) if file.endswith((".yaml", ".yml")) else None
        except ConfigError:
            continue
        for index, body in enumerate(parsed or ()):
            if file == application.file and index != application.document:
                continue
            for path, inside, value in text_values(body):
                key = "_".join(str(step) for step in (*path, *inside)[-3:])
                last = str((*path, *inside)[-1]) if (*path, *inside) else ""
                shared = words & frozenset(words_of(key))
                if len(shared) >= SHARED_WORDS and amounts & set(readings(last, value)):
                    yield LimitPlace(application, file, index, path, inside, value, shared)
