"""An earlier answer about the same incident, used again: its ids are carried over by what they stood for."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from pydantic import ValidationError

from remediator.diagnosis import prompts
from remediator.domain.model_answer import ModelAnswer, ModelQuestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from remediator.domain.lifecycle import SecondReading

_NO_ID = "-"
"""The id of evidence that no longer exists; the check drops whatever cites it."""


def key_of(model: str, brief: ModelQuestion) -> str:
    """Return what an answer depends on beside the incident: another model, prompt or language needs a new answer."""
    return f"{prompts.VERSION}/{brief.language}/{model}"


def meanings(brief: ModelQuestion) -> dict[str, str]:
    """Return what each id of a question stands for, in words that are the same next time: no times, no line numbers."""
    offered = {target: offer.action for offer in brief.offers for target in offer.targets}
    windows = ((w.id, f"{w.category}/{w.signal}" if w.signal else _line(w.text)) for w in brief.windows)
    targets = ((t.id, f"{offered.get(t.id, '')} {t.value.partition(' ')[0]}") for t in brief.targets)
    return _numbered((*windows, *targets))


def recall_answer(reading: SecondReading | None, key: str, brief: ModelQuestion) -> str:
    """Return the stored answer with this question's ids; empty if there is none that can be used."""
    if reading is None or not reading.answer or reading.key != key:
        return ""
    try:
        opinion = ModelAnswer.model_validate_json(reading.answer)
    except ValidationError:
        return ""
    now = {meaning: name for name, meaning in meanings(brief).items()}
    ids = {name: _matching_id(meaning, now) for name, meaning in reading.meant.items()}

    def moved(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ids.get(name, _NO_ID) for name in names))

    claims = tuple(c.model_copy(update={"evidence": moved(c.evidence)}) for c in opinion.root_cause)
    choices = tuple(
        c.model_copy(update={"evidence": moved(c.evidence), "target": ids.get(c.target, _NO_ID)})
        for c in opinion.choices
    )
    update = {"category_evidence": moved(opinion.category_evidence), "root_cause": claims, "choices": choices}
    return opinion.model_copy(update=update).model_dump_json()


def storable_answer(answer: str) -> str:
    """Return an answer in its shortest form for storage; empty if it does not fit the schema."""
    try:
        return ModelAnswer.model_validate_json(answer).model_dump_json()
    except ValidationError:
        return ""


def _matching_id(meaning: str, now: Mapping[str, str]) -> str:
    """Return the id of the same thing, else of the first of its kind: a longer log repeats the same symptom."""
    kind = meaning.rpartition("#")[0]
    return now.get(meaning) or now.get(f"{kind}#1", _NO_ID)


def _numbered(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    counts: Counter[str] = Counter()
    out = {}
    for name, kind in pairs:
        counts[kind] += 1
        out[name] = f"{kind}#{counts[kind]}"
    return out


def _line(text: str) -> str:
    words = " ".join(re.findall(r"[^\W\d_]{2,}", text))
    return hashlib.sha256(words.encode()).hexdigest()[:16]
