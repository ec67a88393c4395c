"""The model's investigation: its first question, its tools over redacted facts and the checkout, and what becomes of it.

Nothing here talks to a model. A tool is a pure function of the incident, so the same calls give the same answers, byte
for byte; `graph/investigation.py` runs the loop.
"""

from remediator.judgement.model.session import InvestigationSession

__all__ = ["InvestigationSession"]
