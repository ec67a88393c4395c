"""Forges that change nothing anywhere: a plain folder, and any forge looked at through glass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NoReturn

from remediator.domain.change import PullRequest
from remediator.domain.lifecycle import Base
from remediator.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.domain.lifecycle import Change
    from remediator.domain.ports import Forge


@dataclass
class Preview:
    """Reads what the forge would read, publishes nothing; no object is written to the repository either.

    A file that is not committed yet is read from the checkout: a preview may be ahead of what can be proposed.
    """

    forge: Forge
    root: Path

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """See the port."""
        return self.forge.answered_by

    def base(self, tracked: str) -> Base:
        """As the forge says."""
        return self.forge.base(tracked)

    def read(self, base: Base, path: str) -> bytes:
        """As the forge says, else as it lies in the checkout."""
        try:
            return self.forge.read(base, path)
        except FileNotFoundError:
            return PreviewFolder(self.root).read(base, path)

    def publish(self, change: Change) -> PullRequest:
        """The pull request as it would be, without a head."""
        return PullRequest(branch=change.branch, base=change.base.branch, title=change.title, body=change.body)

    def look(self, pull_request: PullRequest) -> PullRequest:
        """As it was handed in: a preview exists nowhere."""
        return pull_request

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """As it was handed in: a preview never merges."""
        del message
        return pull_request

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """As it was handed in: a preview never merges."""
        return pull_request

    def close(self, pull_request: PullRequest) -> PullRequest:
        """As it was handed in."""
        return pull_request


@dataclass
class PreviewFolder:
    """A folder that is no git repository: good for a dry run, for nothing else."""

    root: Path

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """See the port."""
        return "command"

    def base(self, tracked: str) -> Base:
        """No branch, no commit."""
        del tracked
        return Base(branch="", note="not a git repository")

    def read(self, base: Base, path: str) -> bytes:
        """A file of the folder, links followed but never out of it."""
        del base
        root, file = self.root.resolve(), (self.root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise FileNotFoundError(f"{path}: not a file in {self.root}")
        return file.read_bytes()

    def publish(self, change: Change) -> PullRequest:
        """Always refused."""
        del change
        self._refuse()

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Always refused."""
        del pull_request
        self._refuse()

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Always refused."""
        del pull_request, message
        self._refuse()

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Always refused."""
        del pull_request
        self._refuse()

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Always refused."""
        del pull_request
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigError("is not a git repository: run `git init` and commit, or use --dry-run", file=str(self.root))
