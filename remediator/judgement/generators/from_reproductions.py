"""Hypotheses from failures that show here too: each recent change, and each slip of a key, is tried against the failure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import YamlPath, format_path, get
from remediator.errors import ConfigError
from remediator.gitops import Application, Repository, history
from remediator.gitops.committed_values import successor
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.reproduction import Reproduction, reproductions
from remediator.policy.leaves import documents
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix
from remediator.remedies.rollback.commit_steps import current_steps, read_or_none, texts_of
from remediator.remedies.rollback.steps import RollbackStep, description, place_of, revert_edits
from remediator.yamledit import EditRefused

COMMITS = 12
_PATCHED = re.compile(r"\b([A-Z]\w+)\.[\w.-]+?/([a-z0-9][a-z0-9.-]*?)\.\[?no[A-Z]\w*")
"""Kind and name of the object that a patch of kustomize does not find: `Deployment.v1.apps/web.[noNs]`."""
_NIL = re.compile(r"nil pointer evaluating|<nil>|can't evaluate field|wrong type for value|index of (?:nil|untyped)")
_WORD = 4
"""Shorter words stand in too many places to tell that something was moved."""
RENDERS = 24
"""Changes that are tried for one failure."""
_MISSING_KEY = re.compile(
    r"no entry for key ['\"]?([\w.-]+)|missing (?:required )?(?:key|property|field):? ['\"]?([\w-]+)|['\"]?([\w-]+)['\"]? is required"
    r"|nil pointer evaluating \S*?\.([\w-]+)\b|missing propert(?:y|ies):? ['\"]?([\w-]+)"
)


def from_reproductions(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield the smallest change of a recent commit, or the one renamed key, that makes a failure of rendering go away."""
    for failure in reproductions(inquiry.diagnosis, inquiry.repository, inquiry.applications):
        attempts = (_renamed_keys, _renamed_targets, _emptied_keys, _taken_back)
        hypotheses = next((found for attempt in attempts if (found := list(attempt(inquiry, failure)))), [])
        yield from hypotheses if len(hypotheses) == 1 else ()


def _taken_back(inquiry: Inquiry, failure: Reproduction) -> Iterator[Hypothesis]:
    """Yield what must be taken back of the newest commit that brought the failure: one step, or all in one file."""
    repository, budget = inquiry.repository, RENDERS
    commits = history.commits_touching(
        repository.root, failure.files, until=inquiry.diagnosis.first_seen, limit=COMMITS
    )
    for commit in commits.commits:
        for file, pair in texts_of(repository, commit).items():
            steps = list(current_steps(repository, file, *pair)) if file in failure.files else []
            if len(steps) >= budget:
                return
            budget -= len(steps) + 1
            if working := _attempts_that_help(failure, steps):
                yield from (_undone(inquiry, failure, attempt, after, commit) for attempt, after in working)
                return


def _attempts_that_help(
    failure: Reproduction, steps: list[RollbackStep]
) -> list[tuple[list[RollbackStep], Repository]]:
    """Return the single steps after which it renders again, else all steps together where those help.

    What the commit moved elsewhere goes back with the place that it left: half of a move would lose it.
    """
    singles = [[other for other in steps if other is step or _is_moved(step, other)] for step in steps]
    unique = [group for index, group in enumerate(singles) if group not in singles[:index]]
    for attempts in (unique, [steps] if len(steps) > 1 else []):
        helping = [(attempt, after) for attempt in attempts if (after := _after(failure, tuple(revert_edits(attempt))))]
        if helping:
            return helping
    return []


def _is_moved(step: RollbackStep, other: RollbackStep) -> bool:
    """Return True where one step removed what the other added: both hold the same name or file."""
    first, second = step.difference, other.difference
    if {first.op, second.op} != {"added", "removed"}:
        return False
    return bool({word for word in first.words if len(word) > _WORD} & set(second.words))


def _undone(
    inquiry: Inquiry, failure: Reproduction, steps: list[RollbackStep], after: Repository, commit: history.Commit
) -> Hypothesis:
    changed = ", ".join(map(description, steps))
    summary = f"{changed} by {commit.commit[:7]} ({commit.subject!r}, {commit.when[:10]})"
    fix = Fix(
        title=f"roll back {changed.split(' was ')[0]} of {commit.commit[:7]}",
        reason=f"{summary}. The failure shows when the repository is rendered, and it goes away with this change alone.",
        evidence=inquiry.citing(),
        edits=tuple(revert_edits(steps)),
        places=tuple(place_of(step) for step in steps),
        applications=_applications(inquiry, failure, after, {step.file for step in steps}),
        parameters={"commit": commit.commit[:10]},
        score=0.9,
        rollback=summary,
        relation="reproduced",
    )
    return _hypothesis("roll_back", summary, fix)


