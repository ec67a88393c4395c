"""Locate a field of a chart that is not at hand: an existing key that by convention means it, said to be unproved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.change import YamlPath
from remediator.gitops import conventions, helm_locate, yamlread
from remediator.gitops.fields import container_field
from remediator.gitops.files import join
from remediator.gitops.helm import Release, chart_dependencies, chart_name, merged
from remediator.gitops.helm_render import user_values
from remediator.gitops.locate_helm import value_place
from remediator.gitops.model import Application, Located, Manifest
from remediator.gitops.paths import dotted, get
from remediator.gitops.yamlread import Unreadable

if TYPE_CHECKING:
    from remediator.gitops.repository import Repository


def locate(repo: Repository, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """An existing values key that by convention means the field; said to be unproved."""
    release = repo.rendering(app).releases.get(obj.source) or next(iter(repo.rendering(app).releases.values()), None)
    if release is None:
        return Located(
            "unknown",
            reason="; ".join(problem.message for problem in repo.problems_of(app)) or "nothing is known of its source",
        )
    container, field = container_field(obj, path)
    charts = _charts(repo, release)
    ranked: list[tuple[float, bool, YamlPath]] = []
    values = merged(release.layers) if release.chart else user_values(release.layers)
    for prefix, chart in charts:
        below = get(values, prefix) if prefix else values
        found = conventions.guesses(
            below, workload=obj.name, container=container, release=release.name, chart=chart, field=field
        )
        ranked += [(guess.score, guess.exists, (*prefix, *guess.path)) for guess in found]
    where = "; ".join(problem.message for problem in repo.problems_of(app) if problem.kind == "remote")
    if not ranked:
        return Located("unknown", reason=f"{where}: no key of its values says {dotted(field)} of {obj.kind} {obj.name}")
    ranked.sort(key=lambda item: -item[0])
    best = [item for item in ranked if item[0] >= ranked[0][0] - 0.01]
    parents = {item[2][: len(item[2]) - 1] for item in best}
    located = [_guess_place(repo, app, release, path, exists) for _, exists, path in best]
    places = [place for found in located for place in found.places]
    if len(parents) > 1 or not places:
        return Located(
            "ambiguous",
            candidates=tuple(places),
            reason=f"{where}: several keys of its values could mean {dotted(field)}",
        )
    return Located(
        "located" if best[0][1] else "insert", tuple(places), reason=f"{where}; the key is taken by its name"
    )


def _charts(repo: Repository, release: Release) -> list[tuple[YamlPath, str]]:
    """(values prefix, chart name) of the charts that are not at hand."""
    if not release.chart:
        return [((), release.source.chart or release.source.path.rpartition("/")[2])]
    try:
        body = yamlread.documents(repo.store.read(join(release.chart, "Chart.yaml")))[0]
    except (Unreadable, IndexError):
        return [((), chart_name(repo.store, release.chart))]
    entries = [
        entry for entry in chart_dependencies(repo.store, release.chart, body) if entry.get("name") in release.missing
    ]
    return [((str(entry.get("alias") or entry["name"]),), str(entry["name"])) for entry in entries]


def _guess_place(repo: Repository, app: Application, release: Release, path: YamlPath, exists: bool) -> Located:
    hit = helm_locate.Hit(path, exists, 0, False)
    found = value_place(repo, app, release, hit)
    return Located(
        found.status,
        tuple(
            place.model_copy(update={"proof": "unproved", "why": f"{place.why} of a chart that is not at hand"})
            for place in found.places
        ),
        found.candidates,
        found.reason,
    )
