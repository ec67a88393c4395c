"""Locate a field by the name people give it: of an Application, or of a workload's container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.change import Place
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.locate import origin
from remediator.gitops.locate.fields import OF_APPLICATION, container_path, path_of
from remediator.gitops.model import Application, Located, Manifest, Source
from remediator.gitops.render.helm import chart_dependencies
from remediator.gitops.sources.source_type import source_type
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def of_object(repo: Checkout, app: Application, obj: Manifest, field: str, container: str = "") -> Located:
    """Locate a field of a workload; the container may be left out where there is one."""
    container_at, choice = container_path(obj, container)
    path = path_of(obj, field, container_at)
    if path is None:
        names = ", ".join(choice)
        return Located(
            "ambiguous",
            reason=f"{obj.kind} {obj.name} has no container {container}; it has {names}"
            if container
            else f"{obj.kind} {obj.name} has several containers: {names}; name one",
        )
    return repo.locate(app, obj, path)


def of_application(repo: Checkout, app: Application, field: str) -> Located:
    """Locate `targetRevision`, `chartVersion`, `path`, `repoURL`, or any path of the Application."""
    if field == "chartVersion":
        return _chart_version(repo, app)
    if field not in OF_APPLICATION:
        from remediator.gitops.locate.fields import steps

        return origin.place(repo, app, steps(field), repo.locate)
    if field == "namespace":
        return origin.place(repo, app, ("spec", "destination", "namespace"), repo.locate)
    if field == "project":
        return origin.place(repo, app, ("spec", "project"), repo.locate)
    if field == "syncOptions":
        return origin.place(repo, app, ("spec", "syncPolicy", "syncOptions"), repo.locate)
    sources = _main_sources(app, field)
    if not sources:
        return Located("unknown", reason=f"no source of {app.name} has a {field}")
    locations = [origin.place(repo, app, (*source.pointer, field), repo.locate) for source in sources]
    if len(locations) == 1:
        return locations[0]
    return _ambiguous(locations, f"{app.name} has several sources with a {field}")


def _main_sources(app: Application, field: str) -> list[Source]:
    """Return the sources that carry manifests; pure `ref` sources only give values."""
    carriers = [
        source for source in app.sources if not (source.ref and not source.chart and not source.body.get("path"))
    ] or list(app.sources)
    if field in ("path", "chart"):
        return [source for source in carriers if source.body.get(field) is not None]
    return carriers


def _ambiguous(locations: list[Located], reason: str) -> Located:
    places = tuple(place for item in locations for place in item.places)
    return Located("ambiguous", candidates=places, reason=reason)


def _chart_version(repo: Checkout, app: Application) -> Located:
    remote = [source for source in app.sources if source.chart]
    if len(remote) == 1:
        return origin.place(repo, app, (*remote[0].pointer, "targetRevision"), repo.locate)
    if remote:
        return _ambiguous(
            [origin.place(repo, app, (*source.pointer, "targetRevision"), repo.locate) for source in remote],
            f"{app.name} has several charts",
        )
    places: list[Place] = []
    for source in app.sources:
        kind = source_type(repo.store, source)
        if kind == "helm":
            places += _dependency_versions(repo, source.path)
        elif kind == "kustomize":
            places += _inflated_versions(repo, app)
    if len(places) == 1:
        return Located("located", (places[0],))
    if places:
        return Located(
            "ambiguous",
            candidates=tuple(places),
            reason=f"{app.name} has several charts: " + ", ".join(place.why for place in places),
        )
    return Located("unknown", reason=f"{app.name} uses no chart with a version")


def _dependency_versions(repo: Checkout, chart: str) -> list[Place]:
    """Return the places of the dependencies' versions; a chart without any has its own."""
    for base in ("Chart.yaml", "requirements.yaml"):
        name = join(chart, base)
        try:
            documents = yamlread.documents(repo.store.read(name))
        except UnreadableYaml:
            continue
        body = documents[0] if documents and isinstance(documents[0], dict) else {}
        dependencies = body.get("dependencies")
        if isinstance(dependencies, list) and dependencies:
            return [
                Place(
                    file=name,
                    path=("dependencies", index, "version"),
                    value=item.get("version"),
                    why=f"dependency {item.get('name')}",
                )
                for index, item in enumerate(dependencies)
                if isinstance(item, dict) and not str(item.get("repository") or "").startswith("file://")
            ]
        if base == "Chart.yaml" and not chart_dependencies(repo.store, chart, body) and "version" in body:
            return [Place(file=name, path=("version",), value=body["version"], why="the chart's own version")]
    return []


def _inflated_versions(repo: Checkout, app: Application) -> list[Place]:
    places = []
    for build in repo.rendering(app).builds.values():
        for file, index, chart in build.charts:
            path: YamlPath = ("helmCharts", index, "version")
            places.append(
                Place(
                    file=file,
                    path=path,
                    value=chart.get("version"),
                    exists="version" in chart,
                    why=f"chart {chart.get('name')}",
                )
            )
    return places
