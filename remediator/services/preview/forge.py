"""Forges of a dry run: a plain folder, and a wrapper that reads through any forge and publishes nothing.

A dry run uses the same nodes as a real one, so the difference lies in the forge alone.
"""

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
    """The `Forge` port over another one: it reads through it and publishes nothing, not even an object in git.

    A file that is not committed yet is read from the checkout: a preview may be ahead of what can be proposed.
    """

    forge: Forge
    root: Path

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """The wrapped forge's way of answering."""
        return self.forge.answered_by

    def base(self, tracked: str) -> Base:
        """Return the wrapped forge's base."""
        return self.forge.base(tracked)

    def read(self, base: Base, path: str) -> bytes:
        """Return the file of the wrapped forge, else of the checkout."""
        try:
            return self.forge.read(base, path)
        except FileNotFoundError:
            return PreviewFolder(self.root).read(base, path)

    def publish(self, change: Change) -> PullRequest:
        """Return the pull request that would be opened, without a head."""
        return PullRequest(branch=change.branch, base=change.base.branch, title=change.title, body=change.body)

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Return it unchanged: a preview exists nowhere."""
        return pull_request

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Return it unchanged: a preview never merges."""
        del message
        return pull_request

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Return it unchanged: a preview never merges."""
        return pull_request

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Return it unchanged: there is nothing to close."""
        return pull_request


@dataclass
class PreviewFolder:
    """A folder that is no git repository: good for a dry run, for nothing else."""

    root: Path

    @property
    def answered_by(self) -> Literal["comment", "command"]:
        """Reviewers answer with commands."""
        return "command"

    def base(self, tracked: str) -> Base:
        """Return a base without a branch and a commit."""
        del tracked
        return Base(branch="", note="not a git repository")

    def read(self, base: Base, path: str) -> bytes:
        """Return a file of the folder; links are followed, but never out of it."""
        del base
        root, file = self.root.resolve(), (self.root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise FileNotFoundError(f"{path}: not a file in {self.root}")
        return file.read_bytes()

    def publish(self, change: Change) -> PullRequest:
        """Raise ConfigError: a plain folder has no pull requests."""
        del change
        self._refuse()

    def look(self, pull_request: PullRequest) -> PullRequest:
        """Raise ConfigError: a plain folder has no pull requests."""
        del pull_request
        self._refuse()

    def merge(self, pull_request: PullRequest, *, message: str = "") -> PullRequest:
        """Raise ConfigError: a plain folder has no pull requests."""
        del pull_request, message
        self._refuse()

    def merge_when_ready(self, pull_request: PullRequest) -> PullRequest:
        """Raise ConfigError: a plain folder has no pull requests."""
        del pull_request
        self._refuse()

    def close(self, pull_request: PullRequest) -> PullRequest:
        """Raise ConfigError: a plain folder has no pull requests."""
        del pull_request
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigError("is not a git repository: run `git init` and commit, or use --dry-run", file=str(self.root))
