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

_GONE = "-"
"""Where nothing stands any more for what an id meant; the judge drops what cites it."""


def key_of(model: str, brief: ModelQuestion) -> str:
    """What an answer depends on beside the incident: another model, prompt or language is asked anew."""
    return f"{prompts.VERSION}/{brief.language}/{model}"


def meanings(brief: ModelQuestion) -> dict[str, str]:
    """What each id of a brief stands for, in words that are the same the next time: no time, no number of the log."""
    offered = {target: offer.action for offer in brief.offers for target in offer.targets}
    windows = ((w.id, f"{w.category}/{w.signal}" if w.signal else _line(w.text)) for w in brief.windows)
    targets = ((t.id, f"{offered.get(t.id, '')} {t.value.partition(' ')[0]}") for t in brief.targets)
    return _numbered((*windows, *targets))


def recalled(kept: SecondReading | None, key: str, brief: ModelQuestion) -> str:
    """The kept answer in this brief's ids; empty where there is none that could be used."""
    if kept is None or not kept.answer or kept.key != key:
        return ""
    try:
        opinion = ModelAnswer.model_validate_json(kept.answer)
    except ValidationError:
        return ""
    now = {meaning: name for name, meaning in meanings(brief).items()}
    ids = {name: _found(meaning, now) for name, meaning in kept.meant.items()}

    def moved(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(ids.get(name, _GONE) for name in names))

    claims = tuple(c.model_copy(update={"evidence": moved(c.evidence)}) for c in opinion.root_cause)
    choices = tuple(
        c.model_copy(update={"evidence": moved(c.evidence), "target": ids.get(c.target, _GONE)})
        for c in opinion.choices
    )
    update = {"category_evidence": moved(opinion.category_evidence), "root_cause": claims, "choices": choices}
    return opinion.model_copy(update=update).model_dump_json()


def kept_answer(answer: str) -> str:
    """What of an answer is worth keeping: a whole opinion, in its shortest spelling."""
    try:
        return ModelAnswer.model_validate_json(answer).model_dump_json()
    except ValidationError:
        return ""


def _found(meaning: str, now: Mapping[str, str]) -> str:
    """The same thing, else the first of its kind: a log that is longer tells the same symptom once more."""
    kind = meaning.rpartition("#")[0]
    return now.get(meaning) or now.get(f"{kind}#1", _GONE)


def _numbered(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    seen: Counter[str] = Counter()
    out = {}
    for name, kind in named:
        seen[kind] += 1
        out[name] = f"{kind}#{seen[kind]}"
    return out


def _line(text: str) -> str:
    words = " ".join(re.findall(r"[^\W\d_]{2,}", text))
    return hashlib.sha256(words.encode()).hexdigest()[:16]
