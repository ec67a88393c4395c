"""Something of ours that confirms a model's change: a broken relation that it ends, the history, or the platform's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediator.domain.change import Place
from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.gitops import ObjectChange, history
from remediator.judgement.contradictions import ended_contradiction
from remediator.judgement.model.facts import Fact, mentions
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.trial import TriedChange

_RECENT = 10
"""Commits of the incident's files among which the one must be that a change takes back."""


def confirmation(tried: TriedChange, cites: Sequence[str], scene: Scene) -> str:
    """Return what confirms the change, as a clause for people; empty where nothing does."""
    return _relation(tried, scene) or _platform(tried, cites, scene) or _history(tried, scene)


def _relation(tried: TriedChange, scene: Scene) -> str:
    """Return a contradiction that concerns what is meant, that the change touches, and that is gone after it."""
    meant = {(item.kind, item.name) for item in scene.objects}
    ended = ended_contradiction(scene.inquiry, tried.after, tried.differences, meant)
    return f"it ends a contradiction of the rendered objects ({ended.message})" if ended else ""


def _platform(tried: TriedChange, cites: Sequence[str], scene: Scene) -> str:
    """Return the fact in which the platform names each changed field and a value of it."""
    facts = [fact for name in cites if (fact := scene.facts.by_id.get(name)) and fact.platform]
    fields = [change for change in tried.differences if change.scope == "field" and not _is_derived(change)]
    naming = [next((fact for fact in facts if _names(fact, change)), None) for change in fields]
    if not fields or len(fields) != len(tried.differences) or not all(naming):
        return ""
    first = next(fact for fact in naming if fact)
    return f"the platform names the field and its value ({first.id})"


def _names(fact: Fact, change: ObjectChange) -> bool:
    words = list(_words(change.path))
    values = [
        str(side) for side in (change.before, change.after) if side is not MISSING and not isinstance(side, dict | list)
    ]
    text = f"{fact.about} {fact.text}"
    return (
        mentions(text, change.name)
        and bool(words)
        and any(mentions(text, word) for word in words[-2:])
        and any(mentions(text, value) for value in values)
    )


def _words(path: YamlPath) -> Iterator[str]:
    for step in path:
        if isinstance(step, str):
            yield step


def _is_derived(change: ObjectChange) -> bool:
    return any("checksum" in str(step).lower() for step in change.path)


def _history(tried: TriedChange, scene: Scene) -> str:
    """Return the recent commit whose values the change restores, every one of them."""
    meant = {(item.kind, item.name) for item in scene.objects}
    if meant and not meant & {(change.kind, change.name) for change in tried.differences}:
        return ""
    recent = history.commits_touching(scene.repository.root, scene.files(), limit=_RECENT).commits
    ids = {commit.commit: commit for commit in recent}
    restored = [_restores(edit_place, value, scene, set(ids)) for edit_place, value in _values(tried)]
    if not restored or not all(restored):
        return ""
    commit = ids[restored[0]]
    return f"it restores what stood before {commit.commit[:7]} of {commit.when[:10]}"


def _values(tried: TriedChange) -> Iterator[tuple[Place, object]]:
    for edit in tried.proposal.edits:
        value = MISSING if edit.op in ("delete", "remove") else edit.value
        yield Place(file=edit.file, document=edit.document, path=edit.path, inside=edit.inside), value


def _restores(place: Place, value: object, scene: Scene, recent: set[str]) -> str:
    """Return the id of the newest commit that changed a place, where the value is the one before it."""
    changes = history.changes(scene.repository.root, place, limit=1).changes
    if not changes or changes[0].commit not in recent:
        return ""
    return changes[0].commit if changes[0].old is value or changes[0].old == value else ""
