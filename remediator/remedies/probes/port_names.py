"""A container port whose name was changed, while probes and Services still use the old name.

Where at least two of them use the old name and none the new one, the port gets its old name back; otherwise the probe is
changed, not the port.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.probes.failing import FailingProbe, probes_of
from remediator.remedies.views.service_view import pod_labels


def name_port(case: RemedyContext, failure: FailingProbe, name: str, current_name: str) -> Fix | None:
    """Rename the port `current_name` to the name that others use; None where only the failing probe uses it."""
    probe = failure.probe
    ports = probe.container.get("ports") or []
    index = next(
        (index for index, port in enumerate(ports) if isinstance(port, dict) and port.get("name") == current_name), None
    )
    requested = list(_requested_ports(case, failure))
    if index is None or current_name in requested or requested.count(name) < 2:
        return None
    return Fix(
        title=f"name port {ports[index].get('containerPort')} of `{probe.name}` {name} instead of {current_name}",
        reason=f"{requested.count(name)} probes and Services ask for a port called `{name}`, and none for `{current_name}`.",
        evidence=case.cite(*failure.evidence),
        wants=(Want.of(probe.target, (*probe.path[:-1], "ports", index, "name"), name),),
        parameters={"container": probe.name, "from": current_name, "to": name},
        score=0.8,
    )


def _requested_ports(case: RemedyContext, failure: FailingProbe) -> Iterator[Any]:
    """Yield the ports that this container's probes and the Services of its pods use."""
    target = failure.probe.target
    yield from (sibling.port for sibling in probes_of(target) if sibling.name == failure.probe.name)
    labels, _ = pod_labels(target.manifest)
    for service in case.namespace_objects(target, "Service"):
        spec = service.body.get("spec") or {}
        selector = spec.get("selector")
        if isinstance(selector, dict) and selector and selector.items() <= labels.items():
            yield from (port.get("targetPort") for port in spec.get("ports") or () if isinstance(port, dict))
