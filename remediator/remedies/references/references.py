"""References to ConfigMaps, Secrets and keys that do not exist: name the one that was meant.

A missing object is often only not there yet. So nothing is proposed where the repository has the object, or where an
operator will create it; and another object is chosen only if it has every key that the workload reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get, leaves
from remediator.gitops import Manifest, Match
from remediator.gitops.committed_values import successor
from remediator.gitops.model import WORKLOADS
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest, similarity
from remediator.remedies.views.config_objects import config_objects, keys_by_name
from remediator.remedies.views.object_references import ObjectReference, object_references


def rename_reference(case: RemedyContext) -> Iterator[Fix]:
    """Change every reference to a missing object to the object that was meant."""
    for kind, signal in (("ConfigMap", "configmap_not_found"), ("Secret", "secret_not_found")):
        for missing, evidence in _evidence_by_name(case.signals(signal)):
            for target in case.targets:
                yield from _reference_fixes(case, target, kind, missing, evidence)


def _reference_fixes(
    case: RemedyContext, target: Match, kind: str, missing: str, evidence: Sequence[Evidence]
) -> Iterator[Fix]:
    wrong = [
        reference
        for reference in object_references(target.manifest)
        if reference.kind == kind and reference.name == missing
    ]
    if not wrong:
        return
    holders = keys_by_name(case, target, kind)
    if missing in holders or _will_be_created(case, target, kind, missing):
        return  # the repository has it or an operator will create it: the cluster does not have it yet
    needed_keys = {key for reference in wrong for key in reference.keys}
    new, why = _object_for(case, target, kind, missing, needed_keys, holders)
    yield Fix(
        title=f"point `{target.manifest.name}` at {kind} `{new}` instead of `{missing}`",
        reason=f"{kind} `{missing}` is not defined in this repository; {why}",
        evidence=case.cite(*evidence),
        wants=tuple(Want.of(target, reference.path, new or missing) for reference in wrong),
        parameters={"kind": kind, "from": missing, "to": new},
        score=0.8 if new else 0.0,
        accepts=different_value(missing, among=[*holders, ""]),
    )


def _will_be_created(case: RemedyContext, target: Match, kind: str, name: str) -> bool:
    """Return True where a custom resource will create the object, such as the Secret of a database."""
    word = "ecret" if kind == "Secret" else "onfig"
    custom_resources = [manifest for manifest in case.namespace_objects(target) if manifest.kind not in _ORDINARY_KINDS]
    return any(
        value == name and any(word in str(step) for step in path)
        for manifest in custom_resources
        for path, value in leaves(manifest.body)
    ) or any(
        kind == "Secret"
        and _CREATING_KINDS.search(manifest.kind)
        and not any(config_objects(manifest))
        and (manifest.name == name or name.startswith(f"{manifest.name}-"))
        for manifest in custom_resources
    )


_CREATING_KINDS = re.compile(
    r"(?i)user|cluster|database|postgres|mysql|maria|mongo|redis|rabbit|kafka|elastic|opensearch|minio|credential|claim|bucket"
)
"""Kinds of custom resources whose operators write a login into a Secret named after the resource."""
_ORDINARY_KINDS = frozenset(
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
"""Kinds that do not create an object with a name that they contain."""


def _evidence_by_name(evidence: Iterable[Evidence]) -> Iterator[tuple[str, list[Evidence]]]:
    by_name: dict[str, list[Evidence]] = {}
    for statement in evidence:
        name = statement.facts.get("missing") or statement.facts.get("missing2") or ""
        by_name.setdefault(name, []).append(statement)
    yield from ((name, group) for name, group in by_name.items() if name)


def _object_for(
    case: RemedyContext,
    target: Match,
    kind: str,
    missing: str,
    needed_keys: set[str],
    holders: dict[str, set[str] | None],
) -> tuple[str, str]:
    """Return the object that was meant and the reason; empty where no object is clearly the right one."""
    fitting = {name for name, keys in holders.items() if keys is None or needed_keys <= keys}
    written_names = {_name_in_text(case, target, name): name for name in sorted(fitting)}
    typos = sorted(
        (name for name in written_names if is_typo(missing, name)), key=lambda name: -similarity(missing, name)
    )
    if typos and (len(typos) == 1 or similarity(missing, typos[0]) > similarity(missing, typos[1])):
        return typos[
            0
        ], f"`{typos[0]}` in the same namespace has nearly the same name{' and has the keys' if needed_keys else ''}."
    own_names = {
        name
        for manifest in case.siblings(target.application)
        for object_kind, name, keys in config_objects(manifest)
        if object_kind == kind and name in fitting and keys and (needed_keys or kind == "ConfigMap")
    }
    renamed, commit = successor(case.repository.root, missing, fitting)
    if commit is not None:
        return _name_in_text(
            case, target, renamed
        ), f"commit {commit.commit[:10]} by {commit.author} renamed it to `{renamed}`."
    used = {
        reference.name
        for manifest in case.namespace_objects(target)
        for reference in object_references(manifest)
        if reference.kind == kind
    }
    orphans = own_names - used
    if len(orphans) == 1 and not _has_special_type(case, target, next(iter(orphans))):
        name = _name_in_text(case, target, next(iter(orphans)))
        return (
            name,
            f"`{name}` is the only {kind} of this Application that nothing uses{', and it has the keys' if needed_keys else ''}.",
        )
    return "", "no object in the namespace is clearly the right one."


_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")


def _name_in_text(case: RemedyContext, target: Match, name: str) -> str:
    """Return the name to write in a file: without the hash that a kustomization's generator adds."""
    generated = any(
        item.name == name and item.file.endswith(_KUSTOMIZATIONS) for item in case.siblings(target.application)
    )
    return _HASH.sub("", name) if generated else name


_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _has_special_type(case: RemedyContext, target: Match, name: str) -> bool:
    """Return True for a Secret of a special type (a certificate, a pull secret), which no other workload reads."""
    return any(
        item.name == name and str(item.body.get("type") or "Opaque") != "Opaque"
        for item in case.siblings(target.application)
        if item.kind == "Secret"
    )


def fix_reference_key(case: RemedyContext) -> Iterator[Fix]:
    """Correct a key that its ConfigMap or Secret does not have."""
    for evidence in case.signals("key_not_found"):
        key = evidence.facts.get("key", "")
        of_object = evidence.facts.get("object_kind") in ("ConfigMap", "Secret")
        name = evidence.facts.get("missing", "") or (evidence.facts.get("object", "") if of_object else "")
        kind = evidence.facts.get("kind", "")
        kind = {"config": "ConfigMap", "secret": "Secret", "configmap": "ConfigMap"}.get(kind.lower(), kind)
        for target in case.targets:
            for reference, path in _references_to_key(target.manifest, key):
                if (kind and reference.kind != kind) or (name and reference.name != name):
                    continue
                keys = keys_by_name(case, target, reference.kind).get(reference.name)
                if keys and key in keys:
                    continue  # the repository has it: the cluster will get it with the next sync
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
        reason=f"{reference.kind} `{reference.name}` has {', '.join(sorted(keys)) or 'no known keys'}, not `{key}`.",
        evidence=case.cite(evidence),
        wants=(Want.of(target, path, new or key),),
        parameters={"kind": reference.kind, "object": reference.name, "from": key, "to": new},
        score=0.8 if new else 0.0,
        accepts=lambda old: bool(old) and old != key and (not keys or old in keys),
    )


def _references_to_key(manifest: Manifest, key: str) -> Iterator[tuple[ObjectReference, YamlPath]]:
    """Yield the references that need this key, with the path of the key: in a variable or in a volume's items."""
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
