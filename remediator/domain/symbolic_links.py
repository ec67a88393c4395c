"""Follow the symbolic links of a commit by their text, since no file system resolves them."""

from __future__ import annotations

from pathlib import PurePosixPath


def link_target(directory: PurePosixPath, target: str) -> list[str] | None:
    """Return the steps from the root to what a link in this directory names; None where it leads out of the repository."""
    if target.startswith("/"):
        return None
    steps: list[str] = []
    for step in (*directory.parts, *PurePosixPath(target).parts):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step != ".":
            steps.append(step)
    return steps
