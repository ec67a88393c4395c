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
from remediator.policy.recipes import Recipe, RightValue, Setting, Software

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
    "Recipe",
    "RightValue",
    "Setting",
    "Signal",
    "Software",
    "check",
    "load",
    "shipped_root",
]
