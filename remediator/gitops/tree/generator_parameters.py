"""The parameters that generators yield: their names, how they are joined, and how labels select them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.file_paths import clean

UNKNOWN = "*"
"""The placeholder for a cluster's properties, which are not in the checkout."""


@dataclass(slots=True)
class Parameters:
    """One result of a generator: the values for the template, and the place of each value."""

    values: dict[str, Any]
    places: dict[str, Place] = field(default_factory=dict)
    template: Mapping[str, Any] | None = None
    template_path: YamlPath = ()


class AnyKey(dict[str, Any]):
    """A map that has every key; it replaces the labels of a cluster that the checkout does not describe."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return UNKNOWN


def cluster_values(name: str, server: str, labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that the cluster generator gives for one cluster."""
    return {
        "name": name,
        "nameNormalized": name if name == UNKNOWN else dns(name),
        "server": server,
        "project": "",
        "metadata": {"labels": labels, "annotations": annotations},
    }


def fixed_part(glob: str) -> str:
    """Return the fixed text with which every match of a pattern starts."""
    return re.split(r"[*?\[{\\]", clean(glob))[0]


def dns(name: str) -> str:
    """Return the name in Argo CD's normalised form."""
    return re.sub(r"[^-a-z0-9.]", "-", name.lower())[:253].strip("-.")


def dot(path: YamlPath) -> str:
    """Return the path as the name of a parameter."""
    return ".".join(map(str, path))


def with_prefix(values: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return the parameters below `pathParamPrefix`, where one is set."""
    return {prefix: values} if prefix else values


def parameter_text(values: Mapping[str, Any], key: str) -> str:
    """Return the text of a parameter, by its dotted name."""
    node: Any = values
    if key in values:
        return str(values[key])
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return str(node)


def join_values(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of two generators together; the second takes precedence."""
    result = dict(first)
    for key, value in second.items():
        old = result.get(key)
        result[key] = (
            join_values(old, value) if isinstance(old, dict) and isinstance(value, dict) and key != "path" else value
        )
    return result


def selector_matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a Kubernetes label selector matches the labels."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(str(key)) != str(value):
            return False
    for rule in selector.get("matchExpressions") or []:
        value, values = labels.get(str(rule.get("key"))), [str(item) for item in rule.get("values") or []]
        outcomes = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not outcomes.get(str(rule.get("operator")), False):
            return False
    return True


def placeholder(text: Any) -> str | None:
    """Return the dotted parameter that is the whole template string; None where the string contains more."""
    match = re.fullmatch(r"\{\{-?\s*\.?([\w][\w.\-]*)\s*-?\}\}", text.strip()) if isinstance(text, str) else None
    return match[1] if match else None
