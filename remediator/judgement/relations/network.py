"""Relations between Services, the pods behind them, and those who route to them or call them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import declared_ports, items, labels_match, mapping, meant, only, spec
from remediator.judgement.world import Placed, World

_CALLS = ("network_error", "application_error", "crashloop", "probe_failure")
_NODE_PORTS = range(30000, 32768)
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?)?(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):(?P<port>\d{2,5})(?:[/?].*)?", re.IGNORECASE
)  # fmt: skip


def service_target_port_exists(world: World) -> Iterator[Broken]:
    """Yield Services that forward to a port which no container behind them declares."""
    for service in world.of_kind("Service"):
        pods = world.pods_of(mapping(spec(service).get("selector")), service)
        by_name, numbers = declared_ports(pods)
        if not pods or not numbers:
            continue
        for index, port in enumerate(items(spec(service).get("ports"))):
            target = port.get("targetPort", port.get("port"))
            number = int(str(target)) if str(target).isdigit() else None
            if target is None or str(target) in by_name or number in numbers:
                continue
            value: Any = only(numbers) if number is not None else meant(str(target), by_name)[0]
            yield Broken(
                relation="service_target_port_exists",
                at=service,
                path=("spec", "ports", index, "targetPort"),
                message=f"Service {service.name} forwards to port {target}, which no container behind it declares",
                value=value,
                causes=("network_error", "signal:no_endpoints", "application_error"),
                excludes=("probe_failure",) if number is not None else (),
                sufferers=pods,
                words=(service.name, str(target)),
                sure=0.9 if number is None else 0.7,
            )


def service_selects_pods(world: World) -> Iterator[Broken]:
    """Yield Services whose selector no pod of the namespace carries, where one workload misses it by one label."""
    for service in world.of_kind("Service"):
        selector = mapping(spec(service).get("selector"))
        if not selector or world.pods_of(selector, service) or not world.is_complete(service.namespace):
            continue
        near = [item for item in world.of_kind(*_WORKLOADS, near=service) if item.pod_labels]
        slips = [
            (item, wrong[0])
            for item in near
            if len(wrong := [key for key, value in selector.items() if item.pod_labels.get(str(key)) != str(value)]) == 1
            and str(wrong[0]) in item.pod_labels
            and (len(selector) > 1 or item.name == service.name or meant(str(selector[wrong[0]]), [item.pod_labels[str(wrong[0])]])[1] > 0.5)
        ]  # fmt: skip
        if len(slips) != 1:
            continue
        workload, key = slips[0]
        yield Broken(
            relation="service_selects_pods",
            at=service,
            path=("spec", "selector", key),
            message=f"Service {service.name} selects {key}={selector[key]}, which no pod carries; those of {workload.name} carry {workload.pod_labels[str(key)]}",
            value=workload.pod_labels[str(key)],
            causes=("network_error", "signal:no_endpoints", "application_error"),
            sufferers=(workload,),
            words=(service.name, str(selector[key])),
            sure=0.9,
        )


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout", "ReplicaSet", "Pod")


def ingress_backend_exists(world: World) -> Iterator[Broken]:
    """Yield Ingress backends that name a Service or a port of it which does not exist."""
    for ingress in world.of_kind("Ingress"):
        for path, backend in _backends(ingress):
            service = mapping(backend.get("service"))
            yield from _service_and_port(
                world, ingress, (*path, "service", "name"), str(service.get("name", "")),
                (*path, "service", "port"), mapping(service.get("port")), "ingress_backend_exists",
            )  # fmt: skip


def _backends(ingress: Placed) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    if default := mapping(spec(ingress).get("defaultBackend")):
        yield ("spec", "defaultBackend"), default
    for index, rule in enumerate(items(spec(ingress).get("rules"))):
        for number, route in enumerate(items(mapping(rule.get("http")).get("paths"))):
            if backend := mapping(route.get("backend")):
                yield ("spec", "rules", index, "http", "paths", number, "backend"), backend


def _service_and_port(
    world: World,
    holder: Placed,
    name_path: YamlPath,
    name: str,
    port_path: YamlPath,
    port: dict[str, Any],
    relation: str,
) -> Iterator[Broken]:
    services = world.of_kind("Service", near=holder)
    service = world.named("Service", name, holder)
    if service is None:
        value, sure = meant(name, [item.name for item in services])
        if name and world.is_complete(holder.namespace):
            yield Broken(
                relation=relation, at=holder, path=name_path, value=value, sure=sure, causes=("network_error", "sync_error"),
                message=f"{holder.kind} {holder.name} sends requests to Service {name}, which does not exist in {holder.namespace}",
                words=(name,),
            )  # fmt: skip
        return
    numbers = [item.get("port") for item in items(spec(service).get("ports"))]
    names = [str(item["name"]) for item in items(spec(service).get("ports")) if item.get("name")]
    if (number := port.get("number")) is not None and number not in numbers:
        wrong, key, value, sure = number, "number", only(numbers), 0.9
    elif (label := port.get("name")) is not None and label not in names:
        wrong, key, (value, sure) = label, "name", meant(str(label), names)
    else:
        return
    yield Broken(
        relation=relation, at=holder, path=(*port_path, key), value=value, sure=sure, causes=("network_error",),
        message=f"{holder.kind} {holder.name} sends requests to port {wrong} of Service {name}, which has {', '.join(map(str, numbers or names))}",
        sufferers=(service,), words=(name, str(wrong)),
    )  # fmt: skip


def route_backend_exists(world: World) -> Iterator[Broken]:
    """Yield Gateway API routes whose backend Service, or port of it, does not exist."""
    for route in world.of_kind("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"):
        for index, rule in enumerate(items(spec(route).get("rules"))):
            for number, backend in enumerate(items(rule.get("backendRefs"))):
                if backend.get("kind", "Service") != "Service" or backend.get("namespace") not in (
                    None,
                    route.namespace,
                ):
                    continue
                path = ("spec", "rules", index, "backendRefs", number)
                service = world.named("Service", str(backend.get("name", "")), route)
                ports = [item.get("port") for item in items(spec(service).get("ports"))] if service else []
                if service is not None and backend.get("port") in (None, *ports):
                    continue
                if service is not None:
                    value, sure, field_path = only(ports), 0.9, (*path, "port")
                    message = f"{route.kind} {route.name} sends requests to port {backend.get('port')} of Service {service.name}, which has {', '.join(map(str, ports))}"
                else:
                    value, sure = meant(
                        str(backend.get("name", "")), [item.name for item in world.of_kind("Service", near=route)]
                    )
                    field_path = (*path, "name")
                    message = f"{route.kind} {route.name} sends requests to Service {backend.get('name')}, which does not exist in {route.namespace}"
                    if not world.is_complete(route.namespace):
                        continue
                yield Broken(
                    relation="route_backend_exists", at=route, path=field_path, value=value, sure=sure, message=message,
                    causes=("network_error", "sync_error"), words=(str(backend.get("name", "")), str(backend.get("port", ""))),
                )  # fmt: skip


def node_port_in_range(world: World) -> Iterator[Broken]:
    """Yield nodePorts outside the default range of the API server; dropping the number lets it choose one."""
    for service in world.of_kind("Service"):
        for index, port in enumerate(items(spec(service).get("ports"))):
            number = port.get("nodePort")
            if isinstance(number, int) and number not in _NODE_PORTS:
                yield Broken(
                    relation="node_port_in_range", at=service, path=("spec", "ports", index, "nodePort"), value=MISSING,
                    message=f"nodePort {number} of Service {service.name} is outside 30000-32767", sure=0.5,
                    causes=("sync_error",), words=(str(number),),
                )  # fmt: skip


def node_ports_are_distinct(world: World) -> Iterator[Broken]:
    """Yield Services of one cluster that claim the same nodePort."""
    claims: dict[tuple[str, int, str], Placed] = {}
    for service in world.of_kind("Service"):
        for index, port in enumerate(items(spec(service).get("ports"))):
            number = port.get("nodePort")
            if not isinstance(number, int) or not number:
                continue
            first = claims.setdefault((service.cluster, number, str(port.get("protocol", "TCP"))), service)
            if first is not service and (first.namespace, first.name) != (service.namespace, service.name):
                yield Broken(
                    relation="node_ports_are_distinct", at=service, path=("spec", "ports", index, "nodePort"), value=MISSING,
                    message=f"Services {first.name} and {service.name} both claim nodePort {number}", sure=0.4,
                    causes=("sync_error",), sufferers=(service, first), words=(str(number),),
                )  # fmt: skip


def host_ports_are_distinct(world: World) -> Iterator[Broken]:
    """Yield workloads of one cluster whose pods claim the same host port, each as the one that gives it up.

    A DaemonSet is on its nodes for that port, so another workload yields to it.
    """
    claims: dict[tuple[str, int, str], list[tuple[Placed, YamlPath]]] = {}
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            for index, port in enumerate(items(container.get("ports"))):
                number = port.get("hostPort")
                if isinstance(number, int) and number:
                    claim = (workload.cluster, number, str(port.get("protocol", "TCP")))
                    claims.setdefault(claim, []).append((workload, (*path, "ports", index, "hostPort")))
    for (_, number, _), holders in claims.items():
        others = [(item, path) for item, path in holders if item.kind != "DaemonSet"] or holders
        for workload, path in others:
            rival = next((item for item, _ in holders if _identity(item) != _identity(workload)), None)
            if rival is not None:
                yield Broken(
                    relation="host_ports_are_distinct", at=workload, path=path, value=MISSING,
                    message=f"{workload.name} and {rival.name} both claim host port {number}",
                    sure=0.8 if rival.kind == "DaemonSet" else 0.5,
                    causes=("scheduling_failure", "signal:no_free_port"), sufferers=(workload,), words=(str(number), workload.name),
                )  # fmt: skip


def _identity(item: Placed) -> tuple[str, str, str]:
    return item.kind, item.namespace, item.name


def called_services(world: World) -> Iterator[tuple[Placed, Placed, tuple[YamlPath, dict[str, Any], re.Match[str]]]]:
    """Yield each Service of the world that a container's environment names: caller, Service, and where it stands."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            for index, variable in enumerate(items(container.get("env"))):
                value = variable.get("value")
                address = _ADDRESS.fullmatch(value.strip()) if isinstance(value, str) else None
                service = _service_of(world, workload, address["host"]) if address else None
                if address is not None and service is not None:
                    yield workload, service, ((*path, "env", index, "value"), variable, address)


