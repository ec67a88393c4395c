"""The guard on the rendered effect: objects before and after a change, whatever the files look like.

An object is flattened into `Kind:path` texts that mean the same wherever an item stands in its list, so that inserting a
container or reordering rules neither hides nor feigns a difference. What is compared then is a pair of plain mappings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from remediator.domain.quantities import parse as quantity
from remediator.domain.yaml_paths import MISSING, mapping_at
from remediator.policy.weakening import GuardedField, WeakeningRule, WeakeningTable

_NAMES = ("name", "mountPath", "key", "containerPort", "port", "topologyKey", "host", "type")
"""Keys by which an item of a list is addressed; the first that all items have, each with another value."""


@dataclass(frozen=True)
class FieldChange:
    """One flattened field of a rendered object that differs."""

    path: str
    """`Kind:path`; see `policies/weakening.yaml`."""
    before: Any
    after: Any


@dataclass(frozen=True)
class Weakening:
    """A protection that a change lowers."""

    rule: str
    why: str
    change: FieldChange


def flattened(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields of an object by `Kind:path`; none for an object that is not there."""
    if not body:
        return {}
    kind = str(body.get("kind", ""))
    plain = dict(body)
    fields: dict[str, Any] = {}
    if kind in ("Role", "ClusterRole"):
        plain.pop("rules", None)
        fields.update((f"{kind}:rules.{grant}", True) for grant in _grants(body.get("rules")))
    if kind == "NetworkPolicy":
        spec = dict(mapping_at(plain, "spec"))
        for side, peers in (("ingress", "from"), ("egress", "to")):
            allowed = _admitted(spec.pop(side, None), peers)
            fields.update((f"{kind}:spec.{side}.allow={item}", True) for item in allowed)
        plain["spec"] = spec
    for path, value in _fields(plain, ""):
        fields[f"{kind}:{path}"] = value
    return fields


def _fields(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _fields(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list) and node:
        name = _item_name(node)
        for index, item in enumerate(node):
            if isinstance(item, Mapping | list):
                label = item[name] if name and isinstance(item, Mapping) else index
                yield from _fields(item, f"{path}[{label}]")
            else:
                yield f"{path}={item}", True
    else:
        yield path, node


def _item_name(items: list[Any]) -> str:
    """Return the key by which the items can be told apart; empty where there is none."""
    for key in _NAMES:
        if all(isinstance(item, Mapping) and isinstance(item.get(key), str | int) for item in items):
            values = {str(item[key]) for item in items}
            if len(values) == len(items):
                return key
    return ""


def _grants(rules: Any) -> Iterator[str]:
    """Yield each single permission of a Role: group, resource, verb and, where it is limited, the name."""
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, Mapping):
            yield f"unknown:{rule}"
            continue
        names = [f"({name})" for name in _words(rule, "resourceNames")] or [""]
        for verb in _words(rule, "verbs"):
            for url in _words(rule, "nonResourceURLs"):
                yield f"{url}:{verb}"
            for group in _words(rule, "apiGroups"):
                for resource in _words(rule, "resources"):
                    yield from (f"{group}/{resource}{name}:{verb}" for name in names)


def _words(rule: Mapping[str, Any], key: str) -> list[str]:
    value = rule.get(key)
    return [str(item) for item in value] if isinstance(value, list) else []


def _admitted(rules: Any, peers: str) -> Iterator[str]:
    """Yield each pair of peer and port that the rules of a network policy let through; `any` where one is open."""
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, Mapping):
            yield "any|any"  # an empty item admits everything
            continue
        for peer in rule.get(peers) or ("any",):
            for port in rule.get("ports") or ("any",):
                yield f"{_text(peer)}|{_text(port)}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def field_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[FieldChange]:
    """Return every flattened field that differs between two states of one object."""
    old, new = flattened(before), flattened(after)
    return [
        FieldChange(path, old.get(path, MISSING), new.get(path, MISSING))
        for path in dict.fromkeys((*old, *new))
        if not _equal(old.get(path, MISSING), new.get(path, MISSING))
    ]


