"""What routes send traffic to: Ingresses, Gateway API routes and their kin, read alike."""

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
    """One reference of a route to a Service, and its port."""

    application: Application
    manifest: Manifest
    service: str
    namespace: str
    name_path: YamlPath
    port: Any
    """A number, a name, or None where the route names none."""
    port_path: YamlPath
    numbered: YamlPath = ()
    """Where a number would stand, if it differs from where the name does."""
    named: YamlPath = ()


def backends(application: Application, manifest: Manifest) -> Iterator[Backend]:
    """Every Service that an object routes to, whatever its API."""
    spec = manifest.body.get("spec")
    here = manifest.namespace_in(application)
    if not isinstance(spec, dict):
        return
    for path, body in _references(manifest.kind, spec):
        yield Backend(
            application,
            manifest,
            body.service,
            body.namespace or here,
            (*path, *body.name),
            body.port,
            (*path, *body.at),
            (*path, *body.numbered),
            (*path, *body.named),
        )


@dataclass(frozen=True)
class _Part:
    service: str
    name: YamlPath
    port: Any
    at: YamlPath
    namespace: str = ""
    numbered: YamlPath = ()
    named: YamlPath = ()


def _references(kind: str, spec: dict[str, Any]) -> Iterator[tuple[YamlPath, _Part]]:
    if kind == "Ingress":
        yield from _ingress(spec)
    elif kind in _GATEWAY:
        for i, rule in enumerate(dicts(spec.get("rules"))):
            yield from _plain(rule.get("backendRefs"), ("spec", "rules", i, "backendRefs"))
    elif kind in ("IngressRoute", "HTTPProxy"):
        for i, route in enumerate(dicts(spec.get("routes"))):
            yield from _plain(route.get("services"), ("spec", "routes", i, "services"))
    elif kind == "Route" and isinstance(spec.get("to"), dict):
        held = spec.get("port")
        port = held.get("targetPort") if isinstance(held, dict) else None
        yield ("spec",), _Part(str(spec["to"].get("name", "")), ("to", "name"), port, ("port", "targetPort"))
    elif kind == "VirtualService":
        for key in ("http", "tcp", "tls"):
            for i, rule in enumerate(dicts(spec.get(key))):
                yield from _destinations(rule.get("route"), ("spec", key, i, "route"))


def _ingress(spec: dict[str, Any]) -> Iterator[tuple[YamlPath, _Part]]:
    for key in ("defaultBackend", "backend"):
        yield from _ingress_backend(spec.get(key), ("spec", key))
    for i, rule in enumerate(dicts(spec.get("rules"))):
        http = rule.get("http")
        for j, item in enumerate(dicts(http.get("paths") if isinstance(http, dict) else None)):
            yield from _ingress_backend(item.get("backend"), ("spec", "rules", i, "http", "paths", j, "backend"))


def _ingress_backend(body: Any, path: YamlPath) -> Iterator[tuple[YamlPath, _Part]]:
    if not isinstance(body, dict):
        return
    service = body.get("service")
    if isinstance(service, dict) and service.get("name"):
        held = service.get("port")
        port = held if isinstance(held, dict) else {}
        at = ("service", "port", "name" if port.get("name") else "number")
        yield (
            path,
            _Part(
                str(service["name"]),
                ("service", "name"),
                port.get("name") or port.get("number"),
                at,
                numbered=("service", "port", "number"),
                named=("service", "port", "name"),
            ),
        )
    elif body.get("serviceName"):
        yield path, _Part(str(body["serviceName"]), ("serviceName",), body.get("servicePort"), ("servicePort",))


def _plain(items: Any, path: YamlPath) -> Iterator[tuple[YamlPath, _Part]]:
    for index, item in enumerate(dicts(items)):
        if item.get("name") and str(item.get("kind", "Service")) == "Service":
            yield (
                (*path, index),
                _Part(str(item["name"]), ("name",), item.get("port"), ("port",), str(item.get("namespace", ""))),
            )


def _destinations(items: Any, path: YamlPath) -> Iterator[tuple[YamlPath, _Part]]:
    for index, item in enumerate(dicts(items)):
        destination = item.get("destination")
        if isinstance(destination, dict) and destination.get("host") and "." not in str(destination["host"]):
            held = destination.get("port")
            port = held.get("number") if isinstance(held, dict) else None
            yield (*path, index, "destination"), _Part(str(destination["host"]), ("host",), port, ("port", "number"))


def dicts(items: Any) -> list[dict[str, Any]]:
    """The items of a list, anything that is no mapping as an empty one so that indices hold."""
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def all_backends(case: RemedyContext) -> list[Backend]:
    """Every backend of every route of the repository."""
    return [
        backend
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        for backend in backends(application, manifest)
    ]
