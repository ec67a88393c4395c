"""LangGraph's serializer, with values known by their class name alone.

A stored value names the module and the class it was made from. Modules move between releases while documents wait for
a review, so the module is not looked at: an allowed class is found by its name.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import EXT_PYDANTIC_V2, JsonPlusSerializer

ClassKey = tuple[str, ...] | type


class StateSerializer(JsonPlusSerializer):
    """A serializer that instantiates the allowed classes only; any other value comes back as plain data."""

    def __init__(self, allowed: Iterable[ClassKey] = ()) -> None:
        self._keys = tuple(allowed)
        self._classes = {cls.__name__: cls for cls in map(_class_of, self._keys)}
        self._otherwise = JsonPlusSerializer(allowed_msgpack_modules=list(self._keys))._unpack_ext_hook  # noqa: SLF001
        super().__init__(allowed_msgpack_modules=list(self._keys), __unpack_ext_hook__=self._unpack)

    def with_msgpack_allowlist(self, extra_allowlist: Iterable[ClassKey]) -> StateSerializer:
        """Return a serializer that allows these classes too."""
        return StateSerializer([*self._keys, *extra_allowlist])

    def _unpack(self, code: int, data: bytes) -> Any:
        if code != EXT_PYDANTIC_V2:
            return self._otherwise(code, data)
        _, name, fields = ormsgpack.unpackb(data, ext_hook=self._unpack, option=ormsgpack.OPT_NON_STR_KEYS)[:3]
        cls = self._classes.get(name)
        if cls is None or not isinstance(fields, dict):
            return fields
        try:
            return cls(**fields)
        except (TypeError, ValueError):  # written by a newer release, or by hand
            return fields


def _class_of(key: ClassKey) -> type:
    if isinstance(key, type):
        return key
    cls: type = getattr(importlib.import_module(key[0]), key[1])
    return cls
