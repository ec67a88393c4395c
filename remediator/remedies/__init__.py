"""Remedies turn a diagnosis into typed, located and proved edits.

Each family of actions has a folder; `engine` is what they share, `views` is how they read objects and evidence.
"""

from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.with_value import with_value
from remediator.remedies.registry import REMEDIES

__all__ = ["REMEDIES", "changes", "with_value"]
