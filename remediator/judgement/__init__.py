"""Judgement: hypotheses about the cause are set against the facts and each other, and one is proposed or none.

Generators make hypotheses (what a commit changed, what cannot be right in the rendered world, what a message demands,
what is known of the software, which amount fits); weighing says how well each explains what was observed; the decision
proves the best and refuses what must not be done. See docs/judgement.md.
"""

from remediator.judgement.decide import decide

__all__ = ["decide"]
