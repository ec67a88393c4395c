"""Gives statements that name no object the one workload that is failing.

People paste a log or the end of a describe below the list that shows what is wrong, and do not say again whose it is.
Where the platform's own statements show one workload in trouble and no other, it is that one's. A log is then still the
workload's own word, and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.text import contains_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remediator.evidence.draft import Draft

_WELL = frozenset(
    {"", "Running", "Completed", "Succeeded", "Terminated", "Active", "Bound", "Ready", "Healthy", "Synced"}
)
_OWNED = frozenset({"", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout"})
"""Kinds that run containers; empty where a pod's name does not tell what made it."""

_PROGRAM = 4
"""Least length of a part of a name that can be told from other words."""

_Workload = tuple[str, str, str]


def adopt(drafts: Sequence[Draft]) -> None:
    """Set the subject of nameless statements in place, where the others leave one choice."""
    nameless = [draft for draft in drafts if _is_nameless(draft)]
    if not nameless:
        return
    failing = _workloads(draft for draft in drafts if _complains(draft))
    if len(failing) == 1:
        _give(nameless, failing.pop(), drafts)
        return
    for place in dict.fromkeys((draft.source, draft.section) for draft in nameless):
        part = [draft for draft in nameless if (draft.source, draft.section) == place]
        if (only := _of_program(part, failing)) is not None:
            _give(part, only, drafts)


def _give(nameless: Sequence[Draft], workload: _Workload, drafts: Sequence[Draft]) -> None:
    """Set the workload as the subject of those that can be its own."""
    namespace, kind, name = workload
    others = {draft.name for draft in drafts if draft.name and draft.name != name}
    logs = {(draft.source, draft.section) for draft in nameless if draft.channel == "text" and draft.level}
    own = {(draft.source, draft.section) for draft in nameless if contains_word(draft.text, name)}
    for draft in nameless:
        if draft.namespace not in {"", namespace}:
            continue
        if (draft.source, draft.section) not in own and _names_any(draft.text, others):
            continue  # it may be the log of that other one
        if draft.channel == "text":
            if (draft.source, draft.section) not in logs:
                continue  # prose is about anything
            draft.channel = "log"
        draft.namespace, draft.kind, draft.name = namespace, kind, name


def _of_program(part: Sequence[Draft], failing: set[_Workload]) -> _Workload | None:
    """Return the failing workload of which alone a part of the name, such as `mysql`, is the program that the log names."""
    lines = [draft.text.lower() for draft in part if draft.level or draft.channel == "log"]
    parts = {
        workload: {word for word in workload[2].lower().split("-") if len(word) >= _PROGRAM} for workload in failing
    }
    named = [
        workload
        for workload, words in parts.items()
        if any(word in line for word in words - _shared(parts, workload) for line in lines)
    ]
    return named[0] if len(named) == 1 else None


def _shared(parts: Mapping[_Workload, set[str]], workload: _Workload) -> set[str]:
    return set().union(*(words for other, words in parts.items() if other != workload))


def _is_nameless(draft: Draft) -> bool:
    """Return True where a statement names nothing, or a container alone; what a person types is about anything."""
    if draft.application or draft.name or draft.pod or draft.node or draft.speaker == "person":
        return False
    return draft.channel in {"log", "text", "event", "status"}


def _complains(draft: Draft) -> bool:
    """Return True for the platform's word that this workload is not well."""
    if draft.kind not in _OWNED or not draft.name:
        return False
    if draft.channel == "event":
        return draft.level == "Warning"
    return draft.channel == "status" and is_unwell(draft.facts)


def is_unwell(facts: Mapping[str, str]) -> bool:
    """Return True where the facts of a status tell of a pod or workload that is not ready, or in a bad state."""
    ready, slash, wanted = facts.get("ready", "").partition("/")
    is_short = bool(slash) and ready != wanted and facts.get("status") not in {"Completed", "Succeeded"}
    return is_short or facts.get("status", "") not in _WELL


def _workloads(drafts: Iterable[Draft]) -> set[_Workload]:
    """Return the workloads; a kind or a namespace that one statement lacks is taken from another of the same name."""
    found = {(draft.namespace, draft.kind, draft.name) for draft in drafts}
    return {
        workload
        for workload in found
        if not any(
            other != workload
            and other[2] == workload[2]
            and workload[0] in {"", other[0]}
            and workload[1] in {"", "Pod", other[1]}
            for other in found
        )
    }


def _names_any(text: str, names: Iterable[str]) -> bool:
    return any(contains_word(text, name) for name in names)
