"""Branches and tags of a repository that `git ls-remote` lists in the input: what a revision can be, and what it cannot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from remediator.domain.incident import Evidence


@dataclass(frozen=True)
class KnownRevisions:
    """Revisions that exist, and of which kinds (`branches`, `tags`) all are known."""

    names: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    def lacks(self, revision: str) -> bool:
        """Return True where the revision surely does not exist; one that reads as a version is taken for a tag."""
        kinds = {"tags"} if re.fullmatch(r"v?\d+(?:\.\d+)+\S*", revision) else {"branches", "tags"}
        is_commit = re.fullmatch(r"[0-9a-f]{7,40}", revision)
        return not is_commit and revision not in self.names | {"", "HEAD"} and kinds <= self.kinds


def listed_revisions(statements: Iterable[Evidence], repository_url: str) -> KnownRevisions:
    """Return the branches and tags of a repository that the statements list; none where nobody asked."""
    url = _bare_url(repository_url)
    listings = [
        statement.facts
        for statement in statements
        if (statement.reason, statement.speaker) == ("Refs", "person")
        and _bare_url(statement.facts.get("refs_repository", "")) == url
    ]
    names = [facts.get(kind, "").split(", ") for facts in listings for kind in ("branches", "tags")]
    kinds = [facts.get("refs_complete", "").split(", ") for facts in listings]
    return KnownRevisions(frozenset(chain(*names)) - {""}, frozenset(chain(*kinds)) - {""})


def _bare_url(url: str) -> str:
    """Return host and path of a repository, equal for `https://host/a/b.git` and `git@host:a/b`."""
    bare = re.sub(r"^(?:\w+://)?(?:[^/@]*@)?", "", url.strip()).removesuffix("/").removesuffix(".git")
    return bare.replace(":", "/", 1).lower()
