"""Objects of charts that cannot be rendered, as far as the evidence shows them: image, resources, variables.

A remedy works on a container's fields. Where the chart is not at hand, `kubectl describe` still tells what runs, and a
values key that holds just that value is where it comes from: matched by evidence, never called proved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from remediator.domain.incident import Diagnosis, Evidence
from remediator.gitops import Match
from remediator.remedies.engine.targets import TargetMatches

_RESOURCES = (
    ("limits", "memory", "memory_limit"),
    ("limits", "cpu", "cpu_limit"),
    ("requests", "memory", "memory_request"),
    ("requests", "cpu", "cpu_request"),
)
_VARIABLE = "env_"


def with_observed(targets: TargetMatches, diagnosis: Diagnosis) -> TargetMatches:
    """Return the targets with the unseen ones described by what the evidence shows of their containers."""
    return replace(targets, matches=tuple(_described(match, diagnosis) for match in targets.matches))


def _described(match: Match, diagnosis: Diagnosis) -> Match:
    manifest = match.manifest
    if manifest.tracked != "unseen" or manifest.body:
        return match
    pieces = [
        piece
        for piece in (*diagnosis.evidence, *diagnosis.context)
        if piece.subject.name == manifest.name and piece.subject.container
    ]
    names = list(dict.fromkeys(piece.subject.container for piece in pieces))
    containers = [_container(name, [piece for piece in pieces if piece.subject.container == name]) for name in names]
    if not containers:
        return match
    body = {
        "kind": manifest.kind,
        "metadata": {"name": manifest.name, "namespace": manifest.namespace},
        "spec": {"template": {"spec": {"containers": containers}}},
    }
    return replace(match, manifest=replace(manifest, body=body))


def _container(name: str, pieces: Iterable[Evidence]) -> dict[str, Any]:
    container: dict[str, Any] = {"name": name}
    for piece in pieces:
        if piece.subject.image:
            container["image"] = piece.subject.image
        for side, resource, fact in _RESOURCES:
            if amount := piece.facts.get(fact):
                container.setdefault("resources", {}).setdefault(side, {})[resource] = amount
        variables = {
            key.removeprefix(_VARIABLE): value for key, value in piece.facts.items() if key.startswith(_VARIABLE)
        }
        if variables:
            container["env"] = [{"name": key, "value": value} for key, value in variables.items()]
    return container
