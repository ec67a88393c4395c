"""Rollouts that wait for a volume which the pod they replace still holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import mounted_claims

_HELD = re.compile(r"already used by pod\(s\) (?P<pods>[a-z0-9., -]+[a-z0-9])")
_HASH = re.compile(r"-(?P<hash>[a-z0-9]{6,10})-[a-z0-9]{5}$")


def recreate_pods(case: RemedyContext) -> Iterator[Fix]:
    """Recreate instead of rolling, where the volume is held by the same workload's pod of the revision before.

    A pod of the same revision would tell of a lost node, which no manifest mends.
    """
    for one in case.signals(*case.action.ends):
        for target in case.targets:
            manifest = target.manifest
            strategy = get(manifest.body, ("spec", "strategy"))
            kind = get(strategy, ("type",)) if isinstance(strategy, dict) else MISSING
            if (
                manifest.kind != "Deployment"
                or kind == "Recreate"
                or not _single(case, target)
                or not _replaced(one, target)
            ):
                continue
            rolling = isinstance(strategy, dict) and "rollingUpdate" in strategy
            wants = [Want(target.application, manifest, ("spec", "strategy", "type"), "Recreate")]
            if rolling:
                wants.append(Want(target.application, manifest, ("spec", "strategy", "rollingUpdate"), MISSING))
            yield Fix(
                title=f"recreate the pod of `{manifest.name}` instead of rolling it",
                reason=f"The volume of `{manifest.name}` can be attached to one node, and the pod of the revision before holds it until the new one is ready, which waits for it.",
                evidence=case.cite(one),
                wants=tuple(wants),
                parameters={"to": "Recreate"},
                score=0.65,
            )


def _single(case: RemedyContext, target: Match) -> bool:
    """Whether one pod mounts claims that one node alone can hold."""
    modes = [claim.get("accessModes") for claim in mounted_claims(case, target)]
    return (
        get(target.manifest.body, ("spec", "replicas")) in (1, MISSING) and bool(modes) and ["ReadWriteOnce"] in modes
    )


def _replaced(one: Evidence, target: Match) -> bool:
    """Whether all holders are pods of this workload, of another revision than the one that waits."""
    found = _HELD.search(one.text)
    waiting = _HASH.search(one.subject.pod)
    if not found or not waiting:
        return False
    holders = [name for name in re.split(r"[, ]+", found["pods"]) if name]
    hashes = [_HASH.search(name) for name in holders if name.startswith(f"{target.manifest.name}-")]
    return len(hashes) == len(holders) and all(
        other is not None and other["hash"] != waiting["hash"] for other in hashes
    )
