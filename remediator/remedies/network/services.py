"""Services that find no pods, or find them on the wrong port."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.path_spelling import is_slip
from remediator.remedies.engine.spelling import is_typo, nearest, one_of
from remediator.remedies.views.service_view import (
    FaultyService,
    WorkloadPods,
    container_ports,
    faulty_services,
    has_endpoints,
    listening_ports,
    live_pods,
    parse_labels,
    pods_in_namespace,
    selected_pods,
    selects,
    statements_about,
)

_SELECTOR: YamlPath = ("spec", "selector")


def fix_service_selector(case: RemedyContext) -> Iterator[Fix]:
    """Let a Service select the pods that were surely meant; the history is asked first."""
    for server in faulty_services(case):
        if not server.selects or not _selector_as_seen(case, server) or has_endpoints(case, server):
            continue
        pods = pods_in_namespace(case, server)
        if selected_pods(server, pods) or any(
            selects(server.selector, labels) for _, labels in live_pods(case, server.namespace)
        ):
            continue
        yield from _selected_again(case, server, pods, sure=_shown_without(case, server))
        yield from _labels_restored(case, server, pods)


def _selector_as_seen(case: RemedyContext, server: FaultyService) -> bool:
    """False where the input shows another selector than the repository: it was changed since."""
    seen = [parse_labels(one.facts["selector"]) for one in statements_about(case, server) if one.facts.get("selector")]
    return not seen or any(one == server.selector for one in seen)


def _shown_without(case: RemedyContext, server: FaultyService) -> bool:
    """Whether the input shows that nothing is behind the Service; pods of other tools than these may be, otherwise."""
    told = any(one.reason == "NoEndpoints" for one in statements_about(case, server)) or any(
        one.signal == "no_endpoints" for one in server.evidence
    )
    return told or bool(live_pods(case, server.namespace))


def _selected_again(
    case: RemedyContext, server: FaultyService, pods: list[WorkloadPods], *, sure: bool
) -> Iterator[Fix]:
    name, selector = server.manifest.name, server.selector
    meant = _meant(server, pods)
    for key in selector:
        change = meant[1][key] if meant and key in meant[1] and not _renamed_key(meant[1], selector) else None
        new = MISSING if change is None else change
        yield Fix(
            title=f"let Service `{name}` select {_told(key, new)}"
            if meant
            else f"restore selector of Service `{name}`",
            reason=_why(server, key, new, meant[0] if meant else None),
            evidence=case.cite(*server.evidence),
            wants=(Want(server.application, server.manifest, (*_SELECTOR, key), new),),
            parameters={"service": name, "key": key, "from": selector[key], "to": "" if new is MISSING else str(new)},
            score=0.75 if change is not None and sure else 0.0,
            accepts=_would_select(selector, key, pods),
        )
    if meant and sure and (moved := _renamed_key(meant[1], selector)):
        yield Fix(
            title=f"let Service `{name}` select {moved[1]}={selector[moved[0]]}",
            reason=_why(server, moved[1], selector[moved[0]], meant[0]),
            evidence=case.cite(*server.evidence),
            wants=(
                Want(server.application, server.manifest, (*_SELECTOR, moved[0]), MISSING),
                Want(server.application, server.manifest, (*_SELECTOR, moved[1]), selector[moved[0]]),
            ),
            parameters={"service": name, "from": moved[0], "to": moved[1]},
            score=0.7,
        )


def _told(key: str, value: Any) -> str:
    return f"pods whatever their {key}" if value is MISSING else f"{key}={value}"


def _why(server: FaultyService, key: str, new: Any, target: WorkloadPods | None) -> str:
    present = f"no pod of the namespace has {', '.join(f'{k}={v}' for k, v in server.selector.items())}"
    if target is None:
        return f"{present}."
    kind, name = target.manifest.kind, target.manifest.name
    return (
        f"{present}; the pods of {kind} `{name}` {'have no label ' + key if new is MISSING else f'have {key}={new}'}."
    )


def _meant(server: FaultyService, pods: list[WorkloadPods]) -> tuple[WorkloadPods, dict[str, Any]] | None:
    """The one workload whose pods were meant and what must change in the selector for it.

    The change maps a key to its right value; a key that maps to MISSING goes. Two workloads that would do equally
    well are none.
    """
    ranked: list[tuple[int, WorkloadPods, dict[str, Any]]] = []
    for one in pods:
        change = _difference(server.selector, one.labels)
        if change is None:
            continue
        if rank := _rank(server, change):
            ranked.append((rank, one, change))
    if not ranked:
        return None
    best = max(rank for rank, _, _ in ranked)
    top = [(one, change) for rank, one, change in ranked if rank == best]
    if len({(one.manifest.kind, one.manifest.name) for one, _ in top}) > 1:
        return None
    return top[0]


def _difference(selector: dict[str, str], labels: Any) -> dict[str, Any] | None:
    """The one key that must change; a misspelt key maps to MISSING beside the right one."""
    wrong = [key for key, value in selector.items() if labels.get(key) != value]
    if len(wrong) != 1:
        return None
    key = wrong[0]
    if key in labels:
        return {key: labels[key]}
    right = nearest(key, [other for other, value in labels.items() if value == selector[key] and other not in selector])
    return {key: MISSING, right: selector[key]} if right else {key: MISSING}


def _rank(server: FaultyService, change: dict[str, Any]) -> int:
    """How sure it is that these pods were meant: 3 by spelling, 2 by name, 1 by the other labels, 0 not at all."""
    key = next(iter(change))
    if len(change) == 2:
        return 3
    new, old = change[key], server.selector[key]
    others = len(server.selector) > 1
    if new is MISSING:
        return 1 if others else 0
    if is_slip(old, str(new)):
        return 3
    if str(new) in (server.manifest.name, re.sub(r"-(?:service|svc)$", "", server.manifest.name)):
        return 2
    return 1 if others else 0


def _renamed_key(change: dict[str, Any], selector: dict[str, str]) -> tuple[str, str] | None:
    old = next((key for key, value in change.items() if value is MISSING), "")
    new = next((key for key in change if key not in selector), "")
    return (old, new) if old and new else None


def _would_select(selector: dict[str, str], key: str, pods: list[WorkloadPods]) -> Callable[[Any], bool]:
    def accepts(old: Any) -> bool:
        rest = {k: v for k, v in selector.items() if k != key}
        wanted = rest if old is MISSING else {**rest, key: str(old)}
        return any(selects(wanted, one.labels) for one in pods)

    return accepts


def _labels_restored(case: RemedyContext, server: FaultyService, pods: list[WorkloadPods]) -> Iterator[Fix]:
    """Where the pods' label was changed instead: back to what the Service selects, if the history has it."""
    for one in pods:
        change = _difference(server.selector, one.labels)
        key = next(iter(change)) if change and len(change) == 1 else ""
        if not key or key not in one.labels:
            continue
        yield Fix(
            title=f"restore label {key} of the pods of `{one.manifest.name}`",
            reason=f"Service `{server.manifest.name}` selects {key}={server.selector[key]}.",
            evidence=case.cite(*server.evidence),
            wants=(Want(one.application, one.manifest, (*one.path, key), server.selector[key]),),
            parameters={"workload": one.manifest.name, "key": key},
            score=0.0,
            accepts=one_of([server.selector[key]]),
        )


