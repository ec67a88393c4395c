"""Let a hardened container run without undoing the hardening: a user that is not root, a directory that it may write."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.start_texts import containers

_USER = 1000
"""The user that most images which are built for it run as; nothing in a manifest tells which one an image has."""
_FILE = re.compile(r"(?<![\w.:/])(/[\w.@+-]+(?:/[\w.@+-]+)+)")
_SCRATCH = re.compile(r"^/(?:var/)?(?:tmp|run|cache|log)(?:/|$)|/(?:\.?cache|tmp|logs?)$")
"""Directories that hold nothing of an image, so that an empty one may hide them."""


def run_as_user(case: RemedyContext) -> Iterator[Fix]:
    """Choose a user beside runAsNonRoot where the image would run as root."""
    refused = case.signals(*case.action.ends)
    for target, container, path in containers(case, refused) if refused else ():
        place = _user_path(target, container, path)
        if place is None:
            continue
        user = _user(target)
        name = str(container.get("name", ""))
        yield Fix(
            title=f"run `{name}` as user {user}",
            reason=f"The image of `{name}` runs as root, which runAsNonRoot forbids; user {user} keeps the hardening. "
            "The number is a guess: check that the image can run as it.",
            evidence=case.cite(*refused),
            wants=(Want.of(target, place, user),),
            parameters={"container": name, "to": str(user)},
            score=0.75,
        )


def _user_path(target: Match, container: dict[str, Any], path: YamlPath) -> YamlPath | None:
    """Return the path for the user, beside the setting that refuses root; None where a user is chosen already."""
    pod = target.manifest.pod_spec()
    users = [
        get(container, ("securityContext", "runAsUser")),
        get(pod[0], ("securityContext", "runAsUser")) if pod else 0,
    ]
    if any(user not in (MISSING, None) for user in users) or pod is None:
        return None
    if get(container, ("securityContext", "runAsNonRoot")) is True:
        return (*path, "securityContext", "runAsUser")
    if get(pod[0], ("securityContext", "runAsNonRoot")) is not True:
        return None
    several = sum(1 for _ in target.manifest.containers()) > 1
    if several and isinstance(container.get("securityContext"), dict):
        return (*path, "securityContext", "runAsUser")
    return None if several else (*pod[1], "securityContext", "runAsUser")


def _user(target: Match) -> int:
    """Return the group that the pod's files belong to as the user, where there is one."""
    pod = target.manifest.pod_spec()
    groups = [get(pod[0], ("securityContext", key)) for key in ("runAsGroup", "fsGroup")] if pod else []
    return next((group for group in groups if isinstance(group, int) and group > 0), _USER)


def mount_writable_directory(case: RemedyContext) -> Iterator[Fix]:
    """Mount an empty directory where a program writes to a root file system that is read-only."""
    failed = case.signals(*case.action.ends)
    for target, container, path in containers(case, failed) if failed else ():
        if get(container, ("securityContext", "readOnlyRootFilesystem")) is not True:
            continue
        written = [posixpath.dirname(file) for piece in failed for file in _FILE.findall(piece.text)]
        directories = [item for item in dict.fromkeys(written) if not _is_mounted(container, item)]
        if not directories or not all(_SCRATCH.search(item) for item in directories):
            continue
        name = str(container.get("name", ""))
        yield Fix(
            title=f"mount a writable {directories[0]} in `{name}`",
            reason=f"`{name}` writes to {', '.join(directories)} on a read-only root file system; an empty volume there keeps it read-only.",
            evidence=case.cite(*failed),
            wants=tuple(_mounts(target, container, path, directories)),
            parameters={"container": name, "path": directories[0]},
            score=0.75,
        )


def _is_mounted(container: dict[str, Any], directory: str) -> bool:
    mounts = [str(mount.get("mountPath", "")).rstrip("/") for mount in _items(container.get("volumeMounts"))]
    return any(directory == mount or directory.startswith(f"{mount}/") for mount in mounts if mount)


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _mounts(target: Match, container: dict[str, Any], path: YamlPath, directories: Sequence[str]) -> Iterator[Want]:
    """Yield the mounts, and the volumes for those that no empty volume of the pod serves already."""
    pod = target.manifest.pod_spec()
    if pod is None:
        return
    volumes = _items(pod[0].get("volumes"))
    empty = {str(volume.get("name")) for volume in volumes if "emptyDir" in volume}
    shared = {
        str(mount.get("mountPath", "")).rstrip("/"): str(mount.get("name"))
        for body, _, _ in target.manifest.containers()
        for mount in _items(body.get("volumeMounts"))
        if str(mount.get("name")) in empty
    }
    mounts, added = [], []
    for directory in directories:
        name = shared.get(directory) or _volume_name(directory, {str(volume.get("name")) for volume in volumes})
        mounts.append({"name": name, "mountPath": directory})
        if directory not in shared:
            added.append({"name": name, "emptyDir": {}})
    present = container.get("volumeMounts")
    yield Want.of(target, (*path, "volumeMounts"), [*(present or ()), *mounts])
    if added:
        yield Want.of(target, (*pod[1], "volumes"), [*(pod[0].get("volumes") or ()), *added])


def _volume_name(directory: str, taken: set[str]) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", directory.lower()).strip("-")[:50]
    return name if name not in taken else f"{name}-writable"
