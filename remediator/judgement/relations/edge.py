"""Relations at the edge of a cluster: hosts of Ingresses, shared addresses, zones of issuers, pods behind a Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, spec
from remediator.judgement.world import Placed, World

_SHARING = ("metallb.io/allow-shared-ip", "metallb.universe.tf/allow-shared-ip")
_ADDRESS = ("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs")
_ISSUERS = ("Issuer", "ClusterIssuer")


def ingress_hosts_match_certificates(world: World) -> Iterator[Broken]:
    """Yield rules of an Ingress for a host without a certificate, where it has a certificate for one other host."""
    for ingress in world.of_kind("Ingress"):
        rules = items(spec(ingress).get("rules"))
        covered = {str(host) for entry in items(spec(ingress).get("tls")) for host in entry.get("hosts") or ()}
        hosts = [str(rule.get("host", "")) for rule in rules]
        unused = covered - set(hosts)
        bare = [index for index, host in enumerate(hosts) if host and not _is_covered(host, covered)]
        if len(unused) != 1 or len(bare) != 1 or any("*" in host for host in unused):
            continue
        wrong, right = hosts[bare[0]], next(iter(unused))
        yield Broken(
            relation="ingress_hosts_match_certificates", at=ingress, path=("spec", "rules", bare[0], "host"),
            value=right, sure=0.9, words=(wrong, ingress.name),
            message=f"Ingress {ingress.name} has a rule for {wrong} without a certificate, and a certificate for {right} without a rule",
            causes=("sync_error", "network_error", "config_error"),
        )  # fmt: skip


def _is_covered(host: str, covered: set[str]) -> bool:
    return host in covered or f"*.{host.partition('.')[2]}" in covered


def shared_addresses_have_one_key(world: World) -> Iterator[Broken]:
    """Yield Services that want one address of MetalLB under two sharing keys: the second is refused."""
    wanted: dict[tuple[str, str], list[tuple[Placed, str, str]]] = {}
    for service in world.of_kind("Service"):
        annotations = mapping(mapping(service.body.get("metadata")).get("annotations"))
        key = next((name for name in _SHARING if annotations.get(name)), "")
        address = _first(annotations, _ADDRESS) or str(spec(service).get("loadBalancerIP") or "")
        if key and address:
            wanted.setdefault((service.cluster, address), []).append((service, key, str(annotations[key])))
    for (_, address), services in wanted.items():
        if len(services) != 2 or services[0][2] == services[1][2]:
            continue
        (first, _, right), (second, name, wrong) = services
        yield Broken(
            relation="shared_addresses_have_one_key", at=second, path=("metadata", "annotations", name), value=right, sure=0.85,
            message=f"Services {first.name} and {second.name} share {address} under the keys {right} and {wrong}",
            causes=("network_error", "config_error"), sufferers=(first, second), words=(first.name, second.name, address, "sharing key"),
        )  # fmt: skip


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(values[name]) for name in names if values.get(name)), "")


def issuer_solves_zone(world: World) -> Iterator[Broken]:
    """Yield issuers whose only solver for DNS is kept to other zones than that of a wildcard certificate, which needs one."""
    for certificate in world.of_kind("Certificate"):
        reference = mapping(spec(certificate).get("issuerRef"))
        issuer = next(
            (
                item
                for item in world.of_kind(*_ISSUERS)
                if item.name == reference.get("name") and item.kind == (reference.get("kind") or "Issuer")
            ),
            None,
        )
        solvers = items(mapping(spec(issuer).get("acme")).get("solvers")) if issuer else []
        over_dns = [index for index, solver in enumerate(solvers) if "dns01" in solver]
        if issuer is None or len(over_dns) != 1:
            continue
        selector = mapping(solvers[over_dns[0]].get("selector"))
        zones = [str(zone) for zone in selector.get("dnsZones") or ()]
        wildcards = [str(name)[2:] for name in spec(certificate).get("dnsNames") or () if str(name).startswith("*.")]
        open_zones = {
            name for name in wildcards if not any(name == zone or name.endswith(f".{zone}") for zone in zones)
        }
        if set(selector) != {"dnsZones"} or len(open_zones) != 1:
            continue
        zone = next(iter(open_zones))
        path = ("spec", "acme", "solvers", over_dns[0], "selector", "dnsZones")
        yield Broken(
            relation="issuer_solves_zone", at=issuer, path=path, value=[*zones, zone], sure=0.8, sufferers=(certificate,),
            message=f"Certificate {certificate.name} wants *.{zone}, and the solver of {issuer.name} for DNS is kept to {', '.join(zones)}",
            causes=("config_error", "network_error", "application_error", "sync_error"), words=(certificate.name, zone, "solver"),
        )  # fmt: skip


def service_selects_one_program(world: World) -> Iterator[Broken]:
    """Yield Services that also select pods of a workload that serves nothing, where one label tells the two apart."""
    for service in world.of_kind("Service"):
        selector = mapping(spec(service).get("selector"))
        ports = items(spec(service).get("ports"))
        pods = world.pods_of(selector, service)
        targets = {port.get("targetPort", port.get("port")) for port in ports}
        serving = [workload for workload in pods if targets & _served(workload)]
        silent = [workload for workload in pods if not _served(workload)]
        if len(serving) != 1 or not silent or len(serving) + len(silent) != len(pods):
            continue
        own = serving[0].pod_labels
        telling = [
            key
            for key, value in own.items()
            if key not in selector and all(other.pod_labels.get(key) not in {None, value} for other in silent)
        ]
        if len(telling) != 1:
            continue
        yield Broken(
            relation="service_selects_one_program", at=service, path=("spec", "selector", telling[0]), value=own[telling[0]], sure=0.85,
            message=f"Service {service.name} sends requests to {', '.join(item.name for item in silent)} too, which listens on no port",
            causes=("network_error", "application_error"), sufferers=tuple(pods), words=(service.name, serving[0].name, *(item.name for item in silent)),
        )  # fmt: skip


def _served(workload: Placed) -> set[Any]:
    """Return numbers and names of the ports that the workload's containers declare."""
    ports = [port for container, _, init in workload.containers() if not init for port in items(container.get("ports"))]
    return {port.get("containerPort") for port in ports} | {port["name"] for port in ports if port.get("name")}