def called_service_port_exists(world: World) -> Iterator[Broken]:
    """Yield addresses in a container's environment whose host is a Service here, and whose port it does not have."""
    for workload, service, (path, variable, address) in called_services(world):
        ports = [port.get("port") for port in items(spec(service).get("ports"))]
        if not ports or int(address["port"]) in ports:
            continue
        right = only(ports)
        address_text = f"{address['host']}:{address['port']}"
        yield Broken(
            relation="called_service_port_exists", at=workload, path=path,
            value=str(variable["value"]).replace(f":{address['port']}", f":{right}", 1) if right else None,
            message=f"{workload.name} calls {address_text} by {variable.get('name')}, and Service {service.name} has {', '.join(map(str, ports))}",
            causes=_CALLS, sufferers=(workload, service), words=(address_text, address["host"], str(variable.get("name"))), sure=0.9,
        )  # fmt: skip


def called_service_exists(world: World) -> Iterator[Broken]:
    """Yield addresses in a container's environment whose host is a slip of one Service's name and nobody else's."""
    for workload in world.workloads:
        if not world.is_complete(workload.namespace):
            continue
        names = [item.name for item in world.of_kind("Service", near=workload)]
        for container, path, _ in workload.containers():
            for index, variable in enumerate(items(container.get("env"))):
                value = variable.get("value")
                address = _ADDRESS.fullmatch(value.strip()) if isinstance(value, str) else None
                host = address["host"] if address else ""
                if not address or not isinstance(value, str) or "." in host or host in (*names, "localhost"):
                    continue
                right, sure = meant(host, names)
                if right is None or sure < 0.5:
                    continue
                yield Broken(
                    relation="called_service_exists", at=workload, path=(*path, "env", index, "value"),
                    value=value.replace(host, right, 1), sure=sure, causes=_CALLS, sufferers=(workload,), words=(host,),
                    message=f"{workload.name} calls {host} by {variable.get('name')}, and no such Service exists in {workload.namespace}; there is {right}",
                )  # fmt: skip


