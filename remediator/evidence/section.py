"""A section: consecutive lines of one format, with the command that printed them where one is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.evidence.command import Command
from remediator.evidence.limits import ScanLimits

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from remediator.evidence.draft import Draft
    from remediator.evidence.lines import Line

NO_COMMAND = Command()


@dataclass(slots=True)
class Context:
    """The values that hold for a whole input while its sections are read."""

    source: str = ""
    limits: ScanLimits = field(default_factory=ScanLimits)
    hit_lines: AbstractSet[int] = frozenset()
    """Numbers of the lines that any pattern hits."""
    application: str = ""
    """The Application of the block of `argocd app get` being read: its tables come as sections of their own."""
    app_facts: dict[str, str] = field(default_factory=dict)
    kube_context: str = ""
    """The context of kubectl that the last command with one named."""
    notes: list[str] = field(default_factory=list)
    sparse: bool = False
    """True if only windows of the input are read, so that lines without a hit are not kept."""
    owner: Draft | None = None
    """The container whose log the whole input is, where its name tells."""


@dataclass(slots=True)
class Section:
    """Lines of one format; `no` counts sections of one input from 1."""

    lines: list[Line]
    context: Context
    command: Command = NO_COMMAND
    no: int = 0

    @property
    def text(self) -> str:
        """Return the lines as one text."""
        return "\n".join(line.text for line in self.lines)

    @property
    def first(self) -> int:
        """Return the number of the first line."""
        return self.lines[0].no if self.lines else 0
