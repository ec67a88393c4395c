"""Policies as data: loading, merging, and the guard that judges a final difference."""

from remediator.policy.loading import USER_FILE, check, load, shipped_root
from remediator.policy.models import (
    ANY,
    Action,
    Bounds,
    Catalogue,
    Category,
    Guardrails,
    ModelBounds,
    Policies,
    Signal,
)

__all__ = [
    "ANY",
    "USER_FILE",
    "Action",
    "Bounds",
    "Catalogue",
    "Category",
    "Guardrails",
    "ModelBounds",
    "Policies",
    "Signal",
    "check",
    "load",
    "shipped_root",
]
