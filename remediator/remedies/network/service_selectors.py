"""Selectors of Services that select no pods.

The input can show a selector that differs from the repository; then the repository was changed since, and no fix is
proposed. A selector is corrected only where exactly one workload fits best.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.path_spelling import is_slip
from remediator.remedies.engine.spelling import nearest, one_of
from remediator.remedies.views.service_view import (
    FaultyService,
    WorkloadPods,
    faulty_services,
    has_endpoints,
    live_pods,
    parse_labels,
    pods_in_namespace,
    selected_pods,
    selects,
    statements_about,
)

_SELECTOR: YamlPath = ("spec", "selector")


def fix_service_selector(case: RemedyContext) -> Iterator[Fix]:
    """Let a Service select the intended pods; an older value from the history is preferred."""
    for server in faulty_services(case):
        if not server.selects or not _selector_is_current(case, server) or has_endpoints(case, server):
            continue
        pods = pods_in_namespace(case, server)
        if selected_pods(server, pods) or any(
            selects(server.selector, labels) for _, labels in live_pods(case, server.namespace)
        ):
            continue
        yield from _selector_fixes(case, server, pods, sure=_shown_without_pods(case, server))
        yield from _label_fixes(case, server, pods)


def _selector_is_current(case: RemedyContext, server: FaultyService) -> bool:
    """Return False where the input shows another selector than the repository: it was changed since."""
    selectors = [
        parse_labels(piece.facts["selector"]) for piece in statements_about(case, server) if piece.facts.get("selector")
    ]
    return not selectors or any(selector == server.selector for selector in selectors)


def _shown_without_pods(case: RemedyContext, server: FaultyService) -> bool:
    """Return True where the input shows that the Service has no pods; pods from outside of this repository would show."""
    reported = any(piece.reason == "NoEndpoints" for piece in statements_about(case, server)) or any(
        piece.signal == "no_endpoints" for piece in server.evidence
    )
    return reported or bool(live_pods(case, server.namespace))


def _selector_fixes(
    case: RemedyContext, server: FaultyService, pods: list[WorkloadPods], *, sure: bool
) -> Iterator[Fix]:
    name, selector = server.manifest.name, server.selector
    intended = _intended_workload(server, pods)
    for key in selector:
        change = (
            intended[1][key] if intended and key in intended[1] and not _renamed_key(intended[1], selector) else None
        )
        new = MISSING if change is None else change
        yield Fix(
            title=f"let Service `{name}` select {_selection(key, new)}"
            if intended
            else f"restore selector of Service `{name}`",
            reason=_selector_reason(server, key, new, intended[0] if intended else None),
            evidence=case.cite(*server.evidence),
            wants=(Want.of(server, (*_SELECTOR, key), new),),
            parameters={"service": name, "key": key, "from": selector[key], "to": "" if new is MISSING else str(new)},
            score=0.75 if change is not None and sure else 0.0,
            accepts=_accepts_selecting(selector, key, pods),
        )
    if intended and sure and (moved := _renamed_key(intended[1], selector)):
        yield Fix(
            title=f"let Service `{name}` select {moved[1]}={selector[moved[0]]}",
            reason=_selector_reason(server, moved[1], selector[moved[0]], intended[0]),
            evidence=case.cite(*server.evidence),
            wants=(
                Want.of(server, (*_SELECTOR, moved[0]), MISSING),
                Want.of(server, (*_SELECTOR, moved[1]), selector[moved[0]]),
            ),
            parameters={"service": name, "from": moved[0], "to": moved[1]},
            score=0.7,
        )


def _selection(key: str, value: Any) -> str:
    return f"pods with any {key}" if value is MISSING else f"{key}={value}"


def _selector_reason(server: FaultyService, key: str, new: Any, target: WorkloadPods | None) -> str:
    problem = f"no pod of the namespace has {', '.join(f'{k}={v}' for k, v in server.selector.items())}"
    if target is None:
        return f"{problem}."
    kind, name = target.manifest.kind, target.manifest.name
    return (
        f"{problem}; the pods of {kind} `{name}` {'have no label ' + key if new is MISSING else f'have {key}={new}'}."
    )


def _intended_workload(server: FaultyService, pods: list[WorkloadPods]) -> tuple[WorkloadPods, dict[str, Any]] | None:
    """Return the only workload that fits best, and the change of the selector that it needs.

    The change maps a key to its right value; a key that maps to MISSING is removed. Two workloads that fit equally
    well give None.
    """
    ranked: list[tuple[int, WorkloadPods, dict[str, Any]]] = []
    for workload in pods:
        change = _selector_change(server.selector, workload.labels)
        if change is None:
            continue
        if rank := _rank(server, change):
            ranked.append((rank, workload, change))
    if not ranked:
        return None
    best = max(rank for rank, _, _ in ranked)
    top = [(workload, change) for rank, workload, change in ranked if rank == best]
    if len({(workload.manifest.kind, workload.manifest.name) for workload, _ in top}) > 1:
        return None
    return top[0]


def _selector_change(selector: dict[str, str], labels: Any) -> dict[str, Any] | None:
    """Return the only key that must change; a misspelt key maps to MISSING, next to the right key."""
    wrong = [key for key, value in selector.items() if labels.get(key) != value]
    if len(wrong) != 1:
        return None
    key = wrong[0]
    if key in labels:
        return {key: labels[key]}
    right = nearest(key, [label for label, value in labels.items() if value == selector[key] and label not in selector])
    return {key: MISSING, right: selector[key]} if right else {key: MISSING}


def _rank(server: FaultyService, change: dict[str, Any]) -> int:
    """Return the certainty of a change: 3 by spelling, 2 by name, 1 by the other labels, 0 for none."""
    key = next(iter(change))
    if len(change) == 2:
        return 3
    new, old = change[key], server.selector[key]
    has_other_labels = len(server.selector) > 1
    if new is MISSING:
        return 1 if has_other_labels else 0
    if is_slip(old, str(new)):
        return 3
    if str(new) in (server.manifest.name, re.sub(r"-(?:service|svc)$", "", server.manifest.name)):
        return 2
    return 1 if has_other_labels else 0


def _renamed_key(change: dict[str, Any], selector: dict[str, str]) -> tuple[str, str] | None:
    old = next((key for key, value in change.items() if value is MISSING), "")
    new = next((key for key in change if key not in selector), "")
    return (old, new) if old and new else None


def _accepts_selecting(selector: dict[str, str], key: str, pods: list[WorkloadPods]) -> Callable[[Any], bool]:
    def accepts(old: Any) -> bool:
        unchanged = {k: v for k, v in selector.items() if k != key}
        changed = unchanged if old is MISSING else {**unchanged, key: str(old)}
        return any(selects(changed, workload.labels) for workload in pods)

    return accepts


def _label_fixes(case: RemedyContext, server: FaultyService, pods: list[WorkloadPods]) -> Iterator[Fix]:
    """Restore the label that the Service selects, where the pods' label was changed instead of the selector."""
    for workload in pods:
        change = _selector_change(server.selector, workload.labels)
        key = next(iter(change)) if change and len(change) == 1 else ""
        if not key or key not in workload.labels:
            continue
        yield Fix(
            title=f"restore label {key} of the pods of `{workload.manifest.name}`",
            reason=f"Service `{server.manifest.name}` selects {key}={server.selector[key]}.",
            evidence=case.cite(*server.evidence),
            wants=(Want.of(workload, (*workload.path, key), server.selector[key]),),
            parameters={"workload": workload.manifest.name, "key": key},
            score=0.0,
            accepts=one_of([server.selector[key]]),
        )
