"""What happened, by rule alone: signals, grouping, severity, and the sentence a person reads first."""

from remediator.diagnosis.classify import classify, named, signature

__all__ = ["classify", "named", "signature"]
