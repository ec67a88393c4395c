"""How like an object of the repository is to what the incident showed of it: of two with one name, the one that was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remediator.domain.incident import Diagnosis, Evidence
from remediator.domain.yaml_paths import get
from remediator.evidence.formats.podjson import probe_text
from remediator.gitops import Manifest, Match
from remediator.remedies.engine import quantities

_PROBES = ("liveness", "readiness", "startup")


def most_like(matches: Sequence[Match], diagnosis: Diagnosis) -> list[Match]:
    """The matches that contradict what was shown the least; all of them where nothing tells them apart."""
    shown = list(_shown(diagnosis))
    counts = [sum(_contradictions(match.manifest, one) for one in shown) for match in matches]
    least = min(counts, default=0)
    alike = [match for match, count in zip(matches, counts, strict=True) if count == least]
    named = _named(diagnosis)
    return [match for match in alike if match.application.name in named] or alike


def _named(diagnosis: Diagnosis) -> set[str]:
    """Applications that the incident speaks of, in the culprit's namespace."""
    space = diagnosis.subject.namespace
    return {
        one.subject.application
        for one in (*diagnosis.evidence, *diagnosis.context)
        if one.subject.application and space in (one.subject.namespace, one.facts.get("destination_namespace", ""))
    }


def _shown(diagnosis: Diagnosis) -> Iterator[Evidence]:
    """Containers of the culprit as describe or the API showed them, each once."""
    subject, seen = diagnosis.subject, set()
    for one in (*diagnosis.evidence, *diagnosis.context):
        own = one.subject.name == subject.name and one.subject.namespace in ("", subject.namespace)
        key = (one.subject.pod, one.subject.container)
        if own and one.channel == "status" and one.subject.container and one.subject.image and key not in seen:
            seen.add(key)
            yield one


def _contradictions(manifest: Manifest, one: Evidence) -> int:
    """Facts of a shown container that the object's container of that name does not have."""
    body = next((body for body, _, _ in manifest.containers() if body.get("name") == one.subject.container), None)
    found = manifest.pod_spec()
    if body is None or found is None:
        return 20
    return sum(not same for same in (*_container(body, one), *_pod(found[0], one.facts)))


def _container(body: Mapping[str, Any], one: Evidence) -> Iterator[bool]:
    facts = one.facts
    if one.subject.image and body.get("image"):
        yield one.subject.image == body["image"]
    for kind in _PROBES:
        if kind in facts:
            yield facts[kind] == probe_text(body.get(f"{kind}Probe"))
    for side, suffix in (("limits", "limit"), ("requests", "request")):
        for resource in ("cpu", "memory"):
            told = quantities.parse(facts.get(f"{resource}_{suffix}"))
            if told is not None:
                yield told == quantities.parse(get(body, ("resources", side, resource)))
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
        shown = {pair.strip() for pair in facts["node_selectors"].split(",")} - {"", "<none>"}
        yield shown == {f"{key}={value}" for key, value in (spec.get("nodeSelector") or {}).items()}
    if facts.get("service_account"):
        yield facts["service_account"] == str(spec.get("serviceAccountName") or "default")
