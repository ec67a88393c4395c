"""The `Planner` port: the repository and the policies, and so the possible fixes, the new files and the objections."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from remediator import remedies
from remediator.domain.lifecycle import RemediationPlan
from remediator.errors import PolicyViolation
from remediator.gitops import Repository
from remediator.judgement import decide
from remediator.policy.guard import FileChange, check_changes
from remediator.policy.meaning import freeze_reason
from remediator.remedies.engine.next_attempt import next_step, outdated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from remediator.domain.change import Edit, Proposal
    from remediator.domain.incident import Diagnosis
    from remediator.domain.lifecycle import HistoryEntry
    from remediator.domain.ports import Clock, Investigation, Read
    from remediator.gitops import Application
    from remediator.policy import ModelBounds, Policies

_PARENTS = 3
"""The number of other Applications that are asked for their branch; each question is a git command."""


@dataclass
class LocalPlanner:
    """The `Planner` port on a checkout; the repository is read at the first question and cached."""

    root: Path
    policies: Policies
    redact: Callable[[str], str] = str
    model: ModelBounds | None = None
    """The bounds of a model's investigations; None: as the policies say."""
    now: Clock = lambda: datetime.now(UTC)
    kept_charts: Path | None = None
    """The directory of charts that registries gave; None: none is pulled."""
    _plans: dict[str, RemediationPlan] = field(default_factory=dict)

    @cached_property
    def repository(self) -> Repository:
        """The Applications of the checkout."""
        pull = None if self.kept_charts is None else lambda: self.policies.charts.pull
        repository = Repository.open(self.root, pull=pull, kept_charts=self.kept_charts)
        repository.clusters = self.policies.cluster_names
        return repository

    def propose(self, diagnosis: Diagnosis) -> RemediationPlan:
        """Return the plan of a diagnosis; the same diagnosis again is answered from the cache."""
        key = diagnosis.model_dump_json()
        if key not in self._plans:
            self._plans[key] = decide(diagnosis, self.repository, self.policies)
        return self._plans[key]

    def edit(self, edits: Sequence[Edit], read: Read) -> dict[str, bytes | None]:
        """Return the files after the edits."""
        return remedies.changes(edits, read)

    def objections(self, before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> tuple[str, ...]:
        """Return the guardrails' objections to the final difference."""
        changes = {path: FileChange(before=before.get(path), after=content) for path, content in after.items()}
        return check_changes(changes, self.policies.guardrails).reasons

    def frozen(self) -> str:
        """Return why a freeze window forbids proposals now; empty where none does."""
        return freeze_reason(self.policies.guardrails, self.now())

    def investigation(
        self, diagnosis: Diagnosis, plan: RemediationPlan, log: str, history: Sequence[HistoryEntry]
    ) -> Investigation | None:
        """Return the incident as a model may investigate it."""
        from remediator.judgement.inquiry import Inquiry
        from remediator.judgement.model import InvestigationSession
        from remediator.remedies.engine.candidates import SURE
        from remediator.remedies.engine.targets import targets_of

        bounds = self.model or self.policies.model
        if bounds.when == "unsure" and plan.proposals and plan.proposals[0].score >= SURE:
            return None
        return InvestigationSession(
            inquiry=Inquiry(diagnosis, self.repository, self.policies, targets_of(diagnosis, self.repository)),
            plan=plan,
            log=log,
            redact=self.redact,
            history=[entry for entry in history if entry.get("kind") in ("earlier", "verified")],
            language=bounds.language,
            proposes=bounds.proposes,
            tool_calls=bounds.tool_calls,
            tokens=bounds.tokens_per_incident,
        )

    def with_value(self, proposal: Proposal, path: str, value: str) -> Proposal:
        """Return the proposal with a reviewer's value."""
        return remedies.with_value(proposal, path, value, self.repository, self.policies)

    def outdated(self, proposal: Proposal, read: Read) -> str:
        """Return which place of a change no longer reads as it was located."""
        return outdated(proposal, read)

    def next_step(self, failed: Proposal, read: Read) -> Proposal | None:
        """Return a merged change that did not help with a larger amount."""
        return next_step(failed, read, self.repository, self.policies)

    def tracked(self, applications: Sequence[str], files: Sequence[str]) -> str:
        """Return the branch to follow; where none of the named ones is fed by the files, a parent's branch counts."""
        fed = [app for app in self.repository.applications if _feeds(app, files)]
        relevant = [app for app in fed if app.name in applications] or fed[:_PARENTS]
        names = set()
        for app in relevant:
            revision = self.repository.base_of(app)
            if revision.pinned:
                raise PolicyViolation(
                    f"{app.name} is {revision.why}: a merge reaches it only when that is bumped ({app.file})"
                )
            names.add(revision.name)
        return names.pop() if len(names) == 1 else ""

    def merges_itself(self, action: str) -> bool:
        """Return whether the action's rule has `auto_merge`."""
        rule = self.policies.actions.get(action)
        return bool(rule and rule.auto_merge)


def _feeds(app: Application, files: Sequence[str]) -> bool:
    """Return whether one of the files is in a source of the Application in this repository."""
    paths = [source.path.strip("/") for source in app.sources if source.local and not source.ref]
    return any(path in {"", "."} or file.startswith(f"{path}/") for path in paths for file in files)