def _service_of(world: World, caller: Placed, host: str) -> Placed | None:
    """Return the Service that a host name means: `name`, `name.namespace`, `name.namespace.svc…`."""
    name, _, qualifier = host.partition(".")
    namespace, _, suffix = qualifier.partition(".")
    if suffix and not suffix.startswith("svc"):
        return None
    space = namespace or caller.namespace
    return next(
        (
            item
            for item in world.of_kind("Service")
            if (item.name, item.namespace, item.cluster) == (name, space, caller.cluster)
        ),
        None,
    )


def monitored_port_exists(world: World) -> Iterator[Broken]:
    """Yield ServiceMonitors that scrape a port name which no Service they select has."""
    for monitor in world.of_kind("ServiceMonitor"):
        selector = mapping(mapping(spec(monitor).get("selector")).get("matchLabels"))
        services = [
            service
            for service in world.of_kind("Service", near=monitor)
            if selector and labels_match(selector, mapping(mapping(service.body.get("metadata")).get("labels")))
        ]
        names = [
            str(port["name"]) for service in services for port in items(spec(service).get("ports")) if port.get("name")
        ]
        for index, endpoint in enumerate(items(spec(monitor).get("endpoints"))):
            port = endpoint.get("port")
            if services and port is not None and str(port) not in names:
                value, sure = meant(str(port), names)
                yield Broken(
                    relation="monitored_port_exists", at=monitor, path=("spec", "endpoints", index, "port"), value=value, sure=sure,
                    message=f"ServiceMonitor {monitor.name} scrapes port {port}, which no Service that it selects has",
                    causes=("network_error",), sufferers=tuple(services), words=(monitor.name, str(port)),
                )  # fmt: skip


def called_service_has_pods(world: World) -> Iterator[Broken]:
    """Yield workloads that are scaled to zero while a Service that others call or route to selects their pods."""
    scaled = {
        (mapping(spec(item).get("scaleTargetRef")).get("name"), item.namespace)
        for item in world.of_kind("HorizontalPodAutoscaler", "ScaledObject")
    }
    for workload in world.of_kind("Deployment", "StatefulSet", "Rollout"):
        if spec(workload).get("replicas") != 0 or (workload.name, workload.namespace) in scaled:
            continue
        services = [
            service
            for service in world.of_kind("Service", near=workload)
            if (selector := mapping(spec(service).get("selector"))) and labels_match(selector, workload.pod_labels)
        ]
        for service in services:
            yield Broken(
                relation="called_service_has_pods", at=workload, path=("spec", "replicas"), value=1, sure=0.4,
                message=f"Service {service.name} has no pods, since {workload.kind} {workload.name} is scaled to 0",
                causes=("network_error", "signal:no_endpoints", "application_error"), sufferers=(workload, service), words=(service.name, workload.name),
            )  # fmt: skip
