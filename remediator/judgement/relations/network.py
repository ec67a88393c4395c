"""Relations between Services, the pods behind them and those who call them."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.judgement.relations.broken import Broken
from remediator.judgement.world import World


def service_target_port_exists(world: World) -> Iterator[Broken]:
    """Yield Services whose named target port no container behind them declares."""
    for service in world.of_kind("Service"):
        spec = service.body.get("spec") or {}
        pods = world.pods_of(spec.get("selector") or {}, service)
        declared = {
            str(port["name"])
            for pod in pods
            for container, _, _ in pod.containers()
            for port in container.get("ports") or ()
            if isinstance(port, dict) and port.get("name")
        }
        for index, port in enumerate(spec.get("ports") or ()):
            target = port.get("targetPort") if isinstance(port, dict) else None
            if not pods or not isinstance(target, str) or target.isdigit() or target in declared:
                continue
            yield Broken(
                relation="service_target_port_exists",
                at=service,
                path=("spec", "ports", index, "targetPort"),
                message=f"Service {service.name} forwards to port `{target}`, which no container behind it declares",
                value=next(iter(declared)) if len(declared) == 1 else None,
                causes=("network_error", "signal:no_endpoints"),
                sufferers=pods,
                words=(service.name, target),
                sure=0.9,
            )
