"""Take back what the last commits changed, where the evidence points at just that.

Works on the texts: a commit's effect on one document is told item by item, each item is taken back in an overlay,
and only those count whose rendered effect lies on the culprit and on a field that such a fault can come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import re2

from remediator.domain.change import Edit, Place
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import format_path, get
from remediator.errors import ConfigError
from remediator.gitops import Application, ObjectChange, Repository, history
from remediator.gitops.history import Commit
from remediator.policy.leaves import documents
from remediator.remedies.engine import quantities
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.rollback.blame import spoken, suspected, telling
from remediator.remedies.rollback.differences import Difference, differences
from remediator.remedies.views.pod_limits import memory_limits_of_killed
from remediator.yamledit import EditRefused

COMMITS = 12
"""How many commits are looked at; what is older has proved that it works."""
FILES = 40
"""A commit of more manifests than these is an import or a move, and no slip."""
RENDERS = 16
"""How many differences are rendered; enough for the commits people make, flat cost for the others."""


def roll_back(case: RemedyContext) -> Iterator[Fix]:
    """One fix for each recent commit whose effect the evidence names, the newest first."""
    applications = _applications(case)
    if not applications or not case.cite():
        return
    budget = RENDERS
    for commit in history.recent(case.repository.root, limit=COMMITS, until=case.diagnosis.first_seen):
        taken = _TakenBack(case, commit, applications)
        candidates = taken.candidates[: max(budget, 0)]
        budget -= len(candidates)
        guilty = [step for step in candidates if taken.implicated(step)]
        if guilty:
            yield taken.fix(taken.with_counterparts(guilty))
        if budget <= 0:
            return


@dataclass(frozen=True)
class Step:
    """One difference of a commit that still stands, and the edit that takes it back."""

    file: str
    document: int
    difference: Difference
    edit: Edit
    owner: str = ""
    """The name of the item that a changed value belongs to (a variable's)."""


@dataclass
class _TakenBack:
    """One commit, seen through the eyes of one incident."""

    case: RemedyContext
    commit: Commit
    applications: tuple[Application, ...]
    shared: set[str] = field(default_factory=set)
    """Applications in which the same text changes the same field of the same object."""

    @cached_property
    def candidates(self) -> list[Step]:
        """Differences that still stand and that the fields or the evidence make worth a rendering."""
        return [step for file in self.commit.files for step in self._standing(file) if self._worth(step)]

    @cached_property
    def _texts(self) -> dict[str, tuple[bytes | None, bytes | None]]:
        """Each manifest that the commit changed, before and after it; nothing for a commit too large to be a slip."""
        files = [file for file in self.commit.files if file.endswith((".yaml", ".yml"))]
        if len(files) > FILES:
            return {}
        revisions = (f"{self.commit.commit}^", self.commit.commit)
        texts = history.files_at(
            self.case.repository.root, [(revision, file) for file in files for revision in revisions]
        )
        return dict(zip(files, zip(texts[::2], texts[1::2], strict=True), strict=True))

    def _standing(self, file: str) -> Iterator[Step]:
        before, after = self._texts.get(file, (None, None))
        if before is None or after is None:
            return
        now = _read(self.case.repository, file)
        old, new, present = documents(before), documents(after), documents(now)
        if old is None or new is None or present is None or not (len(old) == len(new) == len(present)):
            return
        for index, (was, then, today) in enumerate(zip(old, new, present, strict=True)):
            if was == then:
                continue
            for one in differences(was, today):
                if _also_then(one, was, then):
                    yield Step(file, index, one, one.revert(file, index), _owner(today, one))

    def _worth(self, step: Step) -> bool:
        return self._mentioned(step) or self._implicates(format_path(step.difference.path))

    def _mentioned(self, step: Step, effects: Sequence[ObjectChange] = ()) -> bool:
        """Whether the evidence itself (not what describe prints anyway) says a telling word of this difference."""
        words = [
            *step.difference.words,
            step.owner,
            *(str(one.before) for one in effects if isinstance(one.before, str | int)),
        ]
        subjects = [self.case.diagnosis.subject, *(one.subject for one in self.case.diagnosis.evidence)]
        identities = {
            name for one in subjects for name in (one.name, one.namespace, one.application, one.pod, one.container)
        }
        identities |= {name for one in effects for name in (one.name, one.namespace, one.application)}
        return any(contains_word(self._spoken, word) for word in telling(words, identities))

    @cached_property
    def _spoken(self) -> str:
        return spoken(f"{one.reason} {one.text}" for one in self.case.diagnosis.evidence)

    def _implicates(self, path: str) -> bool:
        return any(re2.search(pattern, path) for pattern in (*self._own_fields, *self._fields))

    @cached_property
    def _own_fields(self) -> list[str]:
        """The fields that the very signals in the evidence come from, by the policy."""
        return self._patterns(*dict.fromkeys(one.signal for one in self.case.diagnosis.evidence))

    @cached_property
    def _fields(self) -> list[str]:
        """The fields that this category can come from; asked only where the policy says nothing of the signals."""
        return [] if self._own_fields else self._patterns(self.case.diagnosis.category)

    def _patterns(self, *names: str) -> list[str]:
        known = [self.case.action.options[name] for name in names if name in self.case.action.options]
        return [
            str(pattern) for patterns in known for pattern in (patterns if isinstance(patterns, list) else [patterns])
        ]

    def _restored(self, step: Step) -> bool:
        """Whether the commit itself brought an older value back: then it is the cure, and not the cause."""
        if step.difference.op != "changed":
            return False
        past = history.changes(self.case.repository.root, _place(step), limit=5)
        return any(change.old == step.difference.new for change in past.changes[1:])

    def implicated(self, step: Step) -> bool:
        """Whether taking this back changes just fields of the culprit that such a fault comes from, and the evidence points there."""
        try:
            after = self.case.repository.with_changes(changes([step.edit], self.case.repository.read))
        except (EditRefused, ConfigError):
            return False
        effects = self.case.repository.difference(after)
        own = [effect for effect in effects if self._on_culprit(effect)]
        if not own or any(effect.scope == "field" and not self._implicates(format_path(effect.path)) for effect in own):
            return False
        if any(self._never_ran(effect) for effect in own):
            return False
        mentioned = self._mentioned(step, own)
        if not suspected(
            self.case, step.difference, step.owner, own, mentioned, bool(self._own_fields)
        ) or self._restored(step):
            return False
        self.shared |= {effect.application for effect in effects if any(_same(effect, other) for other in own)}
        return True

    def _never_ran(self, effect: ObjectChange) -> bool:
        """Whether the pods were killed at another memory limit than the repository has now: it is not what failed."""
        limit = quantities.parse(effect.before) if effect.path[-2:] == ("limits", "memory") else None
        ran = memory_limits_of_killed(self.case, self.case.diagnosis.evidence, self.case.diagnosis.subject.container)
        return bool(limit and ran) and limit not in ran

    def with_counterparts(self, guilty: Sequence[Step]) -> list[Step]:
        """The guilty steps and, where one is half of a renamed key or a moved item, its other half."""
        steps = [step for file in dict.fromkeys(step.file for step in guilty) for step in self._standing(file)]
        return [step for step in steps if step in guilty or any(_halves(step, other) for other in guilty)]

    def _on_culprit(self, effect: ObjectChange) -> bool:
        if effect.application not in {application.name for application in self.applications}:
            return False
        targets = {(target.manifest.kind, target.manifest.name) for target in self.case.targets}
        return not targets or (effect.kind, effect.name) in targets or effect.kind in ("ConfigMap", "Secret", "Service")

    @property
    def _touched(self) -> tuple[Application, ...]:
        """Those of the culprit, and those that the same text feeds alike."""
        others = (self.case.repository.application(name) for name in sorted(self.shared))
        return tuple(dict.fromkeys((*self.applications, *(one for one in others if one))))

    def fix(self, steps: Sequence[Step]) -> Fix:
        """All guilty steps of this commit, taken back together."""
        what = ", ".join(dict.fromkeys(_said(step) for step in steps))
        said = f"{what} by {self.commit.commit[:7]} ({self.commit.subject!r}, {self.commit.when[:10]})"
        cited = [one for one in self.case.diagnosis.evidence if one.signal]
        return Fix(
            title=f"take back {what.split(' was ')[0]} of {self.commit.commit[:7]}",
            reason=f"{said}. The fault began after it and lies on just this field; taking it back restores what worked.",
            evidence=self.case.cite(*cited[:6]),
            edits=tuple(_edits(steps)),
            places=tuple(_place(step) for step in steps),
            applications=self._touched,
            parameters={"commit": self.commit.commit[:10]},
            score=0.9 if any(self._mentioned(step) for step in steps) else 0.75,
            rollback=said,
        )


def _same(effect: ObjectChange, other: ObjectChange) -> bool:
    """Whether one object of a shared text changes alike in two Applications."""
    return (effect.kind, effect.name, effect.path, effect.scope) == (other.kind, other.name, other.path, other.scope)


def _edits(steps: Sequence[Step]) -> Iterator[Edit]:
    """The edits that take the steps back, last first so that indexes hold; a renamed key is renamed back in place."""
    renamed = {
        id(half): added
        for added in steps if added.difference.op == "added" and not added.difference.item
        for half in steps if half.difference.op == "removed" and _halves(half, added)
    }  # fmt: skip
    for step in reversed(steps):
        if id(step) in renamed:
            continue
        removed = next((half for half in steps if renamed.get(id(half)) is step), None)
        yield (
            step.edit
            if removed is None
            else step.edit.model_copy(update={"op": "rename", "value": removed.difference.path[-1]})
        )


def _owner(document: Any, difference: Difference) -> str:
    above = get(document, difference.path[:-1])
    name = above.get("name") if isinstance(above, dict) and difference.path[-1] in ("value", "valueFrom") else None
    return name if isinstance(name, str) else ""


def _halves(step: Step, other: Step) -> bool:
    one, two = step.difference, other.difference
    same = (step.file, step.document, one.path[:-1]) == (other.file, other.document, two.path[:-1])
    return same and {one.op, two.op} == {"added", "removed"} and (one.old, one.new) == (two.new, two.old)


def _applications(case: RemedyContext) -> tuple[Application, ...]:
    found = dict.fromkeys(target.application for target in case.targets)
    named = case.repository.application(case.diagnosis.subject.application)
    return tuple(found) or ((named,) if named else ())


def _read(repository: Repository, file: str) -> bytes | None:
    try:
        return repository.read(file)
    except ConfigError:
        return None


def _also_then(one: Difference, was: Any, then: Any) -> bool:
    """Whether this commit made the difference that stands today (and not a later one on top of it)."""
    return any(
        other.op == one.op
        and other.label == one.label
        and other.path[:-1] == one.path[:-1]
        and other.new == one.new
        and other.old == one.old
        for other in differences(was, then)
    )


def _said(step: Step) -> str:
    verb = {"changed": "changed", "added": "added", "removed": "removed"}[step.difference.op]
    path = step.difference.path
    short = path[-3:] if len(path) > 2 and isinstance(path[-2], int) else path[-2:]
    name = step.difference.label if step.difference.item else format_path(short)
    values = f" from {step.difference.old} to {step.difference.new}" if step.difference.op == "changed" else ""
    return f"{name} was {verb}{values}"


def _place(step: Step) -> Place:
    one = step.difference
    return Place(
        file=step.file, document=step.document, path=one.path, value=one.new, exists=one.op != "removed",
        why="the commit changed it here, and taking it back changes just this field when rendered",
    )  # fmt: skip
