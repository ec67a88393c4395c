"""Relations of the Gateway API: routes that cross namespaces need the other side's consent."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, labels_match, mapping, spec
from remediator.judgement.world import Placed, World

GROUP = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")


def route_backend_is_granted(world: World) -> Iterator[Broken]:
    """Yield grants that name a namespace without routes, where routes of another namespace need them.

    A grant that is missing altogether, or one that has to trust a second namespace, is for a person to give.
    """
    routes = world.of_kind(*ROUTES)
    for route in routes:
        for reference in _foreign_backends(route):
            grants = [
                grant
                for grant in world.of_kind("ReferenceGrant")
                if grant.namespace == reference["namespace"] and _covers(grant, str(reference.get("name", "")))
            ]
            if any(
                source.get("namespace") == route.namespace for grant in grants for _, source in _sources(grant, route)
            ):
                continue
            stale = [
                (grant, index, str(source.get("namespace")))
                for grant in grants
                for index, source in _sources(grant, route)
                if not any(other.namespace == source.get("namespace") for other in world.of_kind(route.kind))
            ]
            if len(stale) != 1:
                continue
            grant, index, trusted = stale[0]
            yield Broken(
                relation="route_backend_is_granted", at=grant, path=("spec", "from", index, "namespace"),
                value=route.namespace, sure=0.85, sufferers=(route,), words=(grant.name, route.name, "ReferenceGrant"),
                message=f"{route.kind} {route.name} of {route.namespace} sends to {reference.get('name')} of {grant.namespace}, whose grant {grant.name} trusts {trusted}, where no such route is",
                causes=("permission_denied", "config_error", "network_error"),
            )  # fmt: skip


def _foreign_backends(route: Placed) -> Iterator[dict[str, Any]]:
    for rule in items(spec(route).get("rules")):
        for reference in items(rule.get("backendRefs")):
            if reference.get("namespace") not in {None, route.namespace}:
                yield reference


def _covers(grant: Placed, name: str) -> bool:
    return any(to.get("kind") == "Service" and to.get("name") in {None, name} for to in items(spec(grant).get("to")))


def _sources(grant: Placed, route: Placed) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, source in enumerate(items(spec(grant).get("from"))):
        if source.get("kind") == route.kind and source.get("group", GROUP) == GROUP:
            yield index, source


def gateway_admits_route(world: World) -> Iterator[Broken]:
    """Yield namespaces without the label by which the only listener that a route can mean admits namespaces."""
    for route in world.of_kind(*ROUTES):
        for parent in items(spec(route).get("parentRefs")):
            gateway = _gateway(world, route, parent)
            listeners = _listeners(gateway, route, parent) if gateway else []
            namespace = next((item for item in world.of_kind("Namespace") if item.name == route.namespace), None)
            if gateway is None or namespace is None or len(listeners) != 1:
                continue
            labels = {str(key): str(value) for key, value in _labels(namespace).items()}
            selector = mapping(mapping(mapping(listeners[0].get("allowedRoutes")).get("namespaces")).get("selector"))
            wanted = mapping(selector.get("matchLabels"))
            missing = {key: value for key, value in wanted.items() if key not in labels}
            if (
                selector.get("matchExpressions")
                or len(missing) != 1
                or not labels_match(_rest(wanted, missing), labels)
            ):
                continue
            (key, value), path = next(iter(missing.items())), ("metadata", "labels")
            yield Broken(
                relation="gateway_admits_route", at=namespace, path=_label_path(namespace, path, str(key)),
                value=value if _labels(namespace) else {key: value}, sure=0.85, sufferers=(route,),
                words=(route.name, namespace.name, gateway.name, str(key), "listeners", "NotAllowedByListeners"),
                message=f"Listener {listeners[0].get('name')} of Gateway {gateway.name} admits namespaces with {key}={value}, and {namespace.name}, where {route.kind} {route.name} is, has no such label",
                causes=("config_error", "network_error", "permission_denied"),
            )  # fmt: skip


def _labels(placed: Placed) -> dict[str, Any]:
    return mapping(mapping(placed.body.get("metadata")).get("labels"))


def _rest(wanted: dict[str, Any], missing: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in wanted.items() if key not in missing}


def _label_path(namespace: Placed, path: YamlPath, key: str) -> YamlPath:
    return (*path, key) if _labels(namespace) else path


def _gateway(world: World, route: Placed, parent: dict[str, Any]) -> Placed | None:
    space = parent.get("namespace") or route.namespace
    return next(
        (
            item
            for item in world.of_kind("Gateway")
            if item.name == parent.get("name") and item.namespace == space and item.cluster == route.cluster
        ),
        None,
    )


def _listeners(gateway: Placed, route: Placed, parent: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the listeners that the route can attach to: the one it names, else those whose host fits its hosts."""
    listeners = items(spec(gateway).get("listeners"))
    if parent.get("sectionName"):
        return [listener for listener in listeners if listener.get("name") == parent["sectionName"]]
    hosts = [str(host) for host in spec(route).get("hostnames") or ()]
    return [
        listener
        for listener in listeners
        if not hosts
        or not listener.get("hostname")
        or any(fnmatch.fnmatch(host, str(listener["hostname"])) for host in hosts)
    ]
