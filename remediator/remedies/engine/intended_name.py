"""The existing object that a missing name means: one slip away, or what a commit put in its place everywhere else."""

from __future__ import annotations

from collections.abc import Collection

from remediator.gitops.committed_values import successor
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.engine.spelling import nearest


def intended_name(case: RemedyContext, missing: str, existing: Collection[str]) -> tuple[str, str]:
    """Return the name and the reason; both are empty where no existing name is clearly meant."""
    if new := nearest(missing, existing):
        return new, f"`{new}` exists and is one slip away."
    new, commit = successor(case.repository.root, missing, existing)
    if commit is None:
        return "", ""
    return (
        new,
        f"commit {commit.commit[:10]} by {commit.author} renamed `{missing}` to `{new}`, here the old name was left.",
    )
