"""The repository and the policies behind one port: what to do, how files would read, what is forbidden."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from remediator import remedies
from remediator.domain.life import Plan
from remediator.gitops import Repository
from remediator.policy.guard import FileChange, check_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from remediator.domain.change import Edit
    from remediator.domain.incident import Diagnosis
    from remediator.domain.ports import Read
    from remediator.policy import Policies


@dataclass
class LocalWorkshop:
    """The `Workshop` port on a checkout; the repository is read at the first question and kept."""

    root: Path
    policies: Policies

    @cached_property
    def repository(self) -> Repository:
        """The Applications of the checkout."""
        return Repository.open(self.root)

    def propose(self, diagnosis: Diagnosis) -> Plan:
        """See the port."""
        outcome = remedies.propose(diagnosis, self.repository, self.policies)
        return Plan(
            applications=outcome.applications,
            root_cause=outcome.root_cause,
            proposals=outcome.proposals,
            reason=outcome.reason,
        )

    def edit(self, edits: Sequence[Edit], read: Read) -> dict[str, bytes | None]:
        """See the port."""
        return remedies.changes(edits, read)

    def objections(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """See the port."""
        changes = {path: FileChange(before=before.get(path), after=content) for path, content in after.items()}
        return check_changes(changes, self.policies.guardrails).reasons

    def tracked(self, applications: Sequence[str]) -> str:
        """See the port."""
        named = [app for app in self.repository.applications if app.name in applications]
        revisions = {source.revision for app in named for source in app.sources if source.local}
        return revisions.pop() if len(revisions) == 1 else ""

    def merges_itself(self, action: str) -> bool:
        """See the port."""
        known = self.policies.actions.get(action)
        return bool(known and known.auto_merge)
