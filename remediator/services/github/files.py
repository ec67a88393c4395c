"""Files of the repository as a commit holds them, and trees made of changed ones; modes and links are kept."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from remediator.domain.symbolic_links import link_target
from remediator.errors import PolicyViolation
from remediator.services.github.blobs import FOLDER, SUBMODULE, SYMLINK, StoredBlob, find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.services.github.client import Client

_HOPS = 16


@dataclass
class GitHubFiles:
    """Files of commits, cached, since a commit does not change; `prefix` is "" or ends in "/"."""

    client: Client
    prefix: str = ""
    local: Callable[[str, str], StoredBlob | None] | None = None
    _blobs: dict[tuple[str, str], StoredBlob | None] = field(default_factory=dict, repr=False)

    def read(self, commit: str, path: str) -> bytes:
        """Return the contents of a file, links followed; FileNotFoundError, also for folders and submodules."""
        target = self.resolve(commit, self._inside(path))
        blob = self._blobs.get((commit, target))
        if blob is None or blob.content is None:
            raise FileNotFoundError(f"{path}: not in commit {commit[:9]}")
        return blob.content

    def resolve(self, commit: str, path: str) -> str:
        """Return the path behind symbolic links of files and folders on the way; a request for each link, and one."""
        for _ in range(_HOPS):
            link = self._link(commit, path)
            if link is None:
                return path
            step, target = link
            tail = PurePosixPath(path).relative_to(step)
            steps = link_target(step.parent, target)
            if steps is None:
                raise FileNotFoundError(f"{path}: a symbolic link leads out of the repository")
            path = "/".join((*steps, *tail.parts))
        raise FileNotFoundError(f"{path}: symbolic links in a circle")

    def tree(self, commit: str, base_tree: str, changes: Mapping[str, str | None]) -> str:
        """Return the id of the commit's tree with these files changed; nothing refers to it yet."""
        rows = []
        for path, text in changes.items():
            try:
                target = self.resolve(commit, self._inside(path))
            except FileNotFoundError as error:
                raise PolicyViolation(str(error)) from None
            if not target.startswith(self.prefix):
                raise PolicyViolation(f"{path}: a symbolic link leads out of {self.prefix}")
            blob = self._blobs.get((commit, target))
            if text is not None or blob:
                rows.append(self._row(target, text, blob))
        if not rows:
            return base_tree
        return str(
            self.client.rest("POST", "/git/trees", {"base_tree": base_tree, "tree": rows}, again=True).body["sha"]
        )

    def _row(self, path: str, text: str | None, stored: StoredBlob | None) -> dict[str, Any]:
        row: dict[str, Any] = {"path": path, "mode": f"{stored.mode if stored else 0o100644:06o}", "type": "blob"}
        if text is None:
            return {**row, "sha": None}
        if "\r" not in text and not text.startswith("\ufeff"):
            return {**row, "content": text}
        # Whether every character of inline content survives is not said anywhere; a blob's bytes are.
        blob = {"content": base64.b64encode(text.encode()).decode(), "encoding": "base64"}
        return {**row, "sha": self.client.rest("POST", "/git/blobs", blob, again=True).body["sha"]}

    def _link(self, commit: str, path: str) -> tuple[PurePosixPath, str] | None:
        """Return the first step of the path that is a link, and its target; FileNotFoundError in a submodule."""
        pure = PurePosixPath(path)
        steps = [str(step) for step in reversed(pure.parents) if str(step) != "."] + [str(pure)]
        for step in steps if self.local else ():
            if self.local and (commit, step) not in self._blobs and (blob := self.local(commit, step)):
                self._blobs[commit, step] = blob
        unknown = [step for step in steps if (commit, step) not in self._blobs]
        if unknown:
            blobs = find(self.client, commit, unknown)
            self._blobs |= {(commit, step): blobs.get(step) for step in unknown}
        for step in steps:
            blob = self._blobs[commit, step]
            if blob is None:
                return None
            if blob.mode == SUBMODULE:
                raise FileNotFoundError(f"{path}: lies in the submodule {step}")
            if blob.mode == SYMLINK:
                return PurePosixPath(step), (blob.content or b"").decode()
            if blob.mode != FOLDER and step != str(pure):
                return None
        return None

    def _inside(self, path: str) -> str:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or ".git" in pure.parts:
            raise PolicyViolation(f"{path}: leaves the checkout")
        return f"{self.prefix}{pure}"
