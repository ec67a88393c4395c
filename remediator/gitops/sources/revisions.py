"""Read a `targetRevision`: the branch that a pull request must reach, or a pinned version that no merge changes.

A pull request against a branch that no Application tracks would be merged without any effect on the cluster.
"""

from __future__ import annotations

import re
from pathlib import Path

from remediator.gitops.git_command import GitFailed, git
from remediator.gitops.model import Application, Revision


def base_of(root: Path, app: Application) -> Revision:
    """Return the branch that the Application's source in this repository tracks; empty for the default branch."""
    source = next((item for item in app.sources if item.local and not item.ref), None) or next(
        (item for item in app.sources if item.local), None
    )
    if source is None:
        return Revision("", True, "no source of the Application lies in this repository")
    name = source.revision.removeprefix("refs/heads/")
    if name in ("", "HEAD"):
        return Revision("", False, "tracks the default branch")
    if source.revision.startswith("refs/tags/"):
        return Revision(source.revision, True, f"pinned to the tag {name.removeprefix('refs/tags/')}")
    if re.fullmatch(r"[0-9a-f]{7,40}", name) and not _ref_exists(root, f"refs/heads/{name}"):
        return Revision(name, True, f"pinned to the commit {name}")
    for prefix in ("refs/heads/", "refs/remotes/origin/"):
        if _ref_exists(root, prefix + name):
            return Revision(name, False, f"tracks the branch {name}")
    if _ref_exists(root, f"refs/tags/{name}"):
        return Revision(name, True, f"pinned to the tag {name}")
    if re.fullmatch(r"[~^<>=* ]*v?\d+(\.\d+|\.\*|\.x){1,2}([-+].*)?", name):
        return Revision(name, True, f"follows the version tag {name}")
    return Revision(name, False, f"tracks {name}, which this checkout does not have; taken for a branch")


def _ref_exists(root: Path, ref: str) -> bool:
    """Return whether the checkout has the ref."""
    try:
        git(root, ("rev-parse", "--verify", "--quiet", "--end-of-options", ref))
    except GitFailed:
        return False
    return True