def _equal(before: Any, after: Any) -> bool:
    return before is after or (type(before) is type(after) and before == after)


def weakenings(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, table: WeakeningTable
) -> Iterator[Weakening]:
    """Yield every protection that is lower in the second state of one object than in the first."""
    remaining = flattened(after)
    for change in field_changes(before, after):
        for name, rule in table.rules.items():
            if _pattern(rule.field).search(change.path) and _lowers(rule, change, remaining):
                yield Weakening(name, rule.why, change)


def touched(changes: Iterable[FieldChange], fields: Mapping[str, GuardedField]) -> Iterator[tuple[str, FieldChange]]:
    """Yield the name of each guarded group of fields with a change that belongs to it."""
    for change in changes:
        for name, guarded in fields.items():
            if _pattern(guarded.field).search(change.path):
                yield name, change


def _lowers(rule: WeakeningRule, change: FieldChange, remaining: Mapping[str, Any]) -> bool:
    """Return True where a difference goes the way that the rule is about."""
    before, after = change.before, change.after
    if after is MISSING and not (change.path.endswith(":kind") or _stands(change.path, remaining)):
        return False  # nothing is left that would need the protection
    lowered: Mapping[str, Callable[[], bool]] = {
        "set_true": lambda: _is(after, "true") and not _is(before, "true"),
        "unset_true": lambda: _is(before, "true"),
        "unset_false": lambda: _is(before, "false") or _is(after, "true"),
        "root": lambda: _is(after, "0") or (after is MISSING and not _is(before, "0")),
        "added": lambda: after is not MISSING,
        "removed": lambda: after is MISSING,
        "block_removed": lambda: after is MISSING and _block_is_gone(rule, change.path, remaining),
        "changed": lambda: True,
        "lowered": lambda: _rank(rule, after) < _rank(rule, before),
        "raised": lambda: _is_raised(before, after),
        "to_value": lambda: str(after) in rule.values and str(before) not in rule.values,
        "older": lambda: is_older(before, after),
    }
    return lowered[rule.direction]()


def _is(value: Any, text: str) -> bool:
    return value is not MISSING and value is not None and str(value).lower() == text


def _stands(path: str, remaining: Mapping[str, Any]) -> bool:
    """Return True where the container or object of the field is still there: without it nothing needs the protection."""
    match = _CONTAINER.match(path)
    owner = match[0] if match else path[: path.find(":") + 1]
    return any(key.startswith(owner) for key in remaining)


def _block_is_gone(rule: WeakeningRule, path: str, remaining: Mapping[str, Any]) -> bool:
    match = _pattern(rule.block).search(path)
    return match is not None and not any(key.startswith(path[: match.end()]) for key in remaining)


def _rank(rule: WeakeningRule, value: Any) -> int:
    text = "" if value is MISSING else str(value)
    return rule.order.index(text) if text in rule.order else 0 if not text else -1


def _is_raised(before: Any, after: Any) -> bool:
    """Return True where a bound is higher, gone, or no quantity any more; a bound that is new only restricts."""
    if before is MISSING:
        return False
    if after is MISSING:
        return True
    old, new = quantity(before), quantity(after)
    return old is None or new is None or new > old


_CONTAINER = re.compile(r"^.*\.(?:containers|initContainers|ephemeralContainers)\[[^\]]*\]")
_VERSION = re.compile(r"^v?(?P<numbers>\d+(?:\.\d+){0,4})(?P<rest>.*)$")


def is_older(before: Any, after: Any) -> bool:
    """Return True where an image of the same name has a tag of a lower version."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    (old_name, old_tag), (new_name, new_tag) = _image(before), _image(after)
    old, new = _VERSION.match(old_tag), _VERSION.match(new_tag)
    if old_name != new_name or old is None or new is None:
        return False
    return _numbers(new["numbers"]) < _numbers(old["numbers"])


def _image(text: str) -> tuple[str, str]:
    head, slash, tail = text.partition("@")[0].rpartition("/")
    base, _, tag = tail.partition(":")
    return f"{head}{slash}{base}", tag


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
