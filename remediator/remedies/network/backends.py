"""Backends of routes: Ingresses, Gateway API routes and similar objects, read into one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import RemedyContext

_GATEWAY = frozenset({"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"})


@dataclass(frozen=True)
class Backend:
    """A reference of a route to a Service and its port."""

    application: Application
    manifest: Manifest
    service: str
    namespace: str
    name_path: YamlPath
    port: Any
    """A number, a name, or None where the route names none."""
    port_path: YamlPath
    number_path: YamlPath = ()
    """The path for a port number, if it differs from the path for a port name."""


def backends(application: Application, manifest: Manifest) -> Iterator[Backend]:
    """Yield every Service that an object routes to, for each kind of route."""
    spec = manifest.body.get("spec")
    namespace = manifest.namespace_in(application)
    if not isinstance(spec, dict):
        return
    for path, reference in _service_references(manifest.kind, spec):
        yield Backend(
            application,
            manifest,
            reference.service,
            reference.namespace or namespace,
            (*path, *reference.name),
            reference.port,
            (*path, *reference.port_path),
            (*path, *reference.number_path),
        )


@dataclass(frozen=True)
class _ServiceReference:
    service: str
    name: YamlPath
    port: Any
    port_path: YamlPath
    namespace: str = ""
    number_path: YamlPath = ()


def _service_references(kind: str, spec: dict[str, Any]) -> Iterator[tuple[YamlPath, _ServiceReference]]:
    if kind == "Ingress":
        yield from _ingress(spec)
    elif kind in _GATEWAY:
        for i, rule in enumerate(dicts(spec.get("rules"))):
            yield from _plain_references(rule.get("backendRefs"), ("spec", "rules", i, "backendRefs"))
    elif kind in ("IngressRoute", "HTTPProxy"):
        for i, route in enumerate(dicts(spec.get("routes"))):
            yield from _plain_references(route.get("services"), ("spec", "routes", i, "services"))
    elif kind == "Route" and isinstance(spec.get("to"), dict):
        port_spec = spec.get("port")
        port = port_spec.get("targetPort") if isinstance(port_spec, dict) else None
        yield (
            ("spec",),
            _ServiceReference(str(spec["to"].get("name", "")), ("to", "name"), port, ("port", "targetPort")),
        )
    elif kind == "VirtualService":
        for key in ("http", "tcp", "tls"):
            for i, rule in enumerate(dicts(spec.get(key))):
                yield from _destinations(rule.get("route"), ("spec", key, i, "route"))


def _ingress(spec: dict[str, Any]) -> Iterator[tuple[YamlPath, _ServiceReference]]:
    for key in ("defaultBackend", "backend"):
        yield from _ingress_backend(spec.get(key), ("spec", key))
    for i, rule in enumerate(dicts(spec.get("rules"))):
        http = rule.get("http")
        for j, item in enumerate(dicts(http.get("paths") if isinstance(http, dict) else None)):
            yield from _ingress_backend(item.get("backend"), ("spec", "rules", i, "http", "paths", j, "backend"))


def _ingress_backend(body: Any, path: YamlPath) -> Iterator[tuple[YamlPath, _ServiceReference]]:
    if not isinstance(body, dict):
        return
    service = body.get("service")
    if isinstance(service, dict) and service.get("name"):
        port_spec = service.get("port")
        port = port_spec if isinstance(port_spec, dict) else {}
        port_path = ("service", "port", "name" if port.get("name") else "number")
        yield (
            path,
            _ServiceReference(
                str(service["name"]),
                ("service", "name"),
                port.get("name") or port.get("number"),
                port_path,
                number_path=("service", "port", "number"),
            ),
        )
    elif body.get("serviceName"):
        yield (
            path,
            _ServiceReference(str(body["serviceName"]), ("serviceName",), body.get("servicePort"), ("servicePort",)),
        )


def _plain_references(items: Any, path: YamlPath) -> Iterator[tuple[YamlPath, _ServiceReference]]:
    for index, item in enumerate(dicts(items)):
        if item.get("name") and str(item.get("kind", "Service")) == "Service":
            yield (
                (*path, index),
                _ServiceReference(
                    str(item["name"]), ("name",), item.get("port"), ("port",), str(item.get("namespace", ""))
                ),
            )


def _destinations(items: Any, path: YamlPath) -> Iterator[tuple[YamlPath, _ServiceReference]]:
    for index, item in enumerate(dicts(items)):
        destination = item.get("destination")
        if isinstance(destination, dict) and destination.get("host") and "." not in str(destination["host"]):
            port_spec = destination.get("port")
            port = port_spec.get("number") if isinstance(port_spec, dict) else None
            yield (
                (*path, index, "destination"),
                _ServiceReference(str(destination["host"]), ("host",), port, ("port", "number")),
            )


def dicts(items: Any) -> list[dict[str, Any]]:
    """Return the items of a list; an item that is no mapping becomes an empty one, so that the indices stay right."""
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def all_backends(case: RemedyContext) -> list[Backend]:
    """Return every backend of every route of the repository."""
    return [
        backend
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        for backend in backends(application, manifest)
    ]
