"""Which objects of the repository an incident is about; in doubt, said and not guessed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from remediator.domain.incident import Diagnosis, Subject
from remediator.gitops import Match, Repository

_CLEAR_LEAD = 0.1


@dataclass(frozen=True)
class Targets:
    """The objects that are meant (several where one text feeds several Applications) and whose they are."""

    matches: tuple[Match, ...] = ()
    applications: tuple[str, ...] = ()
    doubt: str = ""


def targets_of(diagnosis: Diagnosis, repository: Repository) -> Targets:
    """The culprit's objects; where the repository does not hold the culprit, only the victims' Applications."""
    found = _best(diagnosis.subject, repository)
    if found.matches or found.doubt:
        return found
    for subject in _others(diagnosis):
        victim = _best(subject, repository)
        if victim.matches:
            return Targets(victim.matches, victim.applications, "")
    named = {application.name for application in repository.applications}
    applications = [s.application for s in (diagnosis.subject, *_others(diagnosis)) if s.application in named]
    return Targets((), tuple(dict.fromkeys(applications)), "")


def _others(diagnosis: Diagnosis) -> Iterable[Subject]:
    yield from diagnosis.victims
    yield from dict.fromkeys(one.subject for one in diagnosis.evidence if one.subject != diagnosis.subject)


def _best(subject: Subject, repository: Repository) -> Targets:
    matches = repository.find(subject)
    if not matches:
        return Targets()
    top = [match for match in matches if match.score > matches[0].score - _CLEAR_LEAD]
    names = tuple(dict.fromkeys(match.application.name for match in top))
    files = {(match.manifest.file, match.manifest.document, match.manifest.name) for match in top}
    if len(files) > 1:
        places = ", ".join(f"{m.application.name}: {m.manifest.kind}/{m.manifest.name} ({m.manifest.file})" for m in top[:4])
        return Targets((), names[:1], f"several objects fit: {places}")
    return Targets(tuple(top), names, "")
