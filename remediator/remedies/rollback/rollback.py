"""Roll back changes of recent commits where the evidence points at them.

The texts of a commit are compared item by item. Each item is rolled back in an overlay and rendered; it counts only where
the rendered effect is on the faulty object and on a field that such a fault can come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import re2

from remediator.domain import quantities
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import format_path
from remediator.errors import ConfigError
from remediator.gitops import Application, ObjectChange, history
from remediator.gitops.history import Commit
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.rollback.blame import complaint_text, distinctive_words, is_suspected
from remediator.remedies.rollback.commit_steps import current_steps, texts_of
from remediator.remedies.rollback.narrowing import narrowed
from remediator.remedies.rollback.steps import (
    RollbackStep,
    are_counterparts,
    description,
    place_of,
    revert_edits,
)
from remediator.remedies.views.pod_limits import memory_limits_of_killed
from remediator.yamledit import EditRefused

COMMITS = 12
"""The number of commits that are examined; older changes have proved that they work."""
RENDERS = 16
"""The number of differences that are rendered: enough for usual commits, and a bound on the cost of large ones."""


def roll_back(case: RemedyContext) -> Iterator[Fix]:
    """Yield one fix for each recent commit whose effect the evidence names, the newest first."""
    applications = _applications(case)
    if not applications or not case.cite():
        return
    budget = RENDERS
    for commit in history.recent(case.repository.root, limit=COMMITS, until=case.diagnosis.first_seen):
        rollback = _CommitRollback(case, commit, applications)
        candidates = rollback.candidates[: max(budget, 0)]
        budget -= len(candidates)
        culprits = [step for step in candidates if rollback.is_culprit(step)]
        if culprits:
            yield rollback.fix([narrowed(case, step) for step in rollback.with_counterparts(culprits)])
        if budget <= 0:
            return


@dataclass
class _CommitRollback:
    """The rollback of one commit, as far as one incident points at it."""

    case: RemedyContext
    commit: Commit
    applications: tuple[Application, ...]
    shared: set[str] = field(default_factory=set)
    """Applications in which the same text changes the same field of the same object."""

    @cached_property
    def candidates(self) -> list[RollbackStep]:
        """The differences that are still in the repository, and that a field or the evidence makes worth rendering."""
        return [step for file in self.commit.files for step in self._current_steps(file) if self._is_candidate(step)]

    @cached_property
    def _texts(self) -> Mapping[str, tuple[bytes | None, bytes | None]]:
        return texts_of(self.case.repository, self.commit)

    def _current_steps(self, file: str) -> Iterator[RollbackStep]:
        return current_steps(self.case.repository, file, *self._texts.get(file, (None, None)))

    def _is_candidate(self, step: RollbackStep) -> bool:
        return self._is_mentioned(step) or self._is_relevant_field(format_path(step.difference.path))

    def _is_mentioned(self, step: RollbackStep, effects: Sequence[ObjectChange] = ()) -> bool:
        """Return True where the evidence contains a distinctive word of this difference."""
        words = [
            *step.difference.words,
            step.owner,
            *(str(effect.before) for effect in effects if isinstance(effect.before, str | int)),
        ]
        subjects = [self.case.diagnosis.subject, *(piece.subject for piece in self.case.diagnosis.evidence)]
        identities = {
            name
            for subject in subjects
            for name in (subject.name, subject.namespace, subject.application, subject.pod, subject.container)
        }
        identities |= {name for effect in effects for name in (effect.name, effect.namespace, effect.application)}
        return any(contains_word(self._complaints, word) for word in distinctive_words(words, identities))

    @cached_property
    def _complaints(self) -> str:
        return complaint_text(f"{piece.reason} {piece.text}" for piece in self.case.diagnosis.evidence)

    def _is_relevant_field(self, path: str) -> bool:
        return any(re2.search(pattern, path) for pattern in (*self._signal_fields, *self._category_fields))

    @cached_property
    def _signal_fields(self) -> list[str]:
        """The fields that the signals of the evidence come from, by the policy."""
        return self._patterns(*dict.fromkeys(piece.signal for piece in self.case.diagnosis.evidence))

    @cached_property
    def _category_fields(self) -> list[str]:
        """The fields that this category comes from; empty where the policy has fields for the signals."""
        return [] if self._signal_fields else self._patterns(self.case.diagnosis.category)

    def _patterns(self, *names: str) -> list[str]:
        options = [self.case.action.options[name] for name in names if name in self.case.action.options]
        return [
            str(pattern) for patterns in options for pattern in (patterns if isinstance(patterns, list) else [patterns])
        ]

    def _restores_older_value(self, step: RollbackStep) -> bool:
        """Return True where the commit itself restored an older value: then it is a repair, not the cause."""
        if step.difference.op != "changed":
            return False
        older = history.changes(self.case.repository.root, place_of(step), limit=5)
        return any(change.old == step.difference.new for change in older.changes[1:])

    def is_culprit(self, step: RollbackStep) -> bool:
        """Return True where the rollback changes only fields that such a fault comes from, and the evidence points there."""
        try:
            after = self.case.repository.with_changes(changes([step.edit], self.case.repository.read))
        except (EditRefused, ConfigError):
            return False
        effects = self.case.repository.difference(after)
        culprit_effects = [effect for effect in effects if self._on_culprit(effect)]
        if not culprit_effects or any(
            effect.scope == "field" and not self._is_relevant_field(format_path(effect.path))
            for effect in culprit_effects
        ):
            return False
        if any(self._never_ran(effect) for effect in culprit_effects):
            return False
        mentioned = self._is_mentioned(step, culprit_effects)
        if not is_suspected(
            self.case, step.difference, step.owner, culprit_effects, mentioned, bool(self._signal_fields)
        ) or self._restores_older_value(step):
            return False
        self.shared |= {
            effect.application
            for effect in effects
            if any(_is_same_effect(effect, culprit_effect) for culprit_effect in culprit_effects)
        }
        return True

    def _never_ran(self, effect: ObjectChange) -> bool:
        """Return True where the pods were killed at another memory limit than the repository has: it did not fail."""
        limit = quantities.parse(effect.before) if effect.path[-2:] == ("limits", "memory") else None
        cluster_limits = memory_limits_of_killed(
            self.case, self.case.diagnosis.evidence, self.case.diagnosis.subject.container
        )
        return bool(limit and cluster_limits) and limit not in cluster_limits

    def with_counterparts(self, culprits: Sequence[RollbackStep]) -> list[RollbackStep]:
        """Return the culprits and, where one is half of a renamed key or a moved item, its other half."""
        steps = [step for file in dict.fromkeys(step.file for step in culprits) for step in self._current_steps(file)]
        return [
            step for step in steps if step in culprits or any(are_counterparts(step, culprit) for culprit in culprits)
        ]

    def _on_culprit(self, effect: ObjectChange) -> bool:
        if effect.application not in {application.name for application in self.applications}:
            return False
        targets = {(target.manifest.kind, target.manifest.name) for target in self.case.targets}
        return not targets or (effect.kind, effect.name) in targets or effect.kind in ("ConfigMap", "Secret", "Service")

    @property
    def _affected_applications(self) -> tuple[Application, ...]:
        """The Applications of the culprit, and those in which the same text has the same effect."""
        applications = (self.case.repository.application(name) for name in sorted(self.shared))
        return tuple(dict.fromkeys((*self.applications, *(application for application in applications if application))))

    def fix(self, steps: Sequence[RollbackStep]) -> Fix:
        """Return one fix that rolls back all culprits of this commit together."""
        changed_text = ", ".join(dict.fromkeys(description(step) for step in steps))
        summary = f"{changed_text} by {self.commit.commit[:7]} ({self.commit.subject!r}, {self.commit.when[:10]})"
        cited = [piece for piece in self.case.diagnosis.evidence if piece.signal]
        return Fix(
            title=f"roll back {changed_text.split(' was ')[0]} of {self.commit.commit[:7]}",
            reason=f"{summary}. The fault began after this change and is in this field; the rollback restores the value that worked.",
            evidence=self.case.cite(*cited[:6]),
            edits=tuple(revert_edits(steps)),
            places=tuple(place_of(step) for step in steps),
            applications=self._affected_applications,
            parameters={"commit": self.commit.commit[:10]},
            score=0.9 if any(self._is_mentioned(step) for step in steps) else 0.75,
            rollback=summary,
        )


def _is_same_effect(effect: ObjectChange, counterpart: ObjectChange) -> bool:
    """Return True where one object of a shared text changes in the same way in two Applications."""
    return (effect.kind, effect.name, effect.path, effect.scope) == (
        counterpart.kind,
        counterpart.name,
        counterpart.path,
        counterpart.scope,
    )


def _applications(case: RemedyContext) -> tuple[Application, ...]:
    applications = dict.fromkeys(target.application for target in case.targets)
    subject_application = case.repository.application(case.diagnosis.subject.application)
    return tuple(applications) or ((subject_application,) if subject_application else ())
