"""Locate a field of a chart that is not at hand: an existing key that by convention means it, marked as unproved."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get, list_at
from remediator.gitops import yamlread
from remediator.gitops.file_paths import join
from remediator.gitops.files import Files
from remediator.gitops.locate import canary, conventions, evidence_values
from remediator.gitops.locate.conventions import Guess
from remediator.gitops.locate.fields import container_field
from remediator.gitops.locate.helm import value_place
from remediator.gitops.model import Application, Located, Manifest, Source
from remediator.gitops.render.helm import chart_dependencies, chart_name
from remediator.gitops.render.helm_model import Release, ValuesLayer
from remediator.gitops.render.helm_render import user_values
from remediator.gitops.render.helm_values import merge_layers
from remediator.gitops.yamlread import UnreadableYaml

if TYPE_CHECKING:
    from remediator.gitops.checkout import Checkout


def locate(repo: Checkout, app: Application, obj: Manifest, path: YamlPath) -> Located:
    """Return the place of the value that runs, else of a values key that by convention means the field; both unproved."""
    container, field = container_field(obj, path)
    observed = get(obj.body, path)
    named: list[tuple[Guess, Release]] = []
    matches: list[tuple[YamlPath, Release]] = []
    for release in _releases(repo, app, obj):
        values = _values(release)
        for prefix, chart in _charts(repo, release, obj.name):
            below = get(values, prefix) if prefix else values
            guesses = conventions.guesses(
                below, workload=obj.name, container=container, release=release.name, chart=chart, field=field
            )
            named += [(Guess((*prefix, *guess.path), guess.exists, guess.score), release) for guess in guesses]
            if observed is not MISSING and not isinstance(observed, dict | list):
                texts = evidence_values.matching(below, field, observed)
                matches += [((*prefix, *text), release) for text in texts]
    if matches and (location := _of_evidence(repo, app, matches, named)) is not None:
        return location
    ranked = [
        (guess, release)
        for guess, release in named
        if not guess.exists or _agrees(get(_values(release), guess.path), observed)
    ]
    return _of_convention(repo, app, obj, field, ranked)


def _values(release: Release) -> dict[str, Any]:
    return merge_layers(release.layers) if release.chart else user_values(release.layers)


def _of_evidence(
    repo: Checkout, app: Application, matches: list[tuple[YamlPath, Release]], named: list[tuple[Guess, Release]]
) -> Located | None:
    """Return the only place that bears what runs; of several, the one whose name fits too; None where none is the one.

    A key at the top of the values is a weak name, and often dead; a block of the workload's name is a strong one: where
    it has another value, the text that agrees is likely another workload's.
    """
    conventional = [guess.path for guess, _ in _best(named)]
    if len({path[:-1] for path, _ in matches}) > 1:
        matches = [(path, release) for path, release in matches if path in conventional]
    elif any(path[:-1] not in {match[:-1] for match, _ in matches} for path in conventional if not _is_top(path)):
        return None
    if len({(path[:-1], id(release)) for path, release in matches}) != 1:
        return None
    places = [
        place.model_copy(
            update={"why": f"matched by evidence: {place.why.partition(' of a chart')[0]} has the value that runs"}
        )
        for path, release in matches
        for place in _guess_place(repo, app, release, Guess(path, exists=True, score=0)).places
    ]
    return (
        Located("located", tuple(places), reason=f"{_source_state(repo, app)}; matched by evidence") if places else None
    )


def _is_top(path: YamlPath) -> bool:
    return str(path[0]) in ("resources", "image", "env", "replicaCount", "replicas", "tag", "imageTag")


def _best(ranked: list[tuple[Guess, Release]]) -> list[tuple[Guess, Release]]:
    top = max((guess.score for guess, _ in ranked), default=0.0)
    return [(guess, release) for guess, release in ranked if guess.score >= top - 0.01]


def _source_state(repo: Checkout, app: Application) -> str:
    """Return why the Application cannot be rendered, or not completely."""
    problems = repo.problems_of(app)
    return (
        "; ".join(dict.fromkeys(item.message for item in problems if not item.fault))
        or "; ".join(item.message for item in problems)
        or "nothing is known of its source"
    )


def _of_convention(
    repo: Checkout, app: Application, obj: Manifest, field: YamlPath, ranked: list[tuple[Guess, Release]]
) -> Located:
    """Return the place of the values key that by convention means the field."""
    source_state = _source_state(repo, app)
    if not ranked:
        return Located(
            "unknown", reason=f"{source_state}: no key of its values says {format_path(field)} of {obj.kind} {obj.name}"
        )
    best = _best(ranked)
    locations = [_guess_place(repo, app, release, guess) for guess, release in best]
    places = tuple(place for location in locations for place in location.places)
    if not places or len({(id(release), guess.path[:-1]) for guess, release in best}) > 1:
        words = f"{source_state}: several keys of its values could mean {format_path(field)}"
        return Located("ambiguous", candidates=places, reason=words)
    return Located(
        "located" if best[0][0].exists else "insert", places, reason=f"{source_state}; the key is taken by its name"
    )


def _agrees(value: Any, observed: Any) -> bool:
    """Return False where the key holds another value than what runs: then the chart does not read it for this field."""
    if observed is MISSING or isinstance(value, dict | list):
        return True
    return str(value) in str(observed) if isinstance(observed, str) else value == observed


def _releases(repo: Checkout, app: Application, obj: Manifest) -> list[Release]:
    """Return the Application's charts, including those that its kustomization runs."""
    rendering = repo.rendering(app)
    if obj.source in rendering.releases:
        return [rendering.releases[obj.source]]
    if obj.source in rendering.builds:
        source = app.sources[obj.source]
        return [inflated(repo.store, app, source, *entry) for entry in rendering.builds[obj.source].charts]
    return list(rendering.releases.values())[:1]