def _renamed_keys(inquiry: Inquiry, failure: Reproduction) -> Iterator[Hypothesis]:
    """Yield the mapping that has a slip of the missing key, where the right name makes the failure go away."""
    keys = {group for match in _MISSING_KEY.finditer(failure.message) for group in match.groups() if group}
    for key in sorted(keys):
        for file, document, path in islice(_slips(inquiry, failure, key), RENDERS):
            edit = Edit(op="rename", file=file, document=document, path=path, value=key)
            after = _after(failure, (edit,))
            if after is None:
                continue
            old = str(path[-1])
            place = Place(
                file=file, document=document, path=path, value=old, why="with this key the repository renders again"
            )
            cause = f"{file} has {format_path(path)}, and {key} is asked for"
            fix = Fix(
                title=f"rename {old} to {key}",
                reason=f"{cause}. The failure shows when the repository is rendered, and it goes away with this change alone.",
                evidence=inquiry.citing((key,)),
                edits=(edit,),
                places=(place,),
                applications=_applications(inquiry, failure, after, {file}),
                parameters={"from": old, "to": key},
                score=0.9,
                relation="reproduced",
            )
            yield _hypothesis("mend_relation", cause, fix)


def _renamed_targets(inquiry: Inquiry, failure: Reproduction) -> Iterator[Hypothesis]:
    """Yield the patches that name an object by the name it had before a commit renamed it, where the new one renders."""
    told = " ".join((failure.message, *(piece.text for piece in inquiry.diagnosis.evidence)))
    for kind, name in dict.fromkeys(_PATCHED.findall(told)):
        places = list(_patches_of(inquiry, failure, kind, name))
        new, commit = successor(inquiry.repository.root, name, _Anything())
        edits = tuple(Edit(op="set", file=file, document=at, path=path, value=new) for file, at, path in places)
        if commit is None or not edits or (after := _after(failure, edits)) is None:
            continue
        cause = f"{kind} {name} is called {new} since {commit.commit[:7]} ({commit.subject!r}), and a patch still names {name}"
        fix = Fix(
            title=f"patch {kind} {new} instead of {name}",
            reason=f"{cause}. The failure shows when the repository is rendered, and it goes away with this change alone.",
            evidence=inquiry.citing((name,)),
            edits=edits,
            places=tuple(
                Place(file=file, document=at, path=path, value=name, why="with this name the repository renders again")
                for file, at, path in places
            ),
            applications=_applications(inquiry, failure, after, {file for file, _, _ in places}),
            parameters={"from": name, "to": new},
            score=0.9,
            relation="reproduced",
        )
        yield _hypothesis("mend_relation", cause, fix)


class _Anything:
    """Contains every name: which objects there are is shown by rendering."""

    def __contains__(self, name: object) -> bool:
        return bool(name)


def _patches_of(inquiry: Inquiry, failure: Reproduction, kind: str, name: str) -> Iterator[tuple[str, int, YamlPath]]:
    """Yield file, document and path of each name that selects the object: a patch's own, or the target of one."""
    for file in failure.files:
        for index, document in enumerate(documents(read_or_none(inquiry.repository, file)) or ()):
            for path, mapping in _mappings(document):
                metadata = mapping.get("metadata")
                if (
                    not path
                    and mapping.get("kind") == kind
                    and isinstance(metadata, dict)
                    and metadata.get("name") == name
                ):
                    yield file, index, ("metadata", "name")
                if path[-1:] == ("target",) and mapping.get("name") == name and mapping.get("kind", kind) == kind:
                    yield file, index, (*path, "name")


