"""The Pod Security level of a namespace that a recent commit raised above what its workloads bear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import Fix, RemedyContext, Want

_LABEL: YamlPath = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
_LEVELS = ("privileged", "baseline", "restricted")
_REFUSAL = re.compile(r'violates PodSecurity \\?"(?P<level>[a-z]+)')


def restore_pod_security(case: RemedyContext) -> Iterator[Fix]:
    """Restore the level that the namespace enforced before; only its history can give one."""
    refused = case.signals(*case.action.ends)
    levels = {match["level"] for piece in refused if (match := _REFUSAL.search(piece.text))}
    for application, manifest in _namespaces(case, refused):
        level = get(manifest.body, _LABEL)
        if level not in levels or level not in _LEVELS:
            continue
        yield Fix(
            title=f"restore the Pod Security level of `{manifest.name}`",
            reason=f"Namespace `{manifest.name}` enforces `{level}`, which refuses its pods.",
            evidence=case.cite(*refused),
            wants=(Want(application, manifest, _LABEL, level),),
            parameters={"namespace": manifest.name, "from": str(level)},
            score=0.0,
            accepts=partial(_is_lower, than=str(level)),
        )


def _is_lower(old: Any, *, than: str) -> bool:
    return old is MISSING or (old in _LEVELS and _LEVELS.index(old) < _LEVELS.index(than))


def _namespaces(case: RemedyContext, refused: Sequence[Evidence]) -> Iterator[tuple[Application, Manifest]]:
    """Yield the namespaces of the refused pods, as far as this repository has them."""
    names = {target.manifest.namespace_in(target.application) for target in case.targets}
    names |= {piece.subject.namespace for piece in refused}
    clusters = {target.application.cluster for target in case.targets}
    for application in case.repository.applications:
        if clusters and application.cluster not in clusters:
            continue
        for manifest in case.repository.objects(application):
            if manifest.kind == "Namespace" and manifest.name in names - {""}:
                yield application, manifest
