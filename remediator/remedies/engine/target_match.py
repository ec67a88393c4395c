"""Choose between objects of one name by what the incident shows of the running one.

Two environments often have an object of the same name. `kubectl describe` shows the image, the limits, the probes and
the variables of the one that failed; the object that contradicts them least is the one that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remediator.domain import quantities
from remediator.domain.incident import Diagnosis, Evidence
from remediator.domain.yaml_paths import get
from remediator.evidence.formats.podjson import probe_text
from remediator.gitops import Manifest, Match

_SHORT = 2
"""Parts of a name up to this length tell nothing."""
_PROBES = ("liveness", "readiness", "startup")


def most_like(matches: Sequence[Match], diagnosis: Diagnosis) -> list[Match]:
    """Return the matches that contradict the evidence least; all of them where nothing distinguishes them."""
    containers = list(_container_statements(diagnosis))
    counts = [sum(_contradictions(match.manifest, evidence) for evidence in containers) for match in matches]
    least = min(counts, default=0)
    alike = [match for match, count in zip(matches, counts, strict=True) if count == least]
    applications = _mentioned_applications(diagnosis)
    return [match for match in alike if match.application.name in applications] or alike


def in_context(matches: Sequence[Match], diagnosis: Diagnosis) -> list[Match]:
    """Return the matches whose Application or cluster bears the name of the context that the commands were run in."""
    contexts = {piece.facts.get("kube_context", "") for piece in (*diagnosis.evidence, *diagnosis.context)} - {""}
    wanted = set().union(*(_name_parts(context) for context in contexts))
    counts = [len(wanted & _name_parts(f"{m.application.name} {m.application.cluster}")) for m in matches]
    most = max(counts, default=0)
    return [match for match, count in zip(matches, counts, strict=True) if count == most]


def _name_parts(text: str) -> set[str]:
    return {part for part in re.split(r"[^a-z0-9]+", text.lower()) if len(part) > _SHORT}


def _mentioned_applications(diagnosis: Diagnosis) -> set[str]:
    """Return the Applications that the evidence names, in the culprit's namespace."""
    space = diagnosis.subject.namespace
    return {
        evidence.subject.application
        for evidence in (*diagnosis.evidence, *diagnosis.context)
        if evidence.subject.application
        and space in (evidence.subject.namespace, evidence.facts.get("destination_namespace", ""))
    }


def _container_statements(diagnosis: Diagnosis) -> Iterator[Evidence]:
    """Yield what describe or the API shows of the culprit's containers, each container once."""
    subject, yielded = diagnosis.subject, set()
    for evidence in (*diagnosis.evidence, *diagnosis.context):
        is_culprit = evidence.subject.name == subject.name and evidence.subject.namespace in ("", subject.namespace)
        key = (evidence.subject.pod, evidence.subject.container)
        if (
            is_culprit
            and evidence.channel == "status"
            and evidence.subject.container
            and evidence.subject.image
            and key not in yielded
        ):
            yielded.add(key)
            yield evidence


def _contradictions(manifest: Manifest, evidence: Evidence) -> int:
    """Count the facts of a container that differ from the object's container of that name."""
    body = next((body for body, _, _ in manifest.containers() if body.get("name") == evidence.subject.container), None)
    pod = manifest.pod_spec()
    if body is None or pod is None:
        return 20
    return sum(not agrees for agrees in (*_container(body, evidence), *_pod(pod[0], evidence.facts)))


def _container(body: Mapping[str, Any], evidence: Evidence) -> Iterator[bool]:
    facts = evidence.facts
    if evidence.subject.image and body.get("image"):
        yield evidence.subject.image == body["image"]
    for kind in _PROBES:
        if kind in facts:
            yield facts[kind] == probe_text(body.get(f"{kind}Probe"))
    for side, suffix in (("limits", "limit"), ("requests", "request")):
        for resource in ("cpu", "memory"):
            amount = quantities.parse(facts.get(f"{resource}_{suffix}"))
            if amount is not None:
                yield amount == quantities.parse(get(body, ("resources", side, resource)))
    variables = {str(item.get("name")): item for item in body.get("env") or () if isinstance(item, dict)}
    for key, value in facts.items():
        name = key.removeprefix("env_")
        if key.startswith("env_") and key != "env_from" and not value.startswith(("<", "(")):
            yield name in variables and str(variables[name].get("value", "")) == value
    for field in ("command", "args"):
        if facts.get(field):
            yield facts[field] == "\n".join(str(part) for part in body.get(field) or ())


def _pod(spec: Mapping[str, Any], facts: Mapping[str, str]) -> Iterator[bool]:
    if "node_selectors" in facts:
        selectors = {pair.strip() for pair in facts["node_selectors"].split(",")} - {"", "<none>"}
        yield selectors == {f"{key}={value}" for key, value in (spec.get("nodeSelector") or {}).items()}
    if facts.get("service_account"):
        yield facts["service_account"] == str(spec.get("serviceAccountName") or "default")
