"""A port that lost its name: where several things still ask for the old one, the name goes back to the port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.probes.failing import FailingProbe, probes_of
from remediator.remedies.views.service_view import pod_labels


def name_port(case: RemedyContext, one: FailingProbe, name: str, meant: str) -> Fix | None:
    """Give the port that is called `meant` the name that others ask for; None where nothing but the probe does."""
    probe = one.probe
    ports = probe.container.get("ports") or []
    index = next(
        (index for index, port in enumerate(ports) if isinstance(port, dict) and port.get("name") == meant), None
    )
    asked = list(_asked(case, one))
    if index is None or meant in asked or asked.count(name) < 2:
        return None
    return Fix(
        title=f"name port {ports[index].get('containerPort')} of `{probe.name}` {name} instead of {meant}",
        reason=f"{asked.count(name)} probes and Services ask for a port called `{name}`, and none for `{meant}`.",
        evidence=case.cite(*one.evidence),
        wants=(
            Want(probe.target.application, probe.target.manifest, (*probe.path[:-1], "ports", index, "name"), name),
        ),
        parameters={"container": probe.name, "from": meant, "to": name},
        score=0.8,
    )


def _asked(case: RemedyContext, one: FailingProbe) -> Iterator[Any]:
    """The ports that this container's probes and the Services of its pods ask for."""
    target = one.probe.target
    yield from (other.port for other in probes_of(target) if other.name == one.probe.name)
    labels, _ = pod_labels(target.manifest)
    for service in case.namespace_objects(target, "Service"):
        spec = service.body.get("spec") or {}
        selector = spec.get("selector")
        if isinstance(selector, dict) and selector and selector.items() <= labels.items():
            yield from (port.get("targetPort") for port in spec.get("ports") or () if isinstance(port, dict))
