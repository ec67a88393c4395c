"""The diagnosis of what happened, by rule alone: signals, grouping, severity, and the sentence a person reads first."""

from remediator.diagnosis.classify import classify, object_names, signature

__all__ = ["classify", "object_names", "signature"]
