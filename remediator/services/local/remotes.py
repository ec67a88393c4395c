"""A checkout's own addresses and history, to compare with a server's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.services.local.git import Git

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")
_URL = re.compile(r"[a-z+]+://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.*)", re.IGNORECASE)


def address(url: str) -> str:
    """Return `host/owner/name` of any spelling of a repository's address; a local path stays as it is."""
    match = _URL.fullmatch(url.strip()) or _SCP.fullmatch(url.strip())
    if not match:
        return url.strip().rstrip("/").removesuffix(".git")
    path = match["path"].strip("/").removesuffix(".git")
    return f"{match['host']}/{path}".lower()


def is_ours(git: Git | None, url: str, environ: Mapping[str, str]) -> bool:
    """Return whether an address is this repository's; True where the checkout has none."""
    addresses = {address(git.ask("remote", "get-url", name)) for name in git.ask("remote").split()} if git else set()
    if repository := environ.get("GITHUB_REPOSITORY"):
        addresses.add(address(f"{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{repository}"))
    return not addresses or address(url) in addresses


def contains(git: Git | None, revision: str, commit: str) -> bool | None:
    """Return whether a commit is in a revision's history; None where the checkout lacks one, or the history between."""
    if revision == commit:
        return True
    if git is None or not git.commit_id(revision) or not git.commit_id(commit):
        return None
    if git.holds("merge-base", "--is-ancestor", commit, revision):
        return True
    return None if git.ask("rev-parse", "--is-shallow-repository") == "true" else False
