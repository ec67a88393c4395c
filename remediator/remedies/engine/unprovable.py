"""The refusal of a fix, which every step of a proof may raise."""

from __future__ import annotations


class Unprovable(Exception):
    """A fix that cannot be proposed; the message says why, for the person who decides instead."""
