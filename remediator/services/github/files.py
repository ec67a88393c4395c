"""Files of the repository as a commit holds them, and trees made of changed ones; modes and links are kept."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from remediator.errors import PolicyViolation
from remediator.services.github.blobs import FOLDER, SUBMODULE, SYMLINK, StoredBlob, find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.services.github.client import Client

_HOPS = 16


@dataclass
class GitHubFiles:
    """What was read is kept, since a commit does not change; `prefix` is "" or ends in "/"."""

    client: Client
    prefix: str = ""
    local: Callable[[str, str], StoredBlob | None] | None = None
    _known: dict[tuple[str, str], StoredBlob | None] = field(default_factory=dict, repr=False)

    def read(self, commit: str, path: str) -> bytes:
        """Contents of a file, links followed; FileNotFoundError, also for folders and submodules."""
        target = self.resolve(commit, self._inside(path))
        found = self._known.get((commit, target))
        if found is None or found.content is None:
            raise FileNotFoundError(f"{path}: not in commit {commit[:9]}")
        return found.content

    def resolve(self, commit: str, path: str) -> str:
        """The path behind symbolic links of files and of folders on the way; a request for each link, and one."""
        for _ in range(_HOPS):
            link = self._link(commit, path)
            if link is None:
                return path
            step, target = link
            rest = PurePosixPath(path).relative_to(step)
            parts = _normal((*step.parent.parts, *PurePosixPath(target).parts, *rest.parts))
            if parts is None or target.startswith("/"):
                raise FileNotFoundError(f"{path}: a symbolic link leads out of the repository")
            path = "/".join(parts)
        raise FileNotFoundError(f"{path}: symbolic links in a circle")

    def tree(self, commit: str, base_tree: str, changes: Mapping[str, str | None]) -> str:
        """Id of the commit's tree with these files changed; nothing refers to it yet."""
        rows = []
        for path, text in changes.items():
            try:
                target = self.resolve(commit, self._inside(path))
            except FileNotFoundError as error:
                raise PolicyViolation(str(error)) from None
            if not target.startswith(self.prefix):
                raise PolicyViolation(f"{path}: a symbolic link leads out of {self.prefix}")
            found = self._known.get((commit, target))
            if text is not None or found:
                rows.append(self._row(target, text, found))
        if not rows:
            return base_tree
        return str(
            self.client.rest("POST", "/git/trees", {"base_tree": base_tree, "tree": rows}, again=True).body["sha"]
        )

    def _row(self, path: str, text: str | None, found: StoredBlob | None) -> dict[str, Any]:
        row: dict[str, Any] = {"path": path, "mode": f"{found.mode if found else 0o100644:06o}", "type": "blob"}
        if text is None:
            return {**row, "sha": None}
        if "\r" not in text and not text.startswith("\ufeff"):
            return {**row, "content": text}
        # Whether every character of inline content survives is not said anywhere; a blob's bytes are.
        blob = {"content": base64.b64encode(text.encode()).decode(), "encoding": "base64"}
        return {**row, "sha": self.client.rest("POST", "/git/blobs", blob, again=True).body["sha"]}

    def _link(self, commit: str, path: str) -> tuple[PurePosixPath, str] | None:
        """The first step of the path that is a link, and where it leads; FileNotFoundError in a submodule."""
        pure = PurePosixPath(path)
        steps = [str(step) for step in reversed(pure.parents) if str(step) != "."] + [str(pure)]
        for step in steps if self.local else ():
            if self.local and (commit, step) not in self._known and (here := self.local(commit, step)):
                self._known[commit, step] = here
        unknown = [step for step in steps if (commit, step) not in self._known]
        if unknown:
            found = find(self.client, commit, unknown)
            self._known |= {(commit, step): found.get(step) for step in unknown}
        for step in steps:
            here = self._known[commit, step]
            if here is None:
                return None
            if here.mode == SUBMODULE:
                raise FileNotFoundError(f"{path}: lies in the submodule {step}")
            if here.mode == SYMLINK:
                return PurePosixPath(step), (here.content or b"").decode()
            if here.mode != FOLDER and step != str(pure):
                return None
        return None

    def _inside(self, path: str) -> str:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or ".git" in pure.parts:
            raise PolicyViolation(f"{path}: leaves the checkout")
        return f"{self.prefix}{pure}"


def _normal(parts: tuple[str, ...]) -> list[str] | None:
    """Path steps without `.` and `..`; None when they lead out of the root."""
    out: list[str] = []
    for part in parts:
        if part == "..":
            if not out:
                return None
            out.pop()
        elif part != ".":
            out.append(part)
    return out
