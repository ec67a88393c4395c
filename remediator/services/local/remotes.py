"""What a checkout knows of its own addresses and history, for whoever compares them with a server's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.services.local.git import Git

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")
_URL = re.compile(r"[a-z+]+://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.*)", re.IGNORECASE)


def address(url: str) -> str:
    """`host/owner/name` of any spelling of a repository's address; a path on this machine as it is."""
    found = _URL.fullmatch(url.strip()) or _SCP.fullmatch(url.strip())
    if not found:
        return url.strip().rstrip("/").removesuffix(".git")
    path = found["path"].strip("/").removesuffix(".git")
    return f"{found['host']}/{path}".lower()


def is_ours(git: Git | None, url: str, environ: Mapping[str, str]) -> bool:
    """Whether an address is this repository's; where the checkout has none, nothing speaks against it."""
    known = {address(git.ask("remote", "get-url", name)) for name in git.ask("remote").split()} if git else set()
    if repository := environ.get("GITHUB_REPOSITORY"):
        known.add(address(f"{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{repository}"))
    return not known or address(url) in known


def contains(git: Git | None, revision: str, commit: str) -> bool | None:
    """Whether a commit is in a revision's history; None where the checkout does not hold both, or not what is between."""
    if revision == commit:
        return True
    if git is None or not git.commit_id(revision) or not git.commit_id(commit):
        return None
    if git.holds("merge-base", "--is-ancestor", commit, revision):
        return True
    return None if git.ask("rev-parse", "--is-shallow-repository") == "true" else False
