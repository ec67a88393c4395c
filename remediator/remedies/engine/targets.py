"""Find the objects of the repository that an incident is about.

Where several objects fit and nothing distinguishes them, none is chosen and the doubt is reported: a fix of the wrong
environment is worse than no fix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from remediator.domain.incident import Diagnosis, Subject
from remediator.domain.text import HOST_JOINERS, contains_word
from remediator.domain.yaml_paths import leaves
from remediator.gitops import Manifest, Match, Repository
from remediator.remedies.engine.target_match import in_context, most_like

_CLEAR_LEAD = 0.1


@dataclass(frozen=True)
class TargetMatches:
    """The objects that are the culprit (several where one text feeds several Applications) and their Applications."""

    matches: tuple[Match, ...] = ()
    applications: tuple[str, ...] = ()
    doubt: str = ""


def targets_of(diagnosis: Diagnosis, repository: Repository) -> TargetMatches:
    """Return the culprit's objects; where the repository does not have it, only the victims' Applications."""
    words = _words(diagnosis)
    subject = _route_of(diagnosis.subject, repository) if diagnosis.subject.kind == "Host" else diagnosis.subject
    best = _best(subject, repository, words, diagnosis)
    if best.matches or best.doubt:
        return best
    for subject in _other_subjects(diagnosis):
        victim = _best(subject, repository, words)
        if victim.matches:
            return TargetMatches(victim.matches, victim.applications, "")
    applications = [
        application.name
        for s in (diagnosis.subject, *_other_subjects(diagnosis))
        if s.application and (application := repository.application(s.application)) and "*" not in application.name
    ]
    return TargetMatches((), tuple(dict.fromkeys(applications)) or _only_mentioned(diagnosis, repository), "")


def _route_of(host: Subject, repository: Repository) -> Subject:
    """Return the only route of the repository that serves a host; the host itself where none does, or several."""
    routes = [
        (application, manifest)
        for application in repository.applications
        for manifest in repository.objects(application)
        if manifest.kind in {"Ingress", "HTTPRoute", "GRPCRoute", "VirtualService"} and host.name in _hosts(manifest)
    ]
    if len(routes) != 1:
        return host
    application, manifest = routes[0]
    return Subject(
        application=application.name,
        namespace=manifest.namespace_in(application),
        kind=manifest.kind,
        name=manifest.name,
    )


def _hosts(manifest: Manifest) -> set[str]:
    spec = manifest.body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    rules = spec.get("rules") if isinstance(spec.get("rules"), list) else []
    named = [*(spec.get("hostnames") or ()), *(spec.get("hosts") or ())]
    return {str(name) for name in named} | {str(rule.get("host")) for rule in rules or () if isinstance(rule, dict)}


def _only_mentioned(diagnosis: Diagnosis, repository: Repository) -> tuple[str, ...]:
    """Return the only Application that a log without a subject mentions: enough to report it, not to change it."""
    subject = diagnosis.subject
    if subject.name or subject.pod or subject.namespace:
        return ()
    parents = {application.parent for application in repository.applications}
    leaf_names = {application.name for application in repository.applications} - parents
    texts = [
        evidence.text
        for evidence in (*diagnosis.evidence, *diagnosis.context)
        if not (evidence.subject.name or evidence.subject.pod)
    ]
    mentioned = [
        name for name in leaf_names if len(name) > 3 and any(contains_word(text, name, HOST_JOINERS) for text in texts)
    ]
    return tuple(mentioned) if len(mentioned) == 1 else ()


def _other_subjects(diagnosis: Diagnosis) -> Iterable[Subject]:
    yield from diagnosis.victims
    yield from dict.fromkeys(
        evidence.subject for evidence in diagnosis.evidence if evidence.subject != diagnosis.subject
    )


_QUOTING_FACTS = (
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
"""Facts that quote the text of the faulty object."""
_PROBED = re.compile(r"http-get https?://[^/\s]*(?P<path>/\S+)")


def _words(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return the words that the evidence quotes of the object, which distinguish it from others that fit."""
    quoted = [
        evidence.facts[name] for evidence in diagnosis.evidence for name in _QUOTING_FACTS if name in evidence.facts
    ]
    probe_texts = [
        evidence.facts.get(name, "")
        for evidence in (*diagnosis.evidence, *diagnosis.context)
        for name in ("liveness", "readiness", "startup")
    ]
    quoted += [match["path"] for text in probe_texts if (match := _PROBED.search(text))]
    return tuple(dict.fromkeys(word for word in quoted if len(word) > 2))


def _best(
    subject: Subject, repository: Repository, words: Iterable[str] = (), diagnosis: Diagnosis | None = None
) -> TargetMatches:
    matches = repository.find(subject)
    if not matches:
        return TargetMatches()
    top = [match for match in matches if match.score > matches[0].score - _CLEAR_LEAD]
    if diagnosis is not None:
        top = in_context(top, diagnosis)
    if len(_texts(top)) > 1:
        counts = [_word_count(match, words) for match in top]
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
    """Return the texts that the matches come from: one text may feed several Applications."""
    return {(match.manifest.file, match.manifest.document, match.manifest.name) for match in matches}


def _word_count(match: Match, words: Iterable[str]) -> int:
    """Count the quoted words that the object contains."""
    texts = {str(value) for _, value in leaves(match.manifest.body)}
    texts |= {text.lstrip("-").partition("=")[0] for text in texts if text.startswith("-")}
    return sum(word in texts or word.lstrip("-") in texts for word in words)
