"""Take back the least of what a commit added: the one key by which a refused field changed, not the block round it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.errors import ConfigError
from remediator.gitops import ObjectChange
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.rollback.blame import NAME_THE_FIELD, on_field
from remediator.remedies.rollback.differences import Difference
from remediator.remedies.rollback.steps import RollbackStep
from remediator.yamledit import EditRefused

MOST_KEYS = 12
"""Keys of an added block that are tried; a larger block goes as a whole."""


def narrowed(case: RemedyContext, step: RollbackStep) -> RollbackStep:
    """Return the step for the one added key that changes the refused field and the least beside it, else the step itself."""
    fields = [piece.facts["field"] for piece in case.signals(*NAME_THE_FIELD) if piece.facts.get("field")]
    if step.difference.op != "added" or not fields:
        return step
    keys = list(_keys(step.difference.new, step.difference.path))
    if not 1 < len(keys) <= MOST_KEYS:
        return step
    whole = _effects(case, step)
    rated = []
    for path, value in keys:
        part = Difference("added", path, None, value, label=str(path[-1]))
        smaller = RollbackStep(step.file, step.document, part, part.revert(step.file, step.document), step.owner)
        effects = _effects(case, smaller)
        if any(on_field(effect.path, field) for effect in effects for field in fields):
            rated.append((len(effects), smaller))
    rated.sort(key=lambda pair: pair[0])
    is_least = rated and rated[0][0] < len(whole) and (len(rated) == 1 or rated[0][0] < rated[1][0])
    return rated[0][1] if is_least else step


def _effects(case: RemedyContext, step: RollbackStep) -> tuple[ObjectChange, ...]:
    try:
        after = case.repository.with_changes(changes([step.edit], case.repository.read))
    except (EditRefused, ConfigError):
        return ()
    return case.repository.difference(after)


def _keys(node: Any, path: YamlPath) -> Iterator[tuple[YamlPath, Any]]:
    """Yield every key of the mappings inside an added value whose own value is no mapping or list."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        if isinstance(value, dict | list):
            yield from _keys(value, (*path, key))
        elif isinstance(node, dict):
            yield (*path, key), value
