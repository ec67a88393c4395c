"""Rules of a Role: decide how one rule must change so that it grants a denied request.

A misspelt word is corrected first. Else the verb is added to the rule of the resource, or the resource to a rule that
already grants the verb to others of its group; each of them widens the Role by this one grant only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.remedies.engine.spelling import is_typo

_KNOWN_WORDS = frozenset(
    [
        "get",
        "list",
        "watch",
        "create",
        "update",
        "patch",
        "delete",
        "deletecollection",
        "pods",
        "services",
        "configmaps",
        "secrets",
        "events",
        "endpoints",
        "nodes",
        "namespaces",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "ingresses",
        "pods/log",
        "pods/exec",
        "pods/status",
        "deployments/scale",
        "deployments/status",
    ]
)
"""Words that are correct, however near another one is."""


@dataclass(frozen=True)
class DeniedRequest:
    """One request that the API server denied to an account."""

    namespace: str
    account: str
    verb: str
    resource: str
    group: str
    scope: str
    """The namespace of the request; empty for the whole cluster."""


def allows(rule: dict[str, Any], denied: DeniedRequest) -> bool:
    """Return True where the rule grants the request."""

    def has(key: str, word: str) -> bool:
        words = rule.get(key) or ()
        return word in words or "*" in words

    return has("apiGroups", denied.group) and has("resources", denied.resource) and has("verbs", denied.verb)


def misspelt_word(rules: list[tuple[int, dict[str, Any]]], denied: DeniedRequest) -> tuple[YamlPath, Any] | None:
    """Return the correction of a misspelt verb, resource or group in a rule that would grant the request."""
    for key, right in (("verbs", denied.verb), ("resources", denied.resource), ("apiGroups", denied.group)):
        for index, rule in rules:
            words = rule.get(key)
            if not isinstance(words, list) or right in words:
                continue
            if not allows({**rule, key: [right]}, denied):
                continue
            for at, word in enumerate(words):
                if isinstance(word, str) and word and word not in _KNOWN_WORDS and is_typo(word, right):
                    return ("rules", index, key, at), right
    return None


def missing_verb(rules: list[tuple[int, dict[str, Any]]], denied: DeniedRequest) -> tuple[YamlPath, Any] | None:
    """Return the rule for the resource with the verb added; of several, the one with the fewest resources."""
    candidates = [
        (index, rule)
        for index, rule in rules
        if allows({**rule, "verbs": [denied.verb]}, denied) and isinstance(rule.get("verbs"), list)
    ]
    exact = [
        (index, rule)
        for index, rule in candidates
        if "*" not in rule["resources"] and "secrets" not in rule["resources"]
    ]
    if not exact:
        return None
    index, rule = min(exact, key=lambda pair: len(pair[1]["resources"]))
    return ("rules", index, "verbs"), [*rule["verbs"], denied.verb]


def missing_resource(rules: list[tuple[int, dict[str, Any]]], denied: DeniedRequest) -> tuple[YamlPath, Any] | None:
    """Return a rule of the group with the resource added, if it grants just this verb or only reading."""
    reading = {"get", "list", "watch"}
    for index, rule in rules:
        verbs = rule.get("verbs") or []
        only = set(verbs) <= reading or verbs == [denied.verb]
        resources = rule.get("resources")
        if (
            rule.get("apiGroups") == [denied.group]
            and denied.verb in verbs
            and only
            and isinstance(resources, list)
            and "*" not in resources
        ):
            return ("rules", index, "resources"), [*resources, denied.resource]
    return None
