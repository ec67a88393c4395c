"""Decide which objects the transformations of a kustomization apply to, by the rules of kustomize."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from remediator.gitops.render.kustomize_model import Tracked

CLUSTER_SCOPED = frozenset(
    [
        "Namespace",
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleBinding",
        "StorageClass",
        "PersistentVolume",
        "PriorityClass",
        "IngressClass",
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ClusterIssuer",
        "RuntimeClass",
        "CSIDriver",
        "Node",
    ]
)


SCALABLE = frozenset(("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"))


def same_object(patch: Mapping[str, Any], item: Tracked) -> bool:
    """Return whether a strategic patch names the object: by kind, group and original or current name."""
    metadata = patch.get("metadata") or {}
    group = str(patch.get("apiVersion", "")).rpartition("/")[0]
    item_group = str(item.body.get("apiVersion", "")).rpartition("/")[0]
    if patch.get("kind") != item.kind or group != item_group:
        return False
    if (
        metadata.get("namespace")
        and item.metadata.get("namespace")
        and metadata["namespace"] != item.metadata["namespace"]
    ):
        base = item.layers[0].body if item.layers[0].kind == "base" else {}
        if metadata["namespace"] != ((base.get("metadata") or {}).get("namespace")):
            return False
    return str(metadata.get("name", "")) in item.names | {item.name}


def targets(target: Mapping[str, Any], item: Tracked) -> bool:
    """Return whether a patch target selects the object: by anchored regular expressions and label selectors."""
    api = str(item.body.get("apiVersion", ""))
    group, _, version = api.rpartition("/")
    for key, have in (
        ("kind", {item.kind}),
        ("group", {group}),
        ("version", {version}),
        ("name", item.names | {item.name}),
        ("namespace", {str(item.metadata.get("namespace", "default"))}),
    ):
        want = target.get(key)
        if want and not any(_matches(str(want), value) for value in have):
            return False
    for key, field_name in (("labelSelector", "labels"), ("annotationSelector", "annotations")):
        if target.get(key) and not _selects(str(target[key]), item.metadata.get(field_name) or {}):
            return False
    return True


def _matches(pattern: str, value: str) -> bool:
    if len(pattern) > 300:
        return False
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return pattern == value


def _selects(selector: str, labels: Mapping[str, Any]) -> bool:
    for part in selector.split(","):
        match = re.match(r"\s*([^=!\s]+)\s*(==|=|!=)?\s*(.*?)\s*$", part)
        if match is None:
            continue
        key, operator, value = match.groups()
        have = labels.get(key)
        if (operator in ("=", "==") and str(have) != value) or (operator == "!=" and str(have) == value):
            return False
        if not operator and have is None:
            return False
    return True
