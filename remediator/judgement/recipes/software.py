"""The Applications that run a piece of software: by the chart that they install, or by the images of their containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Repository, yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.images import split_image
from remediator.gitops.locate.unproved import inflated
from remediator.gitops.render.helm import chart_dependencies, chart_name
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.helm_values import merge_layers
from remediator.gitops.yamlread import UnreadableYaml
from remediator.judgement.inquiry import Inquiry
from remediator.policy import Recipe, Software

MOST_APPLICATIONS = 60
"""Applications that are searched for the software where the evidence names none."""


def running(inquiry: Inquiry, recipe: Recipe) -> tuple[Application, ...]:
    """Return the Applications that run the recipe's software: the incident's own, else the only one of the cluster.

    A message of a client is about another Application. So is one that nobody can be named for; then the software must
    run in one place only, or it cannot be told which one is meant.
    """
    repository, software = inquiry.repository, recipe.software
    if not software.charts and not software.images:
        return inquiry.applications
    near = tuple(app for app in inquiry.applications if _runs(repository, app, software))
    if near or (inquiry.applications and recipe.speaker == "itself"):
        return near
    clusters = {app.cluster for app in inquiry.applications}
    far = [
        app
        for app in repository.applications[:MOST_APPLICATIONS]
        if (not clusters or app.cluster in clusters) and _runs(repository, app, software)
    ]
    return tuple(far) if len(far) == 1 else ()


def _runs(repository: Repository, app: Application, software: Software) -> bool:
    if any(name in software.charts for _, _, name in charts(repository, app)):
        return True
    return any(
        is_image(str(container.get("image") or ""), software) or is_named_after(container, software)
        for manifest in repository.objects(app)
        for container, _, _ in manifest.containers()
    )


def is_image(image: str, software: Software) -> bool:
    """Return True where the image's repository ends in one of the software's names."""
    repository = split_image(image)[0]
    return any(repository == name or repository.endswith(f"/{name}") for name in software.images)


def is_named_after(container: Mapping[str, Any], software: Software) -> bool:
    """Return True where a container has the software's own name: images that people build from it have another."""
    return str(container.get("name")) in {image.rpartition("/")[2] for image in software.images}


def charts(repository: Repository, app: Application) -> Iterator[tuple[Release, YamlPath, str]]:
    """Yield each chart of the Application: its release, where its values begin, and its name; dependencies too."""
    rendering = repository.rendering(app)
    for release in rendering.releases.values():
        yield from _charts_of(repository, release)
    for index, build in rendering.builds.items():
        for file, number, chart in build.charts:
            release = inflated(repository.store, app, app.sources[index], file, number, chart)
            yield release, (), str(chart.get("name") or "")


def written_values(release: Release) -> dict[str, Any]:
    """Return the values that texts of this checkout give: an umbrella chart's own file too, a pulled chart's never."""
    return merge_layers([layer for layer in release.layers if layer.editable])


def _charts_of(repository: Repository, release: Release) -> Iterator[tuple[Release, YamlPath, str]]:
    if release.source.chart:
        yield release, (), release.source.chart.rpartition("/")[2]
        return
    files = release.view or repository.store
    name = chart_name(files, release.chart) if release.chart else re.sub(r".*/", "", release.source.path)
    yield release, (), name
    try:
        metadata: Any = yamlread.mapping(files.read(join(release.chart, "Chart.yaml")))
    except UnreadableYaml:
        return
    for entry in chart_dependencies(files, release.chart, metadata):
        yield release, (str(entry.get("alias") or entry.get("name")),), str(entry.get("name"))
