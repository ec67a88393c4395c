"""From a diagnosis to typed, located, proved edits; one module per family of actions."""

from remediator.remedies.apply import changes
from remediator.remedies.propose import Outcome, propose
from remediator.remedies.registry import REMEDIES, remedy
from remediator.remedies.with_value import with_value

__all__ = ["REMEDIES", "Outcome", "changes", "propose", "remedy", "with_value"]
