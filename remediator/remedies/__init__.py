"""From a diagnosis to typed, located, proved edits; one module per family of actions."""

from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.with_value import with_value
from remediator.remedies.registry import REMEDIES

__all__ = ["REMEDIES", "changes", "with_value"]
