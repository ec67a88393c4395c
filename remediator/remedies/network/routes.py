"""Routes that name a Service or a port that does not exist.

A port can be wrong in the route or in the Service. Both changes are proposed; that of the Service ranks first
where no route uses the port that it offers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import MISSING
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.path_spelling import surely_meant
from remediator.remedies.engine.spelling import is_typo, nearest, one_of
from remediator.remedies.network.backends import Backend, all_backends, dicts
from remediator.remedies.views.service_view import (
    FaultyService,
    container_ports,
    faulty_services,
    neighbours,
    pods_in_namespace,
    selected_pods,
)

_JOINERS = "-"
"""An underscore is none: ingress controllers join namespace, Service and port with it (`shop_web_80`)."""


def fix_ingress_backend(case: RemedyContext) -> Iterator[Fix]:
    """Point a route at the intended Service where the named one does not exist."""
    complaints = case.signals(*case.action.ends)
    for backend in all_backends(case):
        evidence = _evidence_about(backend, complaints)
        if not evidence:
            continue
        services = _services_of(case, backend)
        if backend.service in services or not services:
            continue
        new = _intended_service(case, backend, services)
        kind, name = backend.manifest.kind, backend.manifest.name
        yield Fix(
            title=f"point {kind} `{name}` at Service `{new}`" if new else f"restore the backend of {kind} `{name}`",
            reason=f"Service `{backend.service}` does not exist in `{backend.namespace}`; there {_listing(sorted(services))}.",
            evidence=case.cite(*evidence),
            wants=(Want.of(backend, backend.name_path, new or backend.service),),
            parameters={"kind": kind, "route": name, "from": backend.service, "to": new},
            score=0.8 if new else 0.0,
            accepts=one_of(services),
        )


def _listing(names: Sequence[str]) -> str:
    return f"are {', '.join(names[:8])}" if len(names) > 1 else f"is {names[0]}" if names else "is none"


def _evidence_about(backend: Backend, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the evidence that names this route's Service, or the route itself as the faulty object."""
    matching = []
    for piece in evidence:
        missing = piece.facts.get("field_serviceName") or piece.facts.get("service") or ""
        space, _, name = missing.rpartition("/")
        space = space or piece.facts.get("field_namespace", "")
        names_service = name == backend.service or (
            name in ("", "port") and contains_word(piece.text, backend.service, _JOINERS)
        )
        in_namespace = space in ("", backend.namespace)
        route = piece.facts.get("field_ingress", "")
        if names_service and in_namespace and route in ("", backend.manifest.name):
            matching.append(piece)
    return matching


def _services_of(case: RemedyContext, backend: Backend) -> set[str]:
    """Return the Services of the namespace: those of the repository and those that the input shows."""
    declared = {
        manifest.name
        for _, manifest in neighbours(case, backend.application, backend.namespace)
        if manifest.kind == "Service"
    }
    reported = {
        statement.subject.name
        for statement in case.statements
        if statement.subject.kind == "Service"
        and statement.channel == "status"
        and statement.subject.namespace == backend.namespace
    }
    return declared | reported - {backend.service}


def _intended_service(case: RemedyContext, backend: Backend, services: set[str]) -> str:
    if new := surely_meant(backend.service, services):
        return new
    used = {route.service for route in all_backends(case) if route.namespace == backend.namespace}
    own_services = {m.name for m in case.repository.objects(backend.application) if m.kind == "Service"} & services
    free = own_services - used
    return next(iter(free)) if len(own_services) == len(free) == 1 else ""


def fix_service_port(case: RemedyContext) -> Iterator[Fix]:
    """Make the port of a Service and the port that its callers use equal, by changing the side that disagrees with the rest."""
    for server in faulty_services(case):
        if not server.ports or server.spec.get("type") == "ExternalName":
            continue
        routed = [
            backend
            for backend in all_backends(case)
            if backend.service == server.manifest.name
            and backend.namespace == server.namespace
            and backend.port is not None
        ]
        mismatched = [
            backend for backend in routed if not _offers(server, backend.port) and backend.manifest.kind != "Route"
        ]
        if mismatched and case.signals("service_port_not_found"):
            yield from _service_port_fix(case, server, mismatched, agreeing=len(routed) - len(mismatched))
            for backend in mismatched:
                yield from _route_port_fix(case, server, backend)
        elif case.signals("connection_refused", "connection_timeout"):
            yield from _client_port_fix(case, server)


def _offers(server: FaultyService, port: Any) -> bool:
    return any(str(port) in (str(item.get("port")), str(item.get("name"))) for item in server.ports)


