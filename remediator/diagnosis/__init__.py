"""What happened, by rule alone: signals, grouping, severity, and the sentence a person reads first."""

from remediator.diagnosis.classify import classify, signature

__all__ = ["classify", "signature"]
