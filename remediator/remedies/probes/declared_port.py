"""A declared port on which nothing listens: the program says that it listens on another one.

A newer image may bring another default. Where a recent commit changed the image and no setting of the container names a
port, the manifest follows the program: the declared port, the probes and the Services that gave the old number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from remediator.domain.text import contains_word
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.older_values import is_changed_lately
from remediator.remedies.probes.failing import FailingProbe, Probe, probes_of
from remediator.remedies.views.service_view import pod_labels, selector_of, selects
from remediator.remedies.views.start_texts import commands, configs, variables


def declare_served_port(case: RemedyContext, failure: FailingProbe, listened: Collection[int]) -> Fix | None:
    """Return the fix that follows the program to its only port; None where a setting decides it, or nothing is certain."""
    probe = failure.probe
    wrong = probe.number
    if wrong is None or wrong not in dict(probe.declared) or len(listened) != 1 or wrong in listened:
        return None
    port = next(iter(listened))
    image = Want.of(probe.target, (*probe.path[:-1], "image"), probe.container.get("image"))
    if not is_changed_lately(case, image):
        return None  # the program was given this port by something that is not seen here
    if port in dict(probe.declared) or _is_configured(case, probe, port) or _is_configured(case, probe, wrong):
        return None
    wants = (
        *_declarations(probe, wrong, port),
        *_asking(probe, wrong, port),
        *services_sending_to(case, probe.target, wrong, port),
    )
    return Fix(
        title=f"declare port {port} of `{probe.name}` instead of {wrong}",
        reason=f"Nothing answers at port {wrong}; the program says that it listens on {port}, and no setting of it names a port.",
        evidence=case.cite(*failure.evidence),
        wants=wants,
        parameters={"container": probe.name, "from": str(wrong), "to": str(port)},
        score=0.75,
    )


def services_sending_to(case: RemedyContext, target: Match, wrong: int, new: int | str) -> Iterator[Want]:
    """Yield the other target port for each Service that sends to the wrong one by its number."""
    labels, _ = pod_labels(target.manifest)
    for service in case.siblings(target.application):
        if service.kind != "Service" or not selects(selector_of(service), labels):
            continue
        for index, port in enumerate(service.body["spec"].get("ports") or ()):
            if isinstance(port, dict) and port.get("targetPort", port.get("port")) == wrong:
                yield Want(target.application, service, ("spec", "ports", index, "targetPort"), new)


def _declarations(probe: Probe, wrong: int, port: int) -> Iterator[Want]:
    for index, declared in enumerate(probe.container.get("ports") or ()):
        if isinstance(declared, dict) and str(declared.get("containerPort")) == str(wrong):
            yield Want.of(probe.target, (*probe.path[:-1], "ports", index, "containerPort"), port)


def _asking(probe: Probe, wrong: int, port: int) -> Iterator[Want]:
    """Yield the new number for each probe of the container that asks at the wrong one by number."""
    for sibling in probes_of(probe.target):
        if sibling.name == probe.name and str(sibling.port) == str(wrong):
            yield sibling.want(sibling.handler, "port", value=type(sibling.port)(port))


def _is_configured(case: RemedyContext, probe: Probe, port: int) -> bool:
    """Return True where a variable, a word of the command or a configuration of the container names the port."""
    path = probe.path[:-1]
    texts = (
        *commands(probe.target, probe.container, path),
        *variables(probe.target, probe.container, path),
        *configs(case, probe.target),
    )
    return any(contains_word(text.value, str(port)) for text in texts)
