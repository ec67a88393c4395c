"""The answer of a relation: two things of the desired state that cannot both be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.world import Placed, World


@dataclass(frozen=True)
class Broken:
    """One contradiction, with the value that would end it where just one can be meant."""

    relation: str
    """Name of the function that found it."""
    at: Placed
    """The object that holds the wrong value."""
    path: YamlPath
    """The field of it that is wrong."""
    message: str
    """One sentence that names both sides of the contradiction."""
    value: Any = None
    """The right value of the field; None where it cannot be told, `MISSING` to remove it."""
    also: tuple[tuple[Placed, YamlPath, Any], ...] = ()
    """Other fields that must change along: object, path, value."""
    edits: tuple[Edit, ...] = ()
    """Edits that stand in place of `value`, of texts that are no field of a rendered object."""
    places: tuple[Place, ...] = ()
    causes: tuple[str, ...] = ()
    """Category ids, or `signal:ID`, of the incidents that this contradiction leads to."""
    excludes: tuple[str, ...] = ()
    """Category ids, or `signal:ID`, that are not seen when this is the cause."""
    sufferers: tuple[Placed, ...] = ()
    """Objects whose pods, syncs or callers fail because of it; the holder itself where empty."""
    words: tuple[str, ...] = ()
    """Names, ports and keys that messages about it mention."""
    sure: float = 0.5
    """Certainty of the value, 0 to 1: 1 where nothing else can be meant, 0.5 for the nearest name, 0 for a guess."""


Relation = Callable[[World], Iterator[Broken]]
