"""Mounts that put a directory over a file, name a volume that does not exist, or have a wrong path.

The files of a ConfigMap or Secret volume are known from the repository, so a mount can be checked against the path that
the program or the runtime could not use. Volumes whose files are unknown are not touched.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import below_folder, different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest
from remediator.remedies.views.config_objects import keys_by_name
from remediator.remedies.views.start_texts import containers

_PATH = re.compile(r"(?<![\w.:/-])(/(?:[\w.@+-]+/)*[\w.@+-]+)")
_RUNTIME = (
    "/var/lib/kubelet",
    "/var/lib/docker",
    "/run/containerd",
    "/var/run/secrets/kubernetes.io",
    "/usr/lib/python",
    "/usr/local/lib/",
    "/proc",
    "/sys",
    "/dev",
)
_INDEX = re.compile(
    r"(?P<list>containers|initContainers)\[(?P<container>\d+)\]\.volumeMounts\[(?P<mount>\d+)\]\.name: Not found: \\?\"(?P<name>[^\"\\]+)"
)


def fix_mount(case: RemedyContext) -> Iterator[Fix]:
    """Correct a mount: the name of its volume, its subPath, its path."""
    yield from _unknown_volume(case)
    files = case.signals("not_a_directory", "subpath_missing")
    yield from _directory_over_file(case, files)
    yield from _wrong_mount_path(case, case.signals("file_not_found"))


def _mounts(container: dict[str, Any], path: YamlPath) -> Iterator[tuple[dict[str, Any], YamlPath]]:
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if isinstance(mount, dict):
            yield mount, (*path, "volumeMounts", index)


def _volumes(target: Match) -> dict[str, tuple[dict[str, Any], YamlPath]]:
    """Return volume name → (volume, its path); claim templates of a StatefulSet are volumes without a body here."""
    pod = target.manifest.pod_spec()
    if pod is None:
        return {}
    spec, base = pod
    volumes = {
        str(item.get("name")): (item, (*base, "volumes", index))
        for index, item in enumerate(spec.get("volumes") or ())
        if isinstance(item, dict)
    }
    workload_spec = target.manifest.body.get("spec")
    for item in (workload_spec.get("volumeClaimTemplates") if isinstance(workload_spec, dict) else None) or ():
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if isinstance(metadata, dict):
            volumes.setdefault(str(metadata.get("name")), ({}, ()))
    return volumes


def _unknown_volume(case: RemedyContext) -> Iterator[Fix]:
    """Correct the volume's name of a mount that the API server refuses, since the pod declares no such volume."""
    failed = [piece for piece in case.signals("object_invalid") if _INDEX.search(piece.text)]
    names = {match["name"] for piece in failed for match in _INDEX.finditer(piece.text)}
    for target in case.targets:
        volumes = _volumes(target)
        mounts = [(mount, at) for body, path, _ in target.manifest.containers() for mount, at in _mounts(body, path)]
        for name in sorted(names - set(volumes)):
            wrong = [at for mount, at in mounts if mount.get("name") == name]
            unused = set(volumes) - {str(mount.get("name")) for mount, _ in mounts}
            new = nearest(name, volumes) or (next(iter(unused)) if len(unused) == 1 else "")
            if wrong:
                yield Fix(
                    title=f"mount volume `{new}` instead of `{name}` in `{target.manifest.name}`",
                    reason=f"`{target.manifest.name}` declares no volume `{name}`; `{new}` is the one that was meant.",
                    evidence=case.cite(*failed),
                    wants=tuple(Want.of(target, (*at, "name"), new or name) for at in wrong),
                    parameters={"from": name, "to": new},
                    score=0.8 if new else 0.0,
                    accepts=different_value(name, among=volumes),
                )


def _paths(evidence: Sequence[Evidence]) -> list[str]:
    """Return the absolute paths that the evidence names, without those of the runtime and of source code."""
    paths = [file for piece in evidence for file in _PATH.findall(piece.text)]
    return [
        file
        for file in dict.fromkeys(paths)
        if not file.startswith(_RUNTIME) and not file.endswith((".py", ".js", ".go", ".rb"))
    ]


def _directory_over_file(case: RemedyContext, evidence: Sequence[Evidence]) -> Iterator[Fix]:
    """Set the subPath of a ConfigMap or Secret that is mounted as a directory where a file is expected."""
    paths = _paths(evidence)
    for target, container, path in containers(case, evidence):
        volumes = _volumes(target)
        for mount, at in _mounts(container, path):
            mount_path = str(mount.get("mountPath", "")).rstrip("/")
            if not any(
                file == mount_path or file.endswith(f"/rootfs{mount_path}") for file in paths
            ) and not _named_in_message(mount, evidence):
                continue
            volume, _ = volumes.get(str(mount.get("name")), ({}, ()))
            files = _files(case, target, volume)
            sub_path = mount.get("subPath")
            if files is None or (sub_path and sub_path in files):
                continue
            new = _sub_path(mount_path, sub_path, files)
            yield Fix(
                title=f"mount the file `{new}` at {mount_path}",
                reason=f"a directory lies at {mount_path}, where a file is expected: volume `{mount.get('name')}` holds `{new}`, which subPath selects.",
                evidence=case.cite(*evidence),
                wants=(Want.of(target, (*at, "subPath"), new or sub_path or MISSING),),
                parameters={"container": str(container.get("name", "")), "path": mount_path, "to": new},
                score=0.75 if new else 0.0,
                accepts=different_value(sub_path, among=files),
            )


