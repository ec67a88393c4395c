"""The limit of a log's word: it moves nothing of another application unless the platform or the repository confirms it.

Whoever sends a request can write a line into a log. A container's log is right about itself; about others it is a complaint.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.domain.incident import is_log

if TYPE_CHECKING:
    from remediator.domain.change import Proposal
    from remediator.gitops import Manifest
    from remediator.judgement.hypothesis import Hypothesis
    from remediator.judgement.inquiry import Inquiry

_CHANGE = re.compile(r"(?P<application>[^:]+): (?P<kind>\w+)/(?P<name>\S+) ?(?P<path>.*)", re.DOTALL)
_ROUTES = frozenset({"Service", "Ingress", "IngressRoute", "HTTPRoute", "GRPCRoute", "VirtualService", "NetworkPolicy"})
"""Kinds that remedies change only where the repository contradicts itself: ports, selectors, backends, allowed callers."""
_WIRING = re.compile(r"syncOptions")
"""A field that a remedy changes only where the repository contradicts itself: a namespace that nobody creates."""


def objection(inquiry: Inquiry, hypothesis: Hypothesis, proposal: Proposal) -> str:
    """Return why a log's word does not suffice for these changes; empty where the platform or the repository confirms them."""
    speaking = [item for item in inquiry.diagnosis.evidence if item.signal]
    if hypothesis.generator == "relations" or not speaking or not all(is_log(item.speaker) for item in speaking):
        return ""
    speakers = {item.speaker.partition(":")[2] for item in speaking} - {""}
    home = {item.facts.get("printed_in") or item.subject.namespace for item in speaking} - {""}
    own = _applications_of(inquiry, speakers, home)
    changed = [match for line in proposal.rendered if (match := _CHANGE.match(line))]
    shared = {(change["kind"], change["name"]) for change in changed if change["application"] in own}
    for change in changed if speakers else ():
        if change["application"] in own or (change["kind"], change["name"]) in shared:
            continue  # its own object, or the same one of another stage that shares the text
        if change["name"] in speakers and _lands_in(inquiry, change["application"], home):
            continue
        if _is_contradicted(hypothesis, change) or _is_own_setting(hypothesis, change):
            continue
        where = f"{change['kind']} {change['name']} belongs to another application"
        return f"{proposal.title}: only the log of {', '.join(sorted(speakers))} tells of it, and {where}"
    return ""


def _lands_in(inquiry: Inquiry, name: str, namespaces: set[str]) -> bool:
    """Return True where an Application deploys to the speaker's namespace: a name alone is another's too elsewhere."""
    application = inquiry.repository.application(name)
    return application is not None and application.namespace in namespaces


def _is_contradicted(hypothesis: Hypothesis, change: re.Match[str]) -> bool:
    """Return True if a remedy rests on a contradiction in the repository rather than on the log."""
    return hypothesis.generator == "remedies" and (change["kind"] in _ROUTES or bool(_WIRING.search(change["path"])))


def _is_own_setting(hypothesis: Hypothesis, change: re.Match[str]) -> bool:
    """Return True where the log's own software reads the setting from a route: the annotation of an Ingress."""
    return hypothesis.generator == "recipes" and change["kind"] in _ROUTES


def _applications_of(inquiry: Inquiry, speakers: set[str], namespaces: set[str]) -> set[str]:
    """Return the names of the Applications that run the workloads whose logs these are, in the logs' own namespaces."""
    return {
        match.application.name
        for match in inquiry.targets.matches
        if (match.manifest.name in speakers or not speakers.isdisjoint(_containers(match.manifest)))
        and (not namespaces or match.manifest.namespace_in(match.application) in ("", *namespaces))
    }


def _containers(manifest: Manifest) -> list[str]:
    template = manifest.pod_spec()
    return [str(box.get("name")) for box in template[0].get("containers") or ()] if template else []
