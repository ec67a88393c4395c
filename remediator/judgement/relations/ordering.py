"""Relations between what Argo CD applies first and what that needs: hooks and waves that wait for what comes later."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, pod_template
from remediator.judgement.world import Placed, World

HOOK = "argocd.argoproj.io/hook"
WAVE = "argocd.argoproj.io/sync-wave"
_HELM_HOOK = "helm.sh/hook"
_FIRST = {"PreSync", "pre-install", "pre-upgrade"}


def hook_dependencies_come_first(world: World) -> Iterator[Broken]:
    """Yield accounts and ConfigMaps that a hook before the sync needs, and that only the sync itself makes."""
    for workload in world.workloads:
        if not _is_early(workload):
            continue
        for kind, name in _needs(workload):
            needed = world.named(kind, name, workload)
            if needed is None or needed.application.key != workload.application.key or _is_early(needed):
                continue
            yield Broken(
                relation="hook_dependencies_come_first", at=needed, path=_annotation(HOOK), value="PreSync", sure=0.7,
                message=f"{workload.kind} {workload.name} runs before the sync and needs {kind} {name}, which only the sync makes",
                causes=("permission_denied", "config_error", "sync_error", "storage_error"), sufferers=(workload,), words=(name,),
            )  # fmt: skip


def claims_do_not_wait_for_later_waves(world: World) -> Iterator[Broken]:
    """Yield claims in an earlier wave than every workload that mounts them: bound late, they hold up the wave for ever."""
    for claim in world.of_kind("PersistentVolumeClaim"):
        users = [item for item in world.workloads if claim.name in _claims(item) and _shares(item, claim)]
        waves = {_wave(item) for item in users}
        if not users or any(wave is None for wave in waves) or _wave(claim) is None or _is_early(claim):
            continue
        earliest = min(wave for wave in waves if wave is not None)
        if (_wave(claim) or 0) >= earliest:
            continue
        yield Broken(
            relation="claims_do_not_wait_for_later_waves", at=claim, path=_annotation(WAVE), value=str(earliest), sure=0.8,
            message=f"PersistentVolumeClaim {claim.name} is in wave {_wave(claim)}, and nothing mounts it before wave {earliest}",
            causes=("signal:wave_waits_for_claim", "signal:claim_unbound"), sufferers=tuple(users), words=(claim.name,),
        )  # fmt: skip


def _annotations(placed: Placed) -> dict[str, object]:
    return mapping(mapping(placed.body.get("metadata")).get("annotations"))


def _annotation(name: str) -> YamlPath:
    return ("metadata", "annotations", name)


def _is_early(placed: Placed) -> bool:
    """Return True for a hook that runs before the sync."""
    annotations = _annotations(placed)
    text = f"{annotations.get(HOOK, '')},{annotations.get(_HELM_HOOK, '')}"
    return not _FIRST.isdisjoint(part.strip() for part in text.split(","))


def _wave(placed: Placed) -> int | None:
    """Return the object's wave; None where its text is no number."""
    text = str(_annotations(placed).get(WAVE, "0"))
    return int(text) if text.lstrip("-").isdigit() else None


def _needs(workload: Placed) -> Iterator[tuple[str, str]]:
    """Yield kind and name of the account and the ConfigMaps without which its pods do not start."""
    body, _ = pod_template(workload)
    if account := body.get("serviceAccountName"):
        yield "ServiceAccount", str(account)
    for container, _, _ in workload.containers():
        for source in items(container.get("envFrom")):
            if name := mapping(source.get("configMapRef")).get("name"):
                yield "ConfigMap", str(name)
    for volume in items(body.get("volumes")):
        if name := mapping(volume.get("configMap")).get("name"):
            yield "ConfigMap", str(name)


def _claims(workload: Placed) -> set[str]:
    body, _ = pod_template(workload)
    volumes = items(body.get("volumes"))
    return {str(mapping(volume.get("persistentVolumeClaim")).get("claimName")) for volume in volumes}


def _shares(workload: Placed, claim: Placed) -> bool:
    return (workload.namespace, workload.application.key) == (claim.namespace, claim.application.key)
