"""References to objects and keys that do not exist: ConfigMaps, Secrets, claims, accounts, classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import YamlPath
from remediator.domain.incident import Evidence
from remediator.gitops import Manifest, Match
from remediator.gitops.model import WORKLOADS
from remediator.gitops.paths import get
from remediator.policy.leaves import leaves
from remediator.remedies.engine.acceptable_values import another
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest, similarity


@dataclass(frozen=True)
class ObjectReference:
    """One place in a pod's spec that names another object."""

    kind: str
    name: str
    path: YamlPath
    """Of the name itself."""
    keys: tuple[str, ...] = ()
    """Keys of the object that this reference needs."""
    optional: bool = False


def references(manifest: Manifest) -> Iterator[ObjectReference]:
    """Every ConfigMap and Secret that a workload names, with the keys it needs."""
    found = manifest.pod_spec()
    if found is None:
        return
    spec, base = found
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


def rename_reference(case: RemedyContext) -> Iterator[Fix]:
    """Point every reference to a missing object at the one that was meant."""
    for kind, signal in (("ConfigMap", "configmap_not_found"), ("Secret", "secret_not_found")):
        for missing, evidence in _missing(case.signals(signal)):
            for target in case.targets:
                yield from _renamed(case, target, kind, missing, evidence)


def _renamed(case: RemedyContext, target: Match, kind: str, missing: str, evidence: list[Evidence]) -> Iterator[Fix]:
    wrong = [one for one in references(target.manifest) if one.kind == kind and one.name == missing]
    if not wrong:
        return
    holders = holders_of(case, target, kind)
    if missing in holders or _promised(case, target, kind, missing):
        return  # it is here, or somebody will make it: the cluster just does not have it yet
    needed = {key for one in wrong for key in one.keys}
    new, why = _meant(case, target, kind, missing, needed, holders)
    yield Fix(
        title=f"point `{target.manifest.name}` at {kind} `{new}` instead of `{missing}`",
        reason=f"{kind} `{missing}` is defined nowhere; {why}",
        evidence=case.cite(*evidence),
        wants=tuple(Want(target.application, target.manifest, one.path, new or missing) for one in wrong),
        parameters={"kind": kind, "from": missing, "to": new},
        score=0.8 if new else 0.0,
        accepts=another(missing, among=[*holders, ""]),
    )


def _promised(case: RemedyContext, target: Match, kind: str, name: str) -> bool:
    """Whether a custom resource names the object as something that it will make (a Secret of a database, of a vault)."""
    word = "ecret" if kind == "Secret" else "onfig"
    others = [manifest for manifest in case.namespace_objects(target) if manifest.kind not in _PLAIN]
    return any(
        value == name and any(word in str(step) for step in path)
        for manifest in others
        for path, value in leaves(manifest.body)
    ) or any(
        kind == "Secret"
        and _MAKERS.search(manifest.kind)
        and not any(provided(manifest))
        and (manifest.name == name or name.startswith(f"{manifest.name}-"))
        for manifest in others
    )


_MAKERS = re.compile(
    r"(?i)user|cluster|database|postgres|mysql|maria|mongo|redis|rabbit|kafka|elastic|opensearch|minio|credential|claim|bucket"
)
"""Kinds of custom resources whose operators write a login into a Secret called after the resource."""
_PLAIN = frozenset(
    (
        *WORKLOADS,
        "ConfigMap",
        "Secret",
        "Service",
        "Ingress",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ClusterRole",
        "ClusterRoleBinding",
        "PersistentVolumeClaim",
    )
)
"""Kinds that make no other object of the name they hold."""


def _missing(evidence: Iterable[Evidence]) -> Iterator[tuple[str, list[Evidence]]]:
    by_name: dict[str, list[Evidence]] = {}
    for one in evidence:
        name = one.facts.get("missing") or one.facts.get("missing2") or ""
        by_name.setdefault(name, []).append(one)
    yield from ((name, group) for name, group in by_name.items() if name)


def holders_of(case: RemedyContext, target: Match, kind: str) -> dict[str, set[str] | None]:
    """Name → keys of the objects of this kind that the namespace will have; None: keys not known here."""
    return {
        name: keys
        for manifest in case.namespace_objects(target)
        for held_kind, name, keys in provided(manifest)
        if held_kind == kind
    }


def provided(manifest: Manifest) -> Iterator[tuple[str, str, set[str] | None]]:
    """(kind, name, keys) of each ConfigMap or Secret that an object is or will make in the cluster."""
    body, spec = manifest.body, manifest.body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    if manifest.kind in ("ConfigMap", "Secret"):
        keys = {str(key) for part in ("data", "stringData", "binaryData") for key in body.get(part) or {}}
        yield manifest.kind, manifest.name, keys
    elif manifest.kind == "SealedSecret":
        made = get(spec, ("template", "metadata", "name"))
        yield "Secret", str(made or manifest.name), {str(key) for key in spec.get("encryptedData") or {}}
    elif manifest.kind in ("ExternalSecret", "ClusterExternalSecret", "VaultStaticSecret", "VaultDynamicSecret"):
        yield "Secret", *_external(manifest, spec)
    elif manifest.kind == "Certificate" and spec.get("secretName"):
        yield "Secret", str(spec["secretName"]), {"tls.crt", "tls.key", "ca.crt"}
    elif manifest.kind in ("OnePasswordItem", "InfisicalSecret", "BitwardenSecret", "SopsSecret"):
        yield "Secret", manifest.name, None
    elif manifest.kind == "Cluster" and "postgresql" in manifest.api_version:
        yield from (("Secret", f"{manifest.name}-{suffix}", None) for suffix in ("app", "superuser"))


