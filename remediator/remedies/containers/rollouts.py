"""Rollouts that wait for a volume which the replaced pod still uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.claims import mounted_claims

_IN_USE = re.compile(r"already used by pod\(s\) (?P<pods>[a-z0-9., -]+[a-z0-9])")
_HASH = re.compile(r"-(?P<hash>[a-z0-9]{6,10})-[a-z0-9]{5}$")


def recreate_pods(case: RemedyContext) -> Iterator[Fix]:
    """Use the strategy Recreate where a pod of the workload's previous revision still uses the volume.

    A pod of the same revision points to a lost node, which no manifest can repair.
    """
    for piece in case.signals(*case.action.ends):
        for target in case.targets:
            manifest = target.manifest
            strategy = get(manifest.body, ("spec", "strategy"))
            kind = get(strategy, ("type",)) if isinstance(strategy, dict) else MISSING
            if (
                manifest.kind != "Deployment"
                or kind == "Recreate"
                or not _has_single_attachment(case, target)
                or not _waits_for_replaced_pod(piece, target)
            ):
                continue
            rolling = isinstance(strategy, dict) and "rollingUpdate" in strategy
            wants = [Want(target.application, manifest, ("spec", "strategy", "type"), "Recreate")]
            if rolling:
                wants.append(Want(target.application, manifest, ("spec", "strategy", "rollingUpdate"), MISSING))
            yield Fix(
                title=f"recreate the pod of `{manifest.name}` instead of rolling it",
                reason=f"The volume of `{manifest.name}` can be attached to one node only. The pod of the previous revision keeps it until the new pod is ready, and the new pod waits for it.",
                evidence=case.cite(piece),
                wants=tuple(wants),
                parameters={"to": "Recreate"},
                score=0.65,
            )


def _has_single_attachment(case: RemedyContext, target: Match) -> bool:
    """Return True where a single pod mounts a claim that only one node can attach."""
    modes = [claim.get("accessModes") for claim in mounted_claims(case, target)]
    return (
        get(target.manifest.body, ("spec", "replicas")) in (1, MISSING) and bool(modes) and ["ReadWriteOnce"] in modes
    )


def _waits_for_replaced_pod(piece: Evidence, target: Match) -> bool:
    """Return True where all holders are pods of this workload, of another revision than the waiting pod."""
    message = _IN_USE.search(piece.text)
    waiting = _HASH.search(piece.subject.pod)
    if not message or not waiting:
        return False
    holders = [name for name in re.split(r"[, ]+", message["pods"]) if name]
    hashes = [_HASH.search(name) for name in holders if name.startswith(f"{target.manifest.name}-")]
    return len(hashes) == len(holders) and all(
        holder_hash is not None and holder_hash["hash"] != waiting["hash"] for holder_hash in hashes
    )
