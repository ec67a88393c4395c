"""Which objects of the repository an incident is about; in doubt, said and not guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from remediator.domain.incident import Diagnosis, Subject
from remediator.domain.text import HOST_JOINERS, contains_word
from remediator.domain.yaml_paths import leaves
from remediator.gitops import Match, Repository
from remediator.remedies.engine.target_match import most_like

_CLEAR_LEAD = 0.1


@dataclass(frozen=True)
class TargetMatches:
    """The objects that are meant (several where one text feeds several Applications) and whose they are."""

    matches: tuple[Match, ...] = ()
    applications: tuple[str, ...] = ()
    doubt: str = ""


def targets_of(diagnosis: Diagnosis, repository: Repository) -> TargetMatches:
    """The culprit's objects; where the repository does not hold the culprit, only the victims' Applications."""
    words = _words(diagnosis)
    found = _best(diagnosis.subject, repository, words, diagnosis)
    if found.matches or found.doubt:
        return found
    for subject in _others(diagnosis):
        victim = _best(subject, repository, words)
        if victim.matches:
            return TargetMatches(victim.matches, victim.applications, "")
    named = {application.name for application in repository.applications}
    applications = [s.application for s in (diagnosis.subject, *_others(diagnosis)) if s.application in named]
    return TargetMatches((), tuple(dict.fromkeys(applications)) or _in_passing(diagnosis, repository), "")


def _in_passing(diagnosis: Diagnosis, repository: Repository) -> tuple[str, ...]:
    """The one Application that a log of nobody in particular names; enough to say whose it is, not to change it."""
    subject = diagnosis.subject
    if subject.name or subject.pod or subject.namespace:
        return ()
    parents = {application.parent for application in repository.applications}
    named = {application.name for application in repository.applications} - parents
    texts = [one.text for one in (*diagnosis.evidence, *diagnosis.context) if not (one.subject.name or one.subject.pod)]
    spoken = [
        name for name in named if len(name) > 3 and any(contains_word(text, name, HOST_JOINERS) for text in texts)
    ]
    return tuple(spoken) if len(spoken) == 1 else ()


def _others(diagnosis: Diagnosis) -> Iterable[Subject]:
    yield from diagnosis.victims
    yield from dict.fromkeys(one.subject for one in diagnosis.evidence if one.subject != diagnosis.subject)


_TELLING = (
    "command",
    "executable",
    "flag",
    "missing",
    "variable",
    "key",
    "volume",
    "memory_limit",
    "cpu_limit",
    "invalid_name",
)
"""Facts that quote the very text of the object at fault."""
_PROBED = re.compile(r"http-get https?://[^/\s]*(?P<path>/\S+)")


def _words(diagnosis: Diagnosis) -> tuple[str, ...]:
    """What the evidence quotes of the object, so that of two that fit the one can be told that says so."""
    quoted = [one.facts[name] for one in diagnosis.evidence for name in _TELLING if name in one.facts]
    shown = [
        one.facts.get(name, "")
        for one in (*diagnosis.evidence, *diagnosis.context)
        for name in ("liveness", "readiness", "startup")
    ]
    quoted += [found["path"] for text in shown if (found := _PROBED.search(text))]
    return tuple(dict.fromkeys(word for word in quoted if len(word) > 2))


def _best(
    subject: Subject, repository: Repository, words: Iterable[str] = (), diagnosis: Diagnosis | None = None
) -> TargetMatches:
    matches = repository.find(subject)
    if not matches:
        return TargetMatches()
    top = [match for match in matches if match.score > matches[0].score - _CLEAR_LEAD]
    if len(_texts(top)) > 1:
        counts = [_says(match, words) for match in top]
        saying = [match for match, count in zip(top, counts, strict=True) if count == max(counts) > 0]
        top = saying if len(_texts(saying)) == 1 else top
    if len(_texts(top)) > 1 and diagnosis is not None:
        top = most_like(top, diagnosis)
    names = tuple(dict.fromkeys(match.application.name for match in top))
    if len(_texts(top)) > 1:
        places = ", ".join(
            f"{m.application.name}: {m.manifest.kind}/{m.manifest.name} ({m.manifest.file})" for m in top[:4]
        )
        return TargetMatches((), names[:1], f"several objects fit: {places}")
    return TargetMatches(tuple(top), names, "")


def _texts(matches: Iterable[Match]) -> set[tuple[str, int, str]]:
    """The texts that the matches come from: one text may feed several Applications."""
    return {(match.manifest.file, match.manifest.document, match.manifest.name) for match in matches}


def _says(match: Match, words: Iterable[str]) -> int:
    """How many of the words that the evidence quotes the object holds."""
    texts = {str(value) for _, value in leaves(match.manifest.body)}
    texts |= {text.lstrip("-").partition("=")[0] for text in texts if text.startswith("-")}
    return sum(word in texts or word.lstrip("-") in texts for word in words)