def _named_in_message(mount: dict[str, Any], evidence: Sequence[Evidence]) -> bool:
    """Return True where the kubelet names the mount's volume in its message about a subPath."""
    return any(f'volumeMount "{mount.get("name")}"' in piece.text.replace("\\", "") for piece in evidence)


def _sub_path(mount_path: str, sub_path: object, files: set[str]) -> str:
    base = posixpath.basename(mount_path)
    if isinstance(sub_path, str) and sub_path:
        return nearest(sub_path, files) or (base if base in files else "")
    if base in files:
        return base
    return next(iter(files)) if len(files) == 1 else nearest(base, files)


def _files(case: RemedyContext, target: Match, volume: dict[str, Any]) -> set[str] | None:
    """Return the names of the files in a ConfigMap or Secret volume; None where the repository does not tell."""
    for field, name, kind in (("configMap", "name", "ConfigMap"), ("secret", "secretName", "Secret")):
        source = volume.get(field)
        if isinstance(source, dict):
            if items := [item for item in source.get("items") or () if isinstance(item, dict)]:
                return {str(item.get("path")) for item in items}
            return keys_by_name(case, target, kind).get(str(source.get(name)))
    return None


def _wrong_mount_path(case: RemedyContext, evidence: Sequence[Evidence]) -> Iterator[Fix]:
    """Correct a typo in the mountPath of the volume that contains the missing file."""
    for file in _paths(evidence):
        folder, base = posixpath.split(file)
        for target, container, path in containers(case, [piece for piece in evidence if file in piece.text]):
            mounts = list(_mounts(container, path))
            places = {str(mount.get("mountPath", "")).rstrip("/") for mount, _ in mounts}
            if folder in places or file in places:
                continue
            volumes = _volumes(target)
            for mount, at in mounts:
                mount_path = str(mount.get("mountPath", "")).rstrip("/")
                volume, _ = volumes.get(str(mount.get("name")), ({}, ()))
                files = _files(case, target, volume) or set()
                single_file = bool(mount.get("subPath"))
                right = file if single_file else folder
                if not is_typo(mount_path, right) or (
                    base not in files if not single_file else str(mount["subPath"]) not in files
                ):
                    continue
                written_path = str(mount.get("mountPath", ""))
                new = right + "/" if written_path.endswith("/") else right
                yield Fix(
                    title=f"mount `{mount.get('name')}` at {right} instead of {mount_path}",
                    reason=f"the program looks for {file}; the volume that holds `{base}` is mounted at {mount_path}, one slip away.",
                    evidence=case.cite(*evidence),
                    wants=(Want.of(target, (*at, "mountPath"), new),),
                    parameters={"container": str(container.get("name", "")), "from": mount_path, "to": right},
                    score=0.65,
                    accepts=different_value(written_path, among=[right, f"{right}/"]),
                )


_LOST_FOUND = re.compile(r"lost\+found|mount point", re.IGNORECASE)
_MOUNT_ROOT = ("PGDATA",)


def move_data_directory(case: RemedyContext) -> Iterator[Fix]:
    """Let PostgreSQL keep its data in a directory below the root of a volume, where `lost+found` makes the root non-empty.

    This is done only where the root contains nothing but `lost+found`: existing data must not be left behind.
    """
    failed = case.signals(*case.action.ends)
    if not any(_LOST_FOUND.search(piece.text) for piece in (*failed, *case.statements)):
        return
    folder = str(case.action.options.get("directory", "pgdata"))
    for target, container, path in containers(case, failed):
        places = {str(mount.get("mountPath", "")).rstrip("/"): (mount, at) for mount, at in _mounts(container, path)}
        reported = case.fact("directory", among=failed).rstrip("/")
        root = (
            reported
            if reported in places
            else next((mount_path for mount_path in places if mount_path.endswith(("/postgresql/data", "/pgdata"))), "")
        )
        if not root or (reported and reported != root) or places[root][0].get("subPath"):
            continue
        want = _data_directory(target, container, path, root, folder)
        if want is None:
            continue
        yield Fix(
            title=f"keep the data of `{container.get('name', '')}` in {root}/{folder}",
            reason=f"initdb refuses {root}, the root of a volume, since it holds lost+found; a directory below it is empty.",
            evidence=case.cite(*failed),
            wants=(want,),
            parameters={"container": str(container.get("name", "")), "directory": f"{root}/{folder}"},
            score=0.7,
            accepts=below_folder(root),
        )


def _data_directory(target: Match, container: dict[str, Any], path: YamlPath, root: str, folder: str) -> Want | None:
    """Set PGDATA, or add the variable where it is missing; None where it points elsewhere already."""
    env = container.get("env")
    items = env if isinstance(env, list) else []
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("name") in _MOUNT_ROOT:
            value = item.get("value")
            if not isinstance(value, str) or value.rstrip("/") != root:
                return None
            return Want.of(target, (*path, "env", index, "value"), f"{root}/{folder}")
    added = {"name": _MOUNT_ROOT[0], "value": f"{root}/{folder}"}
    return Want.of(target, (*path, "env"), [*items, added])
