"""Target ports of Services that send to a port on which their pods do not listen.

The input can show target ports or endpoints that differ from the repository; then the repository was changed since, and
no fix is proposed. Where the pods' log names a port, it ranks above the ports that the containers declare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo, nearest
from remediator.remedies.views.open_ports import intended_port
from remediator.remedies.views.service_view import (
    FaultyService,
    WorkloadPods,
    container_ports,
    faulty_services,
    has_endpoints,
    listening_ports,
    pods_in_namespace,
    selected_pods,
    statements_about,
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
            if _target_port_is_current(case, server, port):
                yield from _target_port_fixes(case, server, pods, index, port)


def _target_port(port: dict[str, Any]) -> Any:
    return port.get("targetPort") if port.get("targetPort") not in (None, "") else port.get("port")


def _target_port_is_current(case: RemedyContext, server: FaultyService, port: dict[str, Any]) -> bool:
    """Return False where the input shows other target ports, or endpoints on other ports, than the repository."""
    target = str(_target_port(port))
    targets = [
        text
        for piece in statements_about(case, server)
        if (text := piece.facts.get("targetport") or piece.facts.get("target_port"))
    ]
    if targets:
        return any(target == part.strip().partition("/")[0] for text in targets for part in text.split(","))
    endpoints = [
        text for piece in statements_about(case, server) if (text := piece.facts.get("endpoints", "")) and ":" in text
    ]
    if endpoints and target.isdigit():
        return any(
            part.strip().rpartition(":")[2].split()[0] == target for text in endpoints for part in text.split(",")
        )
    return True


def _target_port_fixes(
    case: RemedyContext, server: FaultyService, pods: list[WorkloadPods], index: int, port: dict[str, Any]
) -> Iterator[Fix]:
    target, declared = _target_port(port), container_ports(pods)
    numbers = {int(item["containerPort"]) for _, item, _ in declared if str(item["containerPort"]).isdigit()}
    names = {str(item["name"]) for _, item, _ in declared if item.get("name")}
    listened = listening_ports(case, pods)
    by_name = not str(target).isdigit()
    if by_name and str(target) in names:
        yield from _container_port_fixes(case, server, pods, str(target), listened)
        return
    if not by_name and (
        int(target) in listened or (int(target) in numbers and not listened) or not (numbers or listened)
    ):
        return
    new = (
        _intended_named_port(str(target), port, declared, names)
        if by_name
        else _intended_number(int(target), port, server, numbers, listened)
    )
    name = server.manifest.name
    problem = "no container port has that name" if by_name else "the pods do not listen there"
    yield Fix(
        title=f"point Service `{name}` at port {new} of its pods" if new else f"restore targetPort of Service `{name}`",
        reason=f"Service `{name}` sends to {target}, and {problem}; they offer {_listing(numbers | listened, names)}.",
        evidence=case.cite(*server.evidence),
        wants=(Want.of(server, ("spec", "ports", index, "targetPort"), new or target),),
        parameters={"service": name, "from": str(target), "to": str(new)},
        score=0.75 if new and (by_name or _pods_answer(case, server, pods)) else 0.0,
        accepts=lambda old: (
            old is not MISSING and (str(old) in names or (str(old).isdigit() and int(old) in numbers | listened))
        ),
    )


def _pods_answer(case: RemedyContext, server: FaultyService, pods: list[WorkloadPods]) -> bool:
    """Return True where the input shows that the pods run: only then does a refused connection mean a wrong port."""
    names = {workload.manifest.name for workload in pods}
    ready = [
        statement
        for statement in case.statements
        if statement.subject.pod and statement.subject.name in names and statement.channel == "status"
    ]
    up = any(
        re.fullmatch(r"(\d+)/\1", statement.facts.get("ready", ""))
        or statement.facts.get("ready", "").lower() == "true"
        for statement in ready
    )
    return up or has_endpoints(case, server) or bool(listening_ports(case, pods))


def _listing(numbers: set[int], names: set[str]) -> str:
    return ", ".join([*map(str, sorted(numbers)), *sorted(names)]) or "none"


def _intended_named_port(
    target: str, port: dict[str, Any], declared: list[tuple[WorkloadPods, dict[str, Any], YamlPath]], names: set[str]
) -> Any:
    """Return the port for a name that no container port has: a similar name, the Service's own number, or the only port."""
    if near := nearest(target, names):
        return near
    same_number = [item for _, item, _ in declared if str(item["containerPort"]) == str(port.get("port"))]
    only = {str(item["containerPort"]) for _, item, _ in declared}
    item = same_number[0] if same_number else declared[0][1] if len(only) == 1 else {}
    return item.get("name") or item.get("containerPort") or ""


def _intended_number(
    target: int, port: dict[str, Any], server: FaultyService, numbers: set[int], listened: set[int]
) -> Any:
    """Return the port for a number on which nothing listens: that of the log, the Service's own port, or the only free one."""
    if listened:
        return intended_port(target, listened, numbers) or 0
    if port.get("port") in numbers and port.get("targetPort") is not None:
        return port["port"]
    used_targets = {_target_port(other_port) for other_port in server.ports if other_port is not port}
    free = numbers - {int(item) for item in used_targets if str(item).isdigit()}
    if len(free) == 1:
        return next(iter(free))
    near = [number for number in free if is_typo(str(target), str(number)) and len(str(number)) > 3]
    return near[0] if len(near) == 1 else 0


def _container_port_fixes(
    case: RemedyContext, server: FaultyService, pods: list[WorkloadPods], name: str, listened: set[int]
) -> Iterator[Fix]:
    """Correct the number of a named container port to the one that the program listens on."""
    for workload, item, path in container_ports(pods):
        current = item["containerPort"]
        if str(item.get("name")) != name or not listened or not str(current).isdigit() or int(current) in listened:
            continue
        new = next(iter(listened)) if len(listened) == 1 else 0
        yield Fix(
            title=f"correct container port `{name}` of `{workload.manifest.name}` to {new}"
            if new
            else f"restore container port `{name}`",
            reason=f"Service `{server.manifest.name}` reaches the pods by `{name}`, declared as {current}; they listen on {_listing(listened, set())}.",
            evidence=case.cite(*server.evidence),
            wants=(Want.of(workload, (*path, "containerPort"), new or current),),
            parameters={"port": name, "from": str(current), "to": str(new)},
            score=0.7 if new else 0.0,
            accepts=lambda old: str(old).isdigit() and int(old) in listened,
        )
