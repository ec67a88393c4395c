"""The policy on charts that are not in the repository: whether, from where and how much is pulled.

It stands here since the reader of checkouts takes it, which knows no other policy.
"""

from __future__ import annotations

from pydantic import Field

from remediator.domain.base import Value


class ChartPull(Value):
    """The bounds on pulling charts from their registries."""

    enabled: bool = True
    hosts: tuple[str, ...] = ()
    """Hosts such as `ghcr.io`, `*.example.com`, `charts.example.com:8443`; empty: those that the repository names."""
    max_bytes: int = Field(default=32 * 1024 * 1024, gt=0)
    """The largest archive; unpacked it may be four times as large."""
    timeout: float = Field(default=30.0, gt=0)
    """Seconds for one chart."""


class Charts(Value):
    """The policy on charts that are not in the repository."""

    pull: ChartPull = ChartPull()
