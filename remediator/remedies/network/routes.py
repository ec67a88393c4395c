"""Routes that name a Service or a port which is not there."""

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
    """Point a route at the Service that was meant, where the one it names is nowhere."""
    said = case.signals(*case.action.ends)
    for backend in all_backends(case):
        evidence = _about(backend, said)
        if not evidence:
            continue
        present = _services_of(case, backend)
        if backend.service in present or not present:
            continue
        new = _service_meant(case, backend, present)
        kind, name = backend.manifest.kind, backend.manifest.name
        yield Fix(
            title=f"point {kind} `{name}` at Service `{new}`" if new else f"restore the backend of {kind} `{name}`",
            reason=f"Service `{backend.service}` is nowhere in `{backend.namespace}`; there {_list(sorted(present))}.",
            evidence=case.cite(*evidence),
            wants=(Want(backend.application, backend.manifest, backend.name_path, new or backend.service),),
            parameters={"kind": kind, "route": name, "from": backend.service, "to": new},
            score=0.8 if new else 0.0,
            accepts=one_of(present),
        )


def _list(names: Sequence[str]) -> str:
    return f"are {', '.join(names[:8])}" if len(names) > 1 else f"is {names[0]}" if names else "is none"


def _about(backend: Backend, said: Sequence[Evidence]) -> list[Evidence]:
    """The evidence that names this route's Service, or the route itself as the object complained about."""
    found = []
    for one in said:
        missing = one.facts.get("field_serviceName") or one.facts.get("service") or ""
        space, _, name = missing.rpartition("/")
        space = space or one.facts.get("field_namespace", "")
        named = name == backend.service or (name in ("", "port") and contains_word(one.text, backend.service, _JOINERS))
        here = space in ("", backend.namespace)
        route = one.facts.get("field_ingress", "")
        if named and here and route in ("", backend.manifest.name):
            found.append(one)
    return found


def _services_of(case: RemedyContext, backend: Backend) -> set[str]:
    """Services that the namespace has: of the repository, and those that the input shows."""
    declared = {
        manifest.name
        for _, manifest in neighbours(case, backend.application, backend.namespace)
        if manifest.kind == "Service"
    }
    seen = {
        one.subject.name
        for one in case.statements
        if one.subject.kind == "Service" and one.channel == "status" and one.subject.namespace == backend.namespace
    }
    return declared | seen - {backend.service}


def _service_meant(case: RemedyContext, backend: Backend, present: set[str]) -> str:
    if new := surely_meant(backend.service, present):
        return new
    used = {other.service for other in all_backends(case) if other.namespace == backend.namespace}
    own = {m.name for m in case.repository.objects(backend.application) if m.kind == "Service"} & present
    free = own - used
    return next(iter(free)) if len(own) == len(free) == 1 else ""


def fix_service_port(case: RemedyContext) -> Iterator[Fix]:
    """Bring the port of a Service and that by which it is asked into step, on the side that is alone with its view."""
    for server in faulty_services(case):
        if not server.ports or server.spec.get("type") == "ExternalName":
            continue
        routed = [
            one
            for one in all_backends(case)
            if one.service == server.manifest.name and one.namespace == server.namespace and one.port is not None
        ]
        strangers = [one for one in routed if not _offers(server, one.port) and one.manifest.kind != "Route"]
        if strangers and case.signals("service_port_not_found"):
            yield from _port_of_service(case, server, strangers, agreeing=len(routed) - len(strangers))
            for one in strangers:
                yield from _port_of_route(case, server, one)
        elif case.signals("connection_refused", "connection_timeout"):
            yield from _port_by_clients(case, server)


def _offers(server: FaultyService, port: Any) -> bool:
    return any(str(port) in (str(one.get("port")), str(one.get("name"))) for one in server.ports)