def fix_target_port(case: RemedyContext) -> Iterator[Fix]:
    """Point a Service at the port on which its pods listen."""
    for server in faulty_services(case):
        pods = selected_pods(server, pods_in_namespace(case, server))
        if not pods or server.headless:
            continue
        for index, port in enumerate(server.ports):
            if server.client_ports and len(server.ports) > 1 and str(port.get("port")) not in server.client_ports:
                continue
            if _target_as_seen(case, server, port):
                yield from _target_corrected(case, server, pods, index, port)


def _target(port: dict[str, Any]) -> Any:
    return port.get("targetPort") if port.get("targetPort") not in (None, "") else port.get("port")


def _target_as_seen(case: RemedyContext, server: FaultyService, port: dict[str, Any]) -> bool:
    """False where the input shows other target ports, or endpoints on other ports, than the repository has."""
    wanted = str(_target(port))
    seen = [
        text
        for one in statements_about(case, server)
        if (text := one.facts.get("targetport") or one.facts.get("target_port"))
    ]
    if seen:
        return any(wanted == part.strip().partition("/")[0] for text in seen for part in text.split(","))
    ends = [text for one in statements_about(case, server) if (text := one.facts.get("endpoints", "")) and ":" in text]
    if ends and wanted.isdigit():
        return any(part.strip().rpartition(":")[2].split()[0] == wanted for text in ends for part in text.split(","))
    return True


