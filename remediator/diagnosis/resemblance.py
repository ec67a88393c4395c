"""The category that an unrecognised sentence reads like: its vocabulary, where no signal knows the sentence itself.

It gives an unknown fault a heading that a person can look under. It chooses no action and explains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from remediator.diagnosis.signals import compiled
from remediator.policy import Catalogue

_BOUND = 600
"""Characters of a sentence that are looked at, from its end, where wrapped messages say what is wrong."""


def resembled(sentences: Iterable[str], catalogue: Catalogue) -> str:
    """Return the category of which most words stand in the first sentence that has any; empty where none has."""
    for sentence in sentences:
        text = sentence[-_BOUND:]
        counts = {
            category.id: sum(compiled(word).search(text) is not None for word in category.words)
            for category in catalogue.categories
        }
        best = max(catalogue.categories, key=lambda category: (counts[category.id], category.priority))
        if counts[best.id]:
            return best.id
    return ""
