"""Mounts that lay a directory over a file, name a volume that is not there, or stand in the wrong place."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
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
    """Mend what a mount says of its volume: its name, its subPath, its place."""
    yield from _unknown_volume(case)
    files = case.signals("not_a_directory", "subpath_missing")
    yield from _directory_over_file(case, files)
    yield from _misplaced(case, case.signals("file_not_found"))


def _mounts(container: dict[str, Any], path: YamlPath) -> Iterator[tuple[dict[str, Any], YamlPath]]:
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if isinstance(mount, dict):
            yield mount, (*path, "volumeMounts", index)


def _volumes(target: Match) -> dict[str, tuple[dict[str, Any], YamlPath]]:
    """Volume name → volume and its path; claim templates of a StatefulSet are volumes without a body here."""
    found = target.manifest.pod_spec()
    if found is None:
        return {}
    spec, base = found
    volumes = {
        str(item.get("name")): (item, (*base, "volumes", index))
        for index, item in enumerate(spec.get("volumes") or ())
        if isinstance(item, dict)
    }
    own = target.manifest.body.get("spec")
    for item in (own.get("volumeClaimTemplates") if isinstance(own, dict) else None) or ():
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if isinstance(metadata, dict):
            volumes.setdefault(str(metadata.get("name")), ({}, ()))
    return volumes


def _unknown_volume(case: RemedyContext) -> Iterator[Fix]:
    """The API server refuses a mount whose volume the pod does not declare."""
    failed = [one for one in case.signals("object_invalid") if _INDEX.search(one.text)]
    names = {found["name"] for one in failed for found in _INDEX.finditer(one.text)}
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
                    wants=tuple(Want(target.application, target.manifest, (*at, "name"), new or name) for at in wrong),
                    parameters={"from": name, "to": new},
                    score=0.8 if new else 0.0,
                    accepts=different_value(name, among=volumes),
                )


def _paths(evidence: list[Evidence]) -> list[str]:
    """Absolute paths that the evidence names, those of the runtime and of code left out."""
    found = [path for one in evidence for path in _PATH.findall(one.text)]
    return [
        path
        for path in dict.fromkeys(found)
        if not path.startswith(_RUNTIME) and not path.endswith((".py", ".js", ".go", ".rb"))
    ]


def _directory_over_file(case: RemedyContext, evidence: list[Evidence]) -> Iterator[Fix]:
    """A ConfigMap or Secret mounted where a file is expected needs the key of that file as its subPath."""
    paths = _paths(evidence)
    for target, container, path in containers(case, evidence):
        volumes = _volumes(target)
        for mount, at in _mounts(container, path):
            where = str(mount.get("mountPath", "")).rstrip("/")
            if not any(one == where or one.endswith(f"/rootfs{where}") for one in paths) and not _named(
                mount, evidence
            ):
                continue
            volume, _ = volumes.get(str(mount.get("name")), ({}, ()))
            files = _files(case, target, volume)
            present = mount.get("subPath")
            if files is None or (present and present in files):
                continue
            new = _sub_path(where, present, files)
            yield Fix(
                title=f"mount the file `{new}` at {where}",
                reason=f"a directory lies at {where}, where a file is expected: volume `{mount.get('name')}` holds `{new}`, which subPath selects.",
                evidence=case.cite(*evidence),
                wants=(Want(target.application, target.manifest, (*at, "subPath"), new or present or MISSING),),
                parameters={"container": str(container.get("name", "")), "path": where, "to": new},
                score=0.75 if new else 0.0,
                accepts=different_value(present, among=files),
            )


def _named(mount: dict[str, Any], evidence: list[Evidence]) -> bool:
    """The kubelet names the mount's volume in its sentence about a subPath."""
    return any(f'volumeMount "{mount.get("name")}"' in one.text.replace("\\", "") for one in evidence)


def _sub_path(where: str, present: object, files: set[str]) -> str:
    base = posixpath.basename(where)
    if isinstance(present, str) and present:
        return nearest(present, files) or (base if base in files else "")
    if base in files:
        return base
    return next(iter(files)) if len(files) == 1 else nearest(base, files)