def _external(manifest: Manifest, spec: dict[str, Any]) -> tuple[str, set[str] | None]:
    destination = spec.get("target") or spec.get("destination") or {}
    name = destination.get("name") if isinstance(destination, dict) else ""
    data = spec.get("data")
    known = isinstance(data, list) and not spec.get("dataFrom")
    keys = {str(item.get("secretKey")) for item in data or () if isinstance(item, dict)} if known else None
    return str(name or manifest.name), keys


def _meant(
    case: RemedyContext, target: Match, kind: str, missing: str, needed: set[str], holders: dict[str, set[str] | None]
) -> tuple[str, str]:
    """The object that was meant and why; empty where that cannot be said."""
    fitting = {name for name, keys in holders.items() if keys is None or needed <= keys}
    written = {_written(case, target, name): name for name in sorted(fitting)}
    typos = sorted((name for name in written if is_typo(missing, name)), key=lambda name: -similarity(missing, name))
    if typos and (len(typos) == 1 or similarity(missing, typos[0]) > similarity(missing, typos[1])):
        return typos[
            0
        ], f"`{typos[0]}` in the same namespace is one slip away{' and holds the keys' if needed else ''}."
    own = {
        name
        for manifest in case.siblings(target.application)
        for held, name, keys in provided(manifest)
        if held == kind and name in fitting and keys and (needed or kind == "ConfigMap")
    }
    used = {one.name for manifest in case.namespace_objects(target) for one in references(manifest) if one.kind == kind}
    orphans = own - used
    if len(orphans) == 1 and not _typed(case, target, next(iter(orphans))):
        name = _written(case, target, next(iter(orphans)))
        return (
            name,
            f"`{name}` is the only {kind} of this Application that nothing uses{', and it holds the keys' if needed else ''}.",
        )
    return "", "nothing in the namespace was surely meant."


_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")


def _written(case: RemedyContext, target: Match, name: str) -> str:
    """The name as a text must hold it: a kustomization's generator adds a hash of the contents when it renders."""
    generated = any(
        one.name == name and one.file.endswith(_KUSTOMIZATIONS) for one in case.siblings(target.application)
    )
    return _HASH.sub("", name) if generated else name


_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _typed(case: RemedyContext, target: Match, name: str) -> bool:
    """A Secret of a type of its own (a certificate, a pull secret) is for its own purpose, used or not."""
    return any(
        one.name == name and str(one.body.get("type") or "Opaque") != "Opaque"
        for one in case.siblings(target.application)
        if one.kind == "Secret"
    )


def fix_reference_key(case: RemedyContext) -> Iterator[Fix]:
    """Correct a key that its ConfigMap or Secret does not hold."""
    for one in case.signals("key_not_found"):
        key = one.facts.get("key", "")
        of_object = one.facts.get("object_kind") in ("ConfigMap", "Secret")
        name = one.facts.get("missing", "") or (one.facts.get("object", "") if of_object else "")
        kind = one.facts.get("kind", "")
        kind = {"config": "ConfigMap", "secret": "Secret", "configmap": "ConfigMap"}.get(kind.lower(), kind)
        for target in case.targets:
            for reference, path in _by_key(target.manifest, key):
                if (kind and reference.kind != kind) or (name and reference.name != name):
                    continue
                keys = holders_of(case, target, reference.kind).get(reference.name)
                if keys and key in keys:
                    continue  # it is there: the cluster just does not have it yet
                yield _key_fix(case, target, reference, path, key, keys or set(), one)


def _key_fix(
    case: RemedyContext,
    target: Match,
    reference: ObjectReference,
    path: YamlPath,
    key: str,
    keys: set[str],
    one: Evidence,
) -> Fix:
    new = nearest(key, keys) or (next(iter(keys)) if len(keys) == 1 else "")
    return Fix(
        title=f"read key `{new}` of {reference.kind} `{reference.name}` instead of `{key}`",
        reason=f"{reference.kind} `{reference.name}` holds {', '.join(sorted(keys)) or 'no such key'}; `{key}` is not among them.",
        evidence=case.cite(one),
        wants=(Want(target.application, target.manifest, path, new or key),),
        parameters={"kind": reference.kind, "object": reference.name, "from": key, "to": new},
        score=0.8 if new else 0.0,
        accepts=lambda old: bool(old) and old != key and (not keys or old in keys),
    )


def _by_key(manifest: Manifest, key: str) -> Iterator[tuple[ObjectReference, YamlPath]]:
    """References that need this key, and where they name it: in a variable, or in the items of a volume."""
    for reference in references(manifest):
        if key not in reference.keys:
            continue
        holder = reference.path[:-1]
        if holder[-1] in ("configMapKeyRef", "secretKeyRef"):
            yield reference, (*holder, "key")
            continue
        items = get(manifest.body, (*holder, "items"))
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict) and item.get("key") == key:
                yield reference, (*holder, "items", index, "key")