def _target_corrected(
    case: RemedyContext, server: FaultyService, pods: list[WorkloadPods], index: int, port: dict[str, Any]
) -> Iterator[Fix]:
    target, declared = _target(port), container_ports(pods)
    numbers = {int(item["containerPort"]) for _, item, _ in declared if str(item["containerPort"]).isdigit()}
    names = {str(item["name"]) for _, item, _ in declared if item.get("name")}
    heard = listening_ports(case, pods)
    named = not str(target).isdigit()
    if named and str(target) in names:
        yield from _container_port_corrected(case, server, pods, str(target), heard)
        return
    if not named and (int(target) in heard or (int(target) in numbers and not heard) or not (numbers or heard)):
        return
    new = (
        _named_port(str(target), port, declared, names)
        if named
        else _numbered_port(int(target), port, server, numbers, heard)
    )
    name = server.manifest.name
    what = "no container port has that name" if named else "the pods do not listen there"
    yield Fix(
        title=f"point Service `{name}` at port {new} of its pods" if new else f"restore targetPort of Service `{name}`",
        reason=f"Service `{name}` sends to {target}, and {what}; they offer {_list(numbers | heard, names)}.",
        evidence=case.cite(*server.evidence),
        wants=(Want(server.application, server.manifest, ("spec", "ports", index, "targetPort"), new or target),),
        parameters={"service": name, "from": str(target), "to": str(new)},
        score=0.75 if new and (named or _answers(case, server, pods)) else 0.0,
        accepts=lambda old: (
            old is not MISSING and (str(old) in names or (str(old).isdigit() and int(old) in numbers | heard))
        ),
    )


def _answers(case: RemedyContext, server: FaultyService, pods: list[WorkloadPods]) -> bool:
    """Whether the input shows that the pods are up: only then does a refusal speak against the port."""
    names = {one.manifest.name for one in pods}
    ready = [
        one for one in case.statements if one.subject.pod and one.subject.name in names and one.channel == "status"
    ]
    up = any(
        re.fullmatch(r"(\d+)/\1", one.facts.get("ready", "")) or one.facts.get("ready", "").lower() == "true"
        for one in ready
    )
    return up or has_endpoints(case, server) or bool(listening_ports(case, pods))


def _list(numbers: set[int], names: set[str]) -> str:
    return ", ".join([*map(str, sorted(numbers)), *sorted(names)]) or "none"


def _named_port(
    target: str, port: dict[str, Any], declared: list[tuple[WorkloadPods, dict[str, Any], YamlPath]], names: set[str]
) -> Any:
    """The port meant by a name that no container has: a near name, the Service port's own number, the only port."""
    if near := nearest(target, names):
        return near
    same = [item for _, item, _ in declared if str(item["containerPort"]) == str(port.get("port"))]
    only = {str(item["containerPort"]) for _, item, _ in declared}
    item = same[0] if same else declared[0][1] if len(only) == 1 else {}
    return item.get("name") or item.get("containerPort") or ""


def _numbered_port(target: int, port: dict[str, Any], server: FaultyService, numbers: set[int], heard: set[int]) -> Any:
    """The port meant by a number on which nothing listens: what the log says, the Service's own port, the only one left."""
    if heard:
        return next(iter(heard)) if len(heard) == 1 else 0
    if port.get("port") in numbers and port.get("targetPort") is not None:
        return port["port"]
    taken = {_target(other) for other in server.ports if other is not port}
    left = numbers - {int(item) for item in taken if str(item).isdigit()}
    if len(left) == 1:
        return next(iter(left))
    near = [number for number in left if is_typo(str(target), str(number)) and len(str(number)) > 3]
    return near[0] if len(near) == 1 else 0


def _container_port_corrected(
    case: RemedyContext, server: FaultyService, pods: list[WorkloadPods], name: str, heard: set[int]
) -> Iterator[Fix]:
    """Where the Service names a container port whose number is not the one that the program listens on."""
    for one, item, path in container_ports(pods):
        present = item["containerPort"]
        if str(item.get("name")) != name or not heard or not str(present).isdigit() or int(present) in heard:
            continue
        new = next(iter(heard)) if len(heard) == 1 else 0
        yield Fix(
            title=f"correct container port `{name}` of `{one.manifest.name}` to {new}"
            if new
            else f"restore container port `{name}`",
            reason=f"Service `{server.manifest.name}` reaches the pods by `{name}`, declared as {present}; they listen on {_list(heard, set())}.",
            evidence=case.cite(*server.evidence),
            wants=(Want(one.application, one.manifest, (*path, "containerPort"), new or present),),
            parameters={"port": name, "from": str(present), "to": str(new)},
            score=0.7 if new else 0.0,
            accepts=lambda old: str(old).isdigit() and int(old) in heard,
        )