def _emptied_keys(inquiry: Inquiry, failure: Reproduction) -> Iterator[Hypothesis]:
    """Yield the key without a value in a values file, where an empty mapping keeps the chart's defaults and renders.

    A null in a later values file deletes the default of its key: https://helm.sh/docs/chart_template_guide/values_files/.
    """
    if _NIL.search(failure.message) is None or failure.application is None:
        return
    for file in failure.files:
        for index, document in enumerate(documents(read_or_none(inquiry.repository, file)) or ()):
            empty = [
                (*path, key) for path, mapping in _mappings(document) for key, value in mapping.items() if value is None
            ]
            for path in empty[:RENDERS]:
                edit = Edit(op="set", file=file, document=index, path=path, value={})
                after = _after(failure, (edit,))
                if after is None:
                    continue
                cause = f"{file} has {format_path(path)} without a value, which takes the chart's defaults away"
                fix = Fix(
                    title=f"keep the chart's defaults of {format_path(path)}",
                    reason=f"{cause}. The failure shows when the repository is rendered, and it goes away with this change alone.",
                    evidence=inquiry.citing(),
                    edits=(edit,),
                    places=(
                        Place(
                            file=file,
                            document=index,
                            path=path,
                            value=None,
                            why="with a mapping here the repository renders again",
                        ),
                    ),
                    applications=_applications(inquiry, failure, after, {file}),
                    parameters={"key": format_path(path)},
                    score=0.9,
                    relation="reproduced",
                )
                yield _hypothesis("mend_relation", cause, fix)


def _slips(inquiry: Inquiry, failure: Reproduction, key: str) -> Iterator[tuple[str, int, YamlPath]]:
    """Yield file, document and path of each key that is nearly the missing one, in a mapping that lacks it."""
    for file in failure.files:
        for index, document in enumerate(documents(read_or_none(inquiry.repository, file)) or ()):
            for path, mapping in _mappings(document):
                near = [name for name in mapping if _is_slip(str(name), key)] or _odd_keys(
                    inquiry, failure, file, path, key
                )
                if key not in mapping and len(near) == 1:
                    yield file, index, (*path, near[0])


def _odd_keys(inquiry: Inquiry, failure: Reproduction, file: str, path: YamlPath, key: str) -> list[str]:
    """Return the keys that this file alone has at a path, where all files of its kind beside it have the missing one."""
    folder, _, base = file.rpartition("/")
    above = folder.rpartition("/")[0]
    if not path or failure.application is not None:
        return []
    own: set[str] = set()
    others: list[set[str]] = []
    for name in failure.files:
        if name.rpartition("/")[2] != base or name.rpartition("/")[0].rpartition("/")[0] != above:
            continue
        found = get((documents(read_or_none(inquiry.repository, name)) or [None])[0], path)
        if isinstance(found, dict):
            keys = {str(step) for step in found}
            own, others = (keys, others) if name == file else (own, [*others, keys])
    return sorted(own - set().union(*others)) if others and all(key in keys for keys in others) else []


def _mappings(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, dict[Any, Any]]]:
    if isinstance(node, dict):
        yield path, node
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from _mappings(value, (*path, key))


def _is_slip(name: str, key: str) -> bool:
    """Return True where a name differs from a key by a letter or two, or by its case alone."""
    if name == key:
        return False
    return name.lower() == key.lower() or (
        len(key) > 3 and abs(len(name) - len(key)) <= 2 and SequenceMatcher(None, name, key).ratio() >= 0.85
    )


def _after(failure: Reproduction, edits: tuple[Edit, ...]) -> Repository | None:
    """Return the repository with the edits where they make the failure go away; None where they do not."""
    try:
        files = changes(edits, failure.repository.read)
    except (EditRefused, ConfigError):
        return None
    after = failure.repository.with_changes(files)
    return after if failure.is_gone(after) else None


def _applications(
    inquiry: Inquiry, failure: Reproduction, after: Repository, files: set[str]
) -> tuple[Application, ...]:
    """Return the Applications that the change may alter: the failing one, those of the failing generator, all readers."""
    readers = [app for file in files for app in inquiry.repository.feeds.readers(file)]
    generated = [
        app
        for checkout in (inquiry.repository, after)
        for app in checkout.applications
        if app.file == failure.problem.file
    ]
    own = [failure.application] if failure.application is not None else generated
    return tuple({app.name: app for app in (*own, *readers)}.values())


def _hypothesis(action: str, cause: str, fix: Fix) -> Hypothesis:
    return Hypothesis(
        generator="changes" if action == "roll_back" else "relations",
        rule="reproduced failure",
        action=action,
        cause=cause,
        fix=fix,
        features={"reproduced": 1.0, "value_sure": 1.0},
    )
