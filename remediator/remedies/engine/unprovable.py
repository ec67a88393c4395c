"""The refusal of a fix, which every step of a proof may raise."""

from __future__ import annotations


class Unprovable(Exception):
    """A fix that cannot be proposed; the message says why, for the person who decides instead."""


class UnconfirmedWord(Unprovable):
    """A fix that only a container's log asks for, until the platform or the repository itself confirms it."""