def _files(case: RemedyContext, target: Match, volume: dict[str, Any]) -> set[str] | None:
    """Names of the files that a ConfigMap or Secret volume holds; None where the repository does not say."""
    for field, name, kind in (("configMap", "name", "ConfigMap"), ("secret", "secretName", "Secret")):
        source = volume.get(field)
        if isinstance(source, dict):
            if items := [item for item in source.get("items") or () if isinstance(item, dict)]:
                return {str(item.get("path")) for item in items}
            return keys_by_name(case, target, kind).get(str(source.get(name)))
    return None


def _misplaced(case: RemedyContext, evidence: list[Evidence]) -> Iterator[Fix]:
    """A file that is missing by a slip in the mountPath of the very volume that holds it."""
    for wanted in _paths(evidence):
        folder, base = posixpath.split(wanted)
        for target, container, path in containers(case, [one for one in evidence if wanted in one.text]):
            mounts = list(_mounts(container, path))
            places = {str(mount.get("mountPath", "")).rstrip("/") for mount, _ in mounts}
            if folder in places or wanted in places:
                continue
            volumes = _volumes(target)
            for mount, at in mounts:
                where = str(mount.get("mountPath", "")).rstrip("/")
                volume, _ = volumes.get(str(mount.get("name")), ({}, ()))
                files = _files(case, target, volume) or set()
                whole = bool(mount.get("subPath"))
                right = wanted if whole else folder
                if not is_typo(where, right) or (
                    base not in files if not whole else str(mount["subPath"]) not in files
                ):
                    continue
                spelt = str(mount.get("mountPath", ""))
                new = right + "/" if spelt.endswith("/") else right
                yield Fix(
                    title=f"mount `{mount.get('name')}` at {right} instead of {where}",
                    reason=f"the program looks for {wanted}; the volume that holds `{base}` is mounted at {where}, one slip away.",
                    evidence=case.cite(*evidence),
                    wants=(Want(target.application, target.manifest, (*at, "mountPath"), new),),
                    parameters={"container": str(container.get("name", "")), "from": where, "to": right},
                    score=0.65,
                    accepts=different_value(spelt, among=[right, f"{right}/"]),
                )


_LOST = re.compile(r"lost\+found|mount point", re.IGNORECASE)
_MOUNT_ROOT = ("PGDATA",)


def move_data_directory(case: RemedyContext) -> Iterator[Fix]:
    """Let PostgreSQL keep its data below the root of a volume, which a file system never leaves empty.

    Only where the root holds no more than `lost+found`: a directory with data must not be left behind.
    """
    failed = case.signals(*case.action.ends)
    if not any(_LOST.search(one.text) for one in (*failed, *case.statements)):
        return
    folder = str(case.action.options.get("directory", "pgdata"))
    for target, container, path in containers(case, failed):
        places = {str(mount.get("mountPath", "")).rstrip("/"): (mount, at) for mount, at in _mounts(container, path)}
        said = case.fact("directory", among=failed).rstrip("/")
        root = (
            said
            if said in places
            else next((one for one in places if one.endswith(("/postgresql/data", "/pgdata"))), "")
        )
        if not root or (said and said != root) or places[root][0].get("subPath"):
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
    """PGDATA set, or added where the variable is not there; None where it already points below the root."""
    env = container.get("env")
    items = env if isinstance(env, list) else []
    for index, item in enumerate(items):
        if isinstance(item, dict) and item.get("name") in _MOUNT_ROOT:
            value = item.get("value")
            if not isinstance(value, str) or value.rstrip("/") != root:
                return None
            return Want(target.application, target.manifest, (*path, "env", index, "value"), f"{root}/{folder}")
    added = {"name": _MOUNT_ROOT[0], "value": f"{root}/{folder}"}
    return Want(target.application, target.manifest, (*path, "env"), [*items, added])