def _service_port_fix(
    case: RemedyContext, server: FaultyService, mismatched: list[Backend], *, agreeing: int
) -> Iterator[Fix]:
    """Change the Service: give it the port, or the port's name, that all its routes use."""
    requested = {str(backend.port) for backend in mismatched}
    if len(requested) != 1:
        return
    port = mismatched[0].port
    numeric = str(port).isdigit()
    index = _port_index(server, port)
    if index is None:
        return
    key = "port" if numeric else "name"
    current = server.ports[index].get(key)
    container_numbers = _container_numbers(case, server)
    unanimous = agreeing == 0 and (len(mismatched) > 1 or str(port) in container_numbers)
    sure = unanimous or (
        not numeric
        and current is not None
        and is_typo(str(current), str(port))
        and agreeing == 0
        and len(mismatched) > 1
    )
    name = server.manifest.name
    yield Fix(
        title=f"let Service `{name}` offer port {port}",
        reason=f"`{name}` offers {current}, but {mismatched[0].manifest.kind} `{mismatched[0].manifest.name}` asks for {port}.",
        evidence=case.cite(*server.evidence),
        wants=(Want.of(server, ("spec", "ports", index, key), port),),
        parameters={"service": name, "from": str(current), "to": str(port)},
        score=0.6 if sure else 0.0,
        accepts=lambda old: str(old) == str(port),
    )


def _container_numbers(case: RemedyContext, server: FaultyService) -> set[str]:
    """Return the declared container ports of the pods that the Service selects."""
    pods = selected_pods(server, pods_in_namespace(case, server))
    return {str(item["containerPort"]) for _, item, _ in container_ports(pods)}


def _port_index(server: FaultyService, requested: Any) -> int | None:
    """Return the index of the intended Service port: the only one, or the one whose name or number is a slip away."""
    if len(server.ports) == 1:
        return 0
    near = [
        index
        for index, port in enumerate(server.ports)
        if is_typo(str(requested), str(port.get("port" if str(requested).isdigit() else "name", "")))
    ]
    return near[0] if len(near) == 1 else None


def _route_port_fix(case: RemedyContext, server: FaultyService, backend: Backend) -> Iterator[Fix]:
    """Change the route: use the port that the Service offers."""
    kind, name, current = backend.manifest.kind, backend.manifest.name, backend.port
    numeric = str(current).isdigit()
    offered = [str(port.get("port" if numeric else "name", "")) for port in server.ports]
    new: Any = nearest(str(current), [port_name for port_name in offered if port_name]) or (
        offered[0] if len(offered) == 1 else ""
    )
    wants: tuple[Want, ...]
    if not numeric and not new and len(server.ports) == 1 and backend.number_path:
        wants = (
            Want.of(backend, backend.port_path, MISSING),
            Want.of(backend, backend.number_path, server.ports[0].get("port")),
        )
        new = str(server.ports[0].get("port"))
    else:
        value = int(new) if numeric and new else new
        wants = (Want.of(backend, backend.port_path, value or current),)
    yield Fix(
        title=f"let {kind} `{name}` ask Service `{server.manifest.name}` for port {new}",
        reason=f"{kind} `{name}` asks for port {current}; Service `{server.manifest.name}` offers {', '.join(filter(None, offered)) or new}.",
        evidence=case.cite(*server.evidence),
        wants=wants,
        parameters={"route": name, "from": str(current), "to": str(new)},
        score=0.55 if new else 0.0,
        accepts=one_of(offered) if len(wants) == 1 else None,
    )


def _client_port_fix(case: RemedyContext, server: FaultyService) -> Iterator[Fix]:
    """Change the Service to the port that its clients use, where its pods listen on just that one."""
    requested = {port for port in server.client_ports if not _offers(server, port)}
    if len(requested) != 1 or len(server.ports) != 1 or any(_offers(server, port) for port in server.client_ports):
        return
    number, current = next(iter(requested)), server.ports[0].get("port")
    container_numbers = _container_numbers(case, server)
    name = server.manifest.name
    in_use = _is_called_at(case, name, str(current))
    certain = number in container_numbers and str(current) not in container_numbers and not in_use
    yield Fix(
        title=f"let Service `{name}` offer port {number}",
        reason=f"clients ask `{name}` for port {number}, it offers {current}; its pods listen on {', '.join(sorted(container_numbers)) or 'nothing declared'}.",
        evidence=case.cite(*server.evidence),
        wants=(Want.of(server, ("spec", "ports", 0, "port"), int(number)),),
        parameters={"service": name, "from": str(current), "to": number},
        score=0.55 if certain else 0.0,
        accepts=lambda old: str(old) == number,
    )


def _is_called_at(case: RemedyContext, service: str, port: str) -> bool:
    """Return True where an environment variable of any workload names the Service with that port."""
    needle = f"{service}:{port}"
    return any(
        needle in str(item.get("value", ""))
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        for body, _, _ in manifest.containers()
        for item in dicts(body.get("env"))
    )
