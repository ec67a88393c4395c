"""ConfigMaps and Secrets that a namespace will have, with their keys.

Some are written down as they are; others are made in the cluster by an operator (SealedSecret, ExternalSecret,
Certificate …). Where the repository cannot tell the keys, None stands for them, so that no key is called missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.case import RemedyContext


def keys_by_name(case: RemedyContext, target: Match, kind: str) -> dict[str, set[str] | None]:
    """Return name → keys of the objects of this kind in the target's namespace; None where the keys are not known."""
    return {
        name: keys
        for manifest in case.namespace_objects(target)
        for object_kind, name, keys in config_objects(manifest)
        if object_kind == kind
    }


def config_objects(manifest: Manifest) -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield (kind, name, keys) of each ConfigMap or Secret that an object is, or that an operator makes from it."""
    body, spec = manifest.body, manifest.body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if manifest.kind in ("ConfigMap", "Secret"):
        keys = {str(key) for part in ("data", "stringData", "binaryData") for key in body.get(part) or {}}
        yield manifest.kind, manifest.name, keys
    elif manifest.kind == "SealedSecret":
        name = get(spec, ("template", "metadata", "name"))
        yield "Secret", str(name or manifest.name), {str(key) for key in spec.get("encryptedData") or {}}
    elif manifest.kind in ("ExternalSecret", "ClusterExternalSecret", "VaultStaticSecret", "VaultDynamicSecret"):
        yield "Secret", *_external(manifest, spec)
    elif manifest.kind == "Certificate" and spec.get("secretName"):
        yield "Secret", str(spec["secretName"]), {"tls.crt", "tls.key", "ca.crt"}
    elif manifest.kind in ("OnePasswordItem", "InfisicalSecret", "BitwardenSecret", "SopsSecret"):
        yield "Secret", manifest.name, None
    elif manifest.kind == "Cluster" and "postgresql" in manifest.api_version:
        yield from (("Secret", f"{manifest.name}-{suffix}", None) for suffix in ("app", "superuser"))


def _external(manifest: Manifest, spec: dict[str, Any]) -> tuple[str, set[str] | None]:
    """Return the name and the keys of the Secret that an external store fills."""
    destination = spec.get("target") or spec.get("destination") or {}
    name = destination.get("name") if isinstance(destination, dict) else ""
    data = spec.get("data")
    all_listed = isinstance(data, list) and not spec.get("dataFrom")
    keys = {str(item.get("secretKey")) for item in data or () if isinstance(item, dict)} if all_listed else None
    return str(name or manifest.name), keys
