"""Documents on an orphan branch of a local git repository, changed by compare-and-swap on its ref."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.services.local.git import Git

STATE_REF = "refs/heads/remediator-state"


@dataclass
class GitRefStore:
    """The `RefStore` port by plumbing alone: objects are written first, then the ref moves, or nothing changes."""

    git: Git
    ref: str = STATE_REF

    def head(self) -> str:
        """Return the ref's commit id; empty where it does not exist."""
        return self.git.commit_id(self.ref)

    def public(self) -> bool:
        """Return False: the repository is on this machine."""
        return False

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return the documents at that commit."""
        return self.git.documents(head, paths) if head else {}

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Commit the changes and move the ref."""
        tree = self.git.tree_with(expected, changes)
        commit = self.git.commit_tree(tree, [expected] if expected else [], message)
        self.git.move(self.ref, commit, expected)
        return commit
