"""Every generator in the order in which they are asked; nothing registers itself.

They come in stages: a later stage costs more (it renders each difference of recent commits), so it is asked only where
an earlier one found nothing sure.
"""

from __future__ import annotations

from collections.abc import Sequence

from remediator.judgement.generators.from_demands import from_demands
from remediator.judgement.generators.from_limits import from_limits
from remediator.judgement.generators.from_recipes import from_recipes
from remediator.judgement.generators.from_relations import from_relations
from remediator.judgement.generators.from_remedies import from_history, from_remedies
from remediator.judgement.generators.from_reproductions import from_reproductions
from remediator.judgement.generators.from_text_changes import from_text_changes
from remediator.judgement.hypothesis import Generator

STAGES: Sequence[Sequence[Generator]] = (
    (from_remedies, from_relations, from_demands, from_recipes, from_limits),
    (from_reproductions, from_history, from_text_changes),
)