def inflated(
    files: Files, app: Application, source: Source, file: str, index: int, chart: Mapping[str, Any]
) -> Release:
    """Return an entry of helmCharts as a release: its values files, then its inline values."""
    name = str(chart.get("releaseName") or chart.get("name") or "")
    release = Release(app, source, "", name, str(chart.get("namespace") or app.namespace))
    entries = [str(chart.get("valuesFile") or ""), *[str(item) for item in list_at(chart, "additionalValuesFiles")]]
    for entry in entries:
        target = join(posixpath.dirname(file), entry) if entry else ""
        if target and files.is_file(target):
            try:
                release.layers.append(ValuesLayer("file", target, 0, (), yamlread.mapping(files.read(target))))
            except UnreadableYaml:
                continue
    if isinstance(chart.get("valuesInline"), dict):
        path: YamlPath = ("helmCharts", index, "valuesInline")
        release.layers.append(ValuesLayer("valuesObject", file, 0, path, chart["valuesInline"]))
    return release


def _charts(repo: Checkout, release: Release, workload: str) -> list[tuple[YamlPath, str]]:
    """Return (values prefix, chart name) of the charts that are not at hand and can have made the workload.

    Most charts name their objects by the release and their own name, or the alias where they have one.
    """
    if not release.chart:
        return [((), release.source.chart or release.name)]
    try:
        body = yamlread.documents(repo.store.read(join(release.chart, "Chart.yaml")))[0]
    except (UnreadableYaml, IndexError):
        return [((), chart_name(repo.store, release.chart))]
    names = [
        str(entry.get("alias") or entry["name"])
        for entry in chart_dependencies(repo.store, release.chart, body)
        if entry.get("name") in release.missing
    ]
    named = [name for name in names if f"{workload}-".startswith((f"{release.name}-{name}-", f"{name}-"))]
    return [((name,), name) for name in named or names]


def _guess_place(repo: Checkout, app: Application, release: Release, guess: Guess) -> Located:
    location = value_place(repo, app, release, canary.CanaryHit(guess.path, guess.exists, 0, sure=False))
    places = tuple(
        place.model_copy(update={"proof": "unproved", "why": f"{place.why} of a chart that is not at hand"})
        for place in location.places
    )
    return Located(location.status, places, location.candidates, location.reason)