def _port_of_service(
    case: RemedyContext, server: FaultyService, strangers: list[Backend], *, agreeing: int
) -> Iterator[Fix]:
    """The Service's side: its port, or its port's name, as all its routes have it."""
    asked = {str(one.port) for one in strangers}
    if len(asked) != 1:
        return
    wanted = strangers[0].port
    numeric = str(wanted).isdigit()
    index = _which(server, wanted)
    if index is None:
        return
    key = "port" if numeric else "name"
    present = server.ports[index].get(key)
    listens = {
        str(item["containerPort"])
        for _, item, _ in container_ports(selected_pods(server, pods_in_namespace(case, server)))
    }
    alone = agreeing == 0 and (len(strangers) > 1 or str(wanted) in listens)
    sure = alone or (
        not numeric
        and present is not None
        and is_typo(str(present), str(wanted))
        and agreeing == 0
        and len(strangers) > 1
    )
    name = server.manifest.name
    yield Fix(
        title=f"let Service `{name}` offer port {wanted}",
        reason=f"`{name}` offers {present}, but {strangers[0].manifest.kind} `{strangers[0].manifest.name}` asks for {wanted}.",
        evidence=case.cite(*server.evidence),
        wants=(Want(server.application, server.manifest, ("spec", "ports", index, key), wanted),),
        parameters={"service": name, "from": str(present), "to": str(wanted)},
        score=0.6 if sure else 0.0,
        accepts=lambda old: str(old) == str(wanted),
    )


def _which(server: FaultyService, wanted: Any) -> int | None:
    """The Service port that was meant: the only one, or the one whose name or number is a slip away."""
    if len(server.ports) == 1:
        return 0
    near = [
        index
        for index, port in enumerate(server.ports)
        if is_typo(str(wanted), str(port.get("port" if str(wanted).isdigit() else "name", "")))
    ]
    return near[0] if len(near) == 1 else None


def _port_of_route(case: RemedyContext, server: FaultyService, backend: Backend) -> Iterator[Fix]:
    """The route's side: the port that the Service offers."""
    kind, name, present = backend.manifest.kind, backend.manifest.name, backend.port
    numeric = str(present).isdigit()
    offered = [str(port.get("port" if numeric else "name", "")) for port in server.ports]
    new: Any = nearest(str(present), [one for one in offered if one]) or (offered[0] if len(offered) == 1 else "")
    wants: tuple[Want, ...]
    if not numeric and not new and len(server.ports) == 1 and backend.numbered:
        wants = (
            Want(backend.application, backend.manifest, backend.port_path, MISSING),
            Want(backend.application, backend.manifest, backend.numbered, server.ports[0].get("port")),
        )
        new = str(server.ports[0].get("port"))
    else:
        value = int(new) if numeric and new else new
        wants = (Want(backend.application, backend.manifest, backend.port_path, value or present),)
    yield Fix(
        title=f"let {kind} `{name}` ask Service `{server.manifest.name}` for port {new}",
        reason=f"{kind} `{name}` asks for port {present}; Service `{server.manifest.name}` offers {', '.join(filter(None, offered)) or new}.",
        evidence=case.cite(*server.evidence),
        wants=wants,
        parameters={"route": name, "from": str(present), "to": str(new)},
        score=0.55 if new else 0.0,
        accepts=one_of(offered) if len(wants) == 1 else None,
    )


def _port_by_clients(case: RemedyContext, server: FaultyService) -> Iterator[Fix]:
    """Clients ask for a port that the Service does not offer: its own, where the pods listen on just that one."""
    asked = {port for port in server.client_ports if not _offers(server, port)}
    if len(asked) != 1 or len(server.ports) != 1 or any(_offers(server, port) for port in server.client_ports):
        return
    wanted, present = next(iter(asked)), server.ports[0].get("port")
    listens = {
        str(item["containerPort"])
        for _, item, _ in container_ports(selected_pods(server, pods_in_namespace(case, server)))
    }
    name = server.manifest.name
    others = _references_to(case, name, str(present))
    certain = wanted in listens and str(present) not in listens and not others
    yield Fix(
        title=f"let Service `{name}` offer port {wanted}",
        reason=f"clients ask `{name}` for port {wanted}, it offers {present}; its pods listen on {', '.join(sorted(listens)) or 'nothing declared'}.",
        evidence=case.cite(*server.evidence),
        wants=(Want(server.application, server.manifest, ("spec", "ports", 0, "port"), int(wanted)),),
        parameters={"service": name, "from": str(present), "to": wanted},
        score=0.55 if certain else 0.0,
        accepts=lambda old: str(old) == wanted,
    )


def _references_to(case: RemedyContext, service: str, port: str) -> bool:
    """Whether any workload of the repository is told to use the Service at that port."""
    needle = f"{service}:{port}"
    return any(
        needle in str(item.get("value", ""))
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        for body, _, _ in manifest.containers()
        for item in dicts(body.get("env"))
    )
