"""The table of what lowers a protection, as values; its rows stand in `policies/weakening.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from remediator.domain.base import Value

Direction = Literal[
    "set_true",
    "unset_true",
    "unset_false",
    "root",
    "added",
    "removed",
    "block_removed",
    "changed",
    "lowered",
    "raised",
    "to_value",
    "older",
]


class WeakeningRule(Value):
    """One protection, and the difference of a rendered field that lowers it."""

    field: str
    """Regular expression over `Kind:path`."""
    direction: Direction
    values: tuple[str, ...] = ()
    """The values that `to_value` is about."""
    order: tuple[str, ...] = ()
    """The values of `lowered`, the weakest first; an absent field is the weakest."""
    block: str = ""
    """The part of the path up to the block that must be gone as a whole (`block_removed`)."""
    named_by: str = ""
    """Regular expression over platform messages about this field; `{before}` and `{key}` stand for its value and name."""
    void_after: tuple[str, ...] = ()
    """Signals that say that the present value never took effect, so that nothing is lowered."""
    hardening: bool = False
    """True for a protection against attackers, which a fix that keeps it should rather leave alone."""
    why: str


class GuardedField(Value):
    """A field that needs more than a log's word, or that keeps to what the repository has had."""

    field: str
    """Regular expression over `Kind:path`."""
    what: str
    """What people call it."""


class WeakeningTable(Value):
    """All rows of `policies/weakening.yaml`."""

    rules: Mapping[str, WeakeningRule] = Field(default_factory=dict)
    confirmed: Mapping[str, GuardedField] = Field(default_factory=dict)
    bounded: Mapping[str, GuardedField] = Field(default_factory=dict)
    unmade_kinds: tuple[str, ...] = ()
