"""A metrics server that does not trust kubelets, since their certificates contain no IP address."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.change import Edit, Place
from remediator.gitops import Application
from remediator.gitops.render import helm
from remediator.gitops.render.helm_model import ValuesLayer
from remediator.remedies.engine.case import Fix, RemedyContext

FLAG = "--kubelet-insecure-tls"
PROGRAM = "metrics-server"
"""The program of the flag; its chart documents `args` as the list for further flags and `defaultArgs` as its own."""


def fix_kubelet_tls(case: RemedyContext) -> Iterator[Fix]:
    """Add the flag to the container's arguments: in the manifest, or in the values of the chart."""
    refused = case.signals(*case.action.ends)
    if not refused:
        return
    for application, place, edit in (*_rendered_flags(case), *_chart_values(case)):
        yield Fix(
            title=f"let {PROGRAM} accept the kubelets' certificates",
            reason=f"The kubelets' certificates contain no IP addresses, so {PROGRAM} scrapes no node; {FLAG} skips that check "
            "(the other way is kubelets with serverTLSBootstrap, outside of this repository).",
            evidence=case.cite(*refused),
            edits=(edit,),
            places=(place,),
            applications=(application,),
            parameters={"flag": FLAG},
            score=0.7,
        )
        return


def _rendered_flags(case: RemedyContext) -> Iterator[tuple[Application, Place, Edit]]:
    """Yield the list of the container's flags, from manifests and from charts of this repository."""
    for target, container, path in case.workloads():
        flags = [*(container.get("command") or ()), *(container.get("args") or ())]
        if PROGRAM not in str(container.get("image", "")) or any(str(flag).startswith(FLAG) for flag in flags):
            continue
        field = "args" if container.get("args") else "command"
        located = case.repository.locate(target.application, target.manifest, (*path, field))
        for place in located.places if located.status == "located" else ():
            if place.exists and isinstance(place.value, list):
                yield target.application, place, _append_flag(place)


def _chart_values(case: RemedyContext) -> Iterator[tuple[Application, Place, Edit]]:
    """Yield the list of flags in the values of a chart that is not in this repository."""
    for application in _applications(case):
        for source in application.sources:
            if source.chart != PROGRAM:
                continue
            release = helm.release(case.repository.store, case.repository.layout, application, source)
            layers = [
                layer for layer in release.layers if layer.editable and isinstance(layer.data, dict) and not layer.under
            ]
            if any(
                FLAG in str(flag)
                for layer in layers
                for key in ("args", "defaultArgs")
                for flag in layer.data.get(key) or ()
            ):
                return
            for layer in reversed(layers):
                for key in ("args", "defaultArgs"):
                    if isinstance(layer.data.get(key), list):
                        place = _place(application, layer, key)
                        yield application, place, _append_flag(place)
                        return


def _applications(case: RemedyContext) -> Iterator[Application]:
    names = {
        case.diagnosis.subject.name,
        case.diagnosis.subject.application,
        *(target.application.name for target in case.targets),
    }
    for application in case.repository.applications:
        if application.name in names or any(source.chart in names for source in application.sources if source.chart):
            yield application


def _place(application: Application, layer: ValuesLayer, key: str) -> Place:
    """Return the place of a layer's list: in a values file, or in the Application itself."""
    inline = layer.kind in ("values", "valuesObject")
    return Place(
        file=layer.file or application.file,
        document=application.document if inline else layer.document,
        path=layer.path if layer.inside else (*layer.path, key),
        inside=(key,) if layer.inside else (),
        value=layer.data[key],
        proof="unproved",
        why="the chart's documented list of flags; the chart itself is not at hand",
    )


def _append_flag(place: Place) -> Edit:
    return Edit(op="append", file=place.file, document=place.document, path=place.path, inside=place.inside, value=FLAG)
