"""Recent commits as differences of values: who changed what from what to what, in files that matter to the incident."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediator.domain.yaml_paths import format_path
from remediator.gitops import Repository, history
from remediator.gitops.committed_values import CommittedValue, values_of
from remediator.gitops.history import Commit
from remediator.judgement.model.facts import shown
from remediator.judgement.model.texts import value_text

MOST_COMMITS = 20
_MOST_VALUES = 12


def commits_of(repository: Repository, files: Sequence[str], limit: int) -> tuple[tuple[Commit, ...], str]:
    """Return the newest commits that touched any of the files, and why older ones may be hidden."""
    answer = history.commits_touching(repository.root, sorted(files), limit=min(limit, MOST_COMMITS))
    return answer.commits, answer.why


def lines_of(repository: Repository, commits: Sequence[Commit], files: Sequence[str] = ()) -> Iterator[str]:
    """Yield each commit with its values, a line each."""
    for commit in commits:
        yield f"{commit.commit[:10]} {commit.when[:16]} {shown(commit.author, 60)}: {shown(commit.subject, 160)}"
        changes = list(values_of(repository.root, commit, files))
        yield from (f"  {_line(change)}" for change in changes[:_MOST_VALUES])
        if len(changes) > _MOST_VALUES:
            yield f"  … and {len(changes) - _MOST_VALUES} more values"


def _line(change: CommittedValue) -> str:
    document = f" document {change.document}" if change.document else ""
    where = format_path(change.path) or "the whole file"
    return f"{change.file}{document} {where}: {value_text(change.old)} → {value_text(change.new)}"
