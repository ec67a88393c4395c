"""References to objects and keys that do not exist: ConfigMaps, Secrets, claims, accounts, classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get, leaves
from remediator.gitops import Manifest, Match
from remediator.gitops.model import WORKLOADS
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest, similarity
from remediator.remedies.views.config_objects import config_objects, keys_by_name
from remediator.remedies.views.object_references import ObjectReference, object_references


def rename_reference(case: RemedyContext) -> Iterator[Fix]:
    """Point every reference to a missing object at the one that was meant."""
    for kind, signal in (("ConfigMap", "configmap_not_found"), ("Secret", "secret_not_found")):
        for missing, evidence in _missing(case.signals(signal)):
            for target in case.targets:
                yield from _renamed(case, target, kind, missing, evidence)


def _renamed(case: RemedyContext, target: Match, kind: str, missing: str, evidence: list[Evidence]) -> Iterator[Fix]:
    wrong = [
        reference
        for reference in object_references(target.manifest)
        if reference.kind == kind and reference.name == missing
    ]
    if not wrong:
        return
    holders = keys_by_name(case, target, kind)
    if missing in holders or _promised(case, target, kind, missing):
        return  # it is here, or somebody will make it: the cluster just does not have it yet
    needed_keys = {key for reference in wrong for key in reference.keys}
    new, why = _meant(case, target, kind, missing, needed_keys, holders)
    yield Fix(
        title=f"point `{target.manifest.name}` at {kind} `{new}` instead of `{missing}`",
        reason=f"{kind} `{missing}` is defined nowhere; {why}",
        evidence=case.cite(*evidence),
        wants=tuple(Want(target.application, target.manifest, reference.path, new or missing) for reference in wrong),
        parameters={"kind": kind, "from": missing, "to": new},
        score=0.8 if new else 0.0,
        accepts=different_value(missing, among=[*holders, ""]),
    )


def _promised(case: RemedyContext, target: Match, kind: str, name: str) -> bool:
    """Whether a custom resource names the object as something that it will make (a Secret of a database, of a vault)."""
    word = "ecret" if kind == "Secret" else "onfig"
    custom_resources = [manifest for manifest in case.namespace_objects(target) if manifest.kind not in _PLAIN]
    return any(
        value == name and any(word in str(step) for step in path)
        for manifest in custom_resources
        for path, value in leaves(manifest.body)
    ) or any(
        kind == "Secret"
        and _MAKERS.search(manifest.kind)
        and not any(config_objects(manifest))
        and (manifest.name == name or name.startswith(f"{manifest.name}-"))
        for manifest in custom_resources
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
    for statement in evidence:
        name = statement.facts.get("missing") or statement.facts.get("missing2") or ""
        by_name.setdefault(name, []).append(statement)
    yield from ((name, group) for name, group in by_name.items() if name)


def _meant(
    case: RemedyContext,
    target: Match,
    kind: str,
    missing: str,
    needed_keys: set[str],
    holders: dict[str, set[str] | None],
) -> tuple[str, str]:
    """The object that was meant and why; empty where that cannot be said."""
    fitting = {name for name, keys in holders.items() if keys is None or needed_keys <= keys}
    written_names = {_written(case, target, name): name for name in sorted(fitting)}
    typos = sorted(
        (name for name in written_names if is_typo(missing, name)), key=lambda name: -similarity(missing, name)
    )
    if typos and (len(typos) == 1 or similarity(missing, typos[0]) > similarity(missing, typos[1])):
        return typos[
            0
        ], f"`{typos[0]}` in the same namespace is one slip away{' and holds the keys' if needed_keys else ''}."
    own_names = {
        name
        for manifest in case.siblings(target.application)
        for object_kind, name, keys in config_objects(manifest)
        if object_kind == kind and name in fitting and keys and (needed_keys or kind == "ConfigMap")
    }
    used = {
        reference.name
        for manifest in case.namespace_objects(target)
        for reference in object_references(manifest)
        if reference.kind == kind
    }
    orphans = own_names - used
    if len(orphans) == 1 and not _typed(case, target, next(iter(orphans))):
        name = _written(case, target, next(iter(orphans)))
        return (
            name,
            f"`{name}` is the only {kind} of this Application that nothing uses{', and it holds the keys' if needed_keys else ''}.",
        )
    return "", "nothing in the namespace was surely meant."


_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")


def _written(case: RemedyContext, target: Match, name: str) -> str:
    """The name as a text must hold it: a kustomization's generator adds a hash of the contents when it renders."""
    generated = any(
        item.name == name and item.file.endswith(_KUSTOMIZATIONS) for item in case.siblings(target.application)
    )
    return _HASH.sub("", name) if generated else name


_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _typed(case: RemedyContext, target: Match, name: str) -> bool:
    """A Secret of a type of its own (a certificate, a pull secret) is for its own purpose, used or not."""
    return any(
        item.name == name and str(item.body.get("type") or "Opaque") != "Opaque"
        for item in case.siblings(target.application)
        if item.kind == "Secret"
    )


def fix_reference_key(case: RemedyContext) -> Iterator[Fix]:
    """Correct a key that its ConfigMap or Secret does not hold."""
    for evidence in case.signals("key_not_found"):
        key = evidence.facts.get("key", "")
        of_object = evidence.facts.get("object_kind") in ("ConfigMap", "Secret")
        name = evidence.facts.get("missing", "") or (evidence.facts.get("object", "") if of_object else "")
        kind = evidence.facts.get("kind", "")
        kind = {"config": "ConfigMap", "secret": "Secret", "configmap": "ConfigMap"}.get(kind.lower(), kind)
        for target in case.targets:
            for reference, path in _by_key(target.manifest, key):
                if (kind and reference.kind != kind) or (name and reference.name != name):
                    continue
                keys = keys_by_name(case, target, reference.kind).get(reference.name)
                if keys and key in keys:
                    continue  # it is there: the cluster just does not have it yet
                yield _key_fix(case, target, reference, path, key, keys or set(), evidence)


def _key_fix(
    case: RemedyContext,
    target: Match,
    reference: ObjectReference,
    path: YamlPath,
    key: str,
    keys: set[str],
    evidence: Evidence,
) -> Fix:
    new = nearest(key, keys) or (next(iter(keys)) if len(keys) == 1 else "")
    return Fix(
        title=f"read key `{new}` of {reference.kind} `{reference.name}` instead of `{key}`",
        reason=f"{reference.kind} `{reference.name}` holds {', '.join(sorted(keys)) or 'no such key'}; `{key}` is not among them.",
        evidence=case.cite(evidence),
        wants=(Want(target.application, target.manifest, path, new or key),),
        parameters={"kind": reference.kind, "object": reference.name, "from": key, "to": new},
        score=0.8 if new else 0.0,
        accepts=lambda old: bool(old) and old != key and (not keys or old in keys),
    )


def _by_key(manifest: Manifest, key: str) -> Iterator[tuple[ObjectReference, YamlPath]]:
    """References that need this key, and where they name it: in a variable, or in the items of a volume."""
    for reference in object_references(manifest):
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
