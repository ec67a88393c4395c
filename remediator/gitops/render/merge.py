"""Apply strategic merge patches and JSON patches, as kustomize and Kubernetes define them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops.merge_keys import merge_key


class PatchFailed(Exception):
    """A patch does not fit its target; kustomize fails here, too."""


def strategic(base: Any, patch: Any, field: str = "") -> Any:
    """Return `base` with `patch` merged in: mappings by key, known lists by their merge key; all else is replaced."""
    if isinstance(patch, Mapping):
        directive = patch.get("$patch")
        if directive == "delete":
            return None
        if directive == "replace" or not isinstance(base, Mapping):
            return {
                key: strategic(None, value, key)
                for key, value in patch.items()
                if key != "$patch" and value is not None
            }
        result = dict(base)
        for key, value in patch.items():
            if value is None:
                result.pop(key, None)
            elif not str(key).startswith(("$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys")):
                merged = strategic(result.get(key), value, key)
                if merged is None and isinstance(value, Mapping):
                    result.pop(key, None)
                else:
                    result[key] = merged
        return result
    if isinstance(patch, list) and isinstance(base, list):
        return _lists(base, patch, field)
    return patch


def _lists(base: list[Any], patch: list[Any], field: str) -> list[Any]:
    key = merge_key(field, patch)
    if not key or not all(isinstance(item, Mapping) for item in [*base, *patch]):
        return patch
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if item.get("$patch") != "replace"]
    result = list(base)
    added: list[Any] = []
    for item in patch:
        index = next((i for i, old in enumerate(result) if old.get(key, MISSING) == item.get(key)), None)
        if item.get("$patch") == "delete":
            if index is not None:
                del result[index]
        elif index is None:
            added.append({name: value for name, value in item.items() if name != "$patch"})
        else:
            result[index] = strategic(result[index], item)
    return [*added, *result]


def pointer(text: str) -> YamlPath:
    """Return a JSON pointer as steps; numbers stay text, since only the target distinguishes lists from mappings."""
    return (
        tuple(part.replace("~1", "/").replace("~0", "~") for part in text.lstrip("/").split("/"))
        if text.strip("/")
        else ()
    )


def json_patch(body: Any, operations: Any) -> Any:
    """Return `body` after the operations of RFC 6902; raises PatchFailed where kustomize would fail."""
    for operation in operations if isinstance(operations, list) else []:
        if not isinstance(operation, Mapping):
            raise PatchFailed("an operation that is not a mapping")
        path = pointer(str(operation.get("path", "")))
        match operation.get("op"):
            case "add" | "replace" as op:
                body = _put(body, path, operation.get("value"), insert=op == "add")
            case "remove":
                body = _put(body, path, MISSING, insert=False)
            case "copy" | "move" as op:
                value = get(body, pointer(str(operation.get("from", ""))))
                if value is MISSING:
                    raise PatchFailed(f"nothing at {operation.get('from')}")
                if op == "move":
                    body = _put(body, pointer(str(operation.get("from", ""))), MISSING, insert=False)
                body = _put(body, path, value, insert=True)
            case "test":
                if get(body, path) != operation.get("value"):
                    raise PatchFailed(f"test failed at {operation.get('path')}")
            case unknown:
                raise PatchFailed(f"unknown operation {unknown}")
    return body


def _put(node: Any, path: YamlPath, value: Any, *, insert: bool) -> Any:
    """Return a copy with the value at the path; MISSING removes the field, `insert` shifts the items of a list."""
    if not path:
        return value
    step, tail = str(path[0]), path[1:]
    if isinstance(node, list):
        return _put_item(node, step, tail, value, insert=insert)
    if not isinstance(node, Mapping):
        raise PatchFailed(f"nothing at {step}")
    if step not in node and (tail or value is MISSING or not insert):
        raise PatchFailed(f"no field {step}")
    result = dict(node)
    _put_child(result, step, tail, value, insert=insert)
    return result


def _put_item(node: list[Any], step: str, tail: YamlPath, value: Any, *, insert: bool) -> list[Any]:
    items = list(node)
    if step == "-" and not tail:
        return [*items, value]
    room = len(items) + (1 if insert and not tail else 0)
    if not step.isdigit() or int(step) >= room:
        raise PatchFailed(f"no item {step}")
    if insert and not tail:
        return [*items[: int(step)], value, *items[int(step) :]]
    _put_child(items, int(step), tail, value, insert=insert)
    return items


def _put_child(node: Any, step: Any, tail: YamlPath, value: Any, *, insert: bool) -> None:
    """Change one child of a mapping or list in place; the caller has copied it."""
    if tail:
        node[step] = _put(node[step], tail, value, insert=insert)
    elif value is MISSING:
        del node[step]
    else:
        node[step] = value
