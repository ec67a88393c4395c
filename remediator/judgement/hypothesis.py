"""A hypothesis: a cause in the desired state, the edit that would end it, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from remediator.judgement.inquiry import Inquiry
    from remediator.remedies.engine.case import Fix

GeneratorName = Literal["remedies", "changes", "relations", "demands", "recipes", "amounts", "model"]


@dataclass(frozen=True)
class Hypothesis:
    """One possible cause with the fix that ends it; nothing of it is proved yet."""

    generator: GeneratorName
    rule: str
    """The relation, recipe, action or commit that it comes from; shown by `explain`."""
    action: str
    """Id of the remediation action whose bounds and switches govern the fix."""
    cause: str
    """One sentence for people that names the fault."""
    fix: Fix | None
    """None where the generator knows why nothing can be done; `cause` says it then."""
    predicts: tuple[str, ...] = ()
    """Category ids, or `signal:ID`, that this cause would produce; empty: whatever the fix's action ends."""
    excludes: tuple[str, ...] = ()
    """Category ids, or `signal:ID`, that would not be seen if this were the cause."""
    words: tuple[str, ...] = ()
    """Names, ports, keys and values that messages about this cause would mention."""
    features: Mapping[str, float] = field(default_factory=dict)
    """Observations of the generator itself: rows of the table of weights, each with how much it holds (0 to 1)."""


Generator = Callable[["Inquiry"], Iterator[Hypothesis]]
