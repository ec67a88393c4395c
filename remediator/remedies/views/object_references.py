"""References of a workload to the ConfigMaps and Secrets that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Manifest


@dataclass(frozen=True)
class ObjectReference:
    """A place in a pod's spec that names another object."""

    kind: str
    name: str
    path: YamlPath
    """The path of the name itself."""
    keys: tuple[str, ...] = ()
    """Keys of the object that this reference needs."""
    optional: bool = False


def object_references(manifest: Manifest) -> Iterator[ObjectReference]:
    """Yield every ConfigMap and Secret that a workload names, with the keys it needs."""
    pod = manifest.pod_spec()
    if pod is None:
        return
    spec, base = pod
    for body, path, _ in manifest.containers():
        for index, item in enumerate(body.get("env") or ()):
            source = item.get("valueFrom") if isinstance(item, dict) else None
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                yield from _reference(kind, (source or {}).get(field), (*path, "env", index, "valueFrom", field))
        for index, item in enumerate(body.get("envFrom") or ()):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                yield from _reference(
                    kind, item.get(field) if isinstance(item, dict) else None, (*path, "envFrom", index, field)
                )
    for index, volume in enumerate(spec.get("volumes") or ()):
        if not isinstance(volume, dict):
            continue
        yield from _volume(volume, (*base, "volumes", index))
    for index, item in enumerate(spec.get("imagePullSecrets") or ()):
        yield from _reference("Secret", item, (*base, "imagePullSecrets", index))


def _volume(volume: dict[str, Any], path: YamlPath) -> Iterator[ObjectReference]:
    yield from _reference("ConfigMap", volume.get("configMap"), (*path, "configMap"))
    secret = volume.get("secret")
    if isinstance(secret, dict) and secret.get("secretName"):
        keys = tuple(str(item.get("key")) for item in secret.get("items") or () if isinstance(item, dict))
        yield ObjectReference(
            "Secret", str(secret["secretName"]), (*path, "secret", "secretName"), keys, bool(secret.get("optional"))
        )
    projected = volume.get("projected")
    for index, item in enumerate((projected or {}).get("sources") or ()):
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            yield from _reference(kind, item.get(field), (*path, "projected", "sources", index, field))


def _reference(kind: str, body: Any, path: YamlPath) -> Iterator[ObjectReference]:
    if isinstance(body, dict) and body.get("name"):
        keys = [str(body["key"])] if body.get("key") else []
        keys += [str(item.get("key")) for item in body.get("items") or () if isinstance(item, dict)]
        yield ObjectReference(kind, str(body["name"]), (*path, "name"), tuple(keys), bool(body.get("optional")))
