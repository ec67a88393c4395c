"""Read JSON that came from outside at a path of keys: anything may be missing, or of another type than expected."""

from __future__ import annotations

from typing import Any


def value_at(value: Any, *path: str) -> Any:
    """Return the value at a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def objects_at(value: Any, *path: str) -> list[dict[str, Any]]:
    """Return the mappings of the list at a path; empty where something else stands there."""
    items = value_at(value, *path)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def text_at(value: Any, *path: str) -> str:
    """Return the scalar at a path as JSON spells it; an empty text for what is missing or no scalar."""
    scalar = value_at(value, *path)
    if isinstance(scalar, bool):
        return str(scalar).lower()
    return str(scalar) if isinstance(scalar, str | int | float) else ""
