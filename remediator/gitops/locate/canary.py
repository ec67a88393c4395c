"""Find the value of a chart that controls a rendered field: canaries are set, the chart is rendered, what arrives counts.

A name proves nothing in a chart. So each candidate value gets a canary of its own, all in one rendering; those
that arrive in the field of the object are confirmed by a second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get, mappings, value_differences, with_value
from remediator.gitops.locate import overlay
from remediator.gitops.locate.template_references import alias_path, chart_folder, local_references, references
from remediator.gitops.locate.value_candidates import (
    carriers,
    collections,
    is_block,
    scalar_text,
    tails,
    typical_value,
)
from remediator.gitops.model import Manifest
from remediator.gitops.render.helm_model import Release
from remediator.gitops.render.helm_render import user_values
from remediator.gitops.render.helm_values import coalesce, merge_layers
from remediator.gitops.render.render import Renderer

MAX_CANDIDATES = 400
MAX_RENDERS = 14


@dataclass(frozen=True, slots=True)
class CanaryHit:
    """One value path whose canary arrived in the field."""

    path: YamlPath
    exists: bool
    """True where the effective values have it."""
    elsewhere: int
    """Number of other fields of the Application that the same value sets."""
    sure: bool
    """True where helm itself rendered, False where only the templates were read."""


class CanarySearch:
    """One search for the values behind one field of one object."""

    def __init__(self, renderer: Renderer, release: Release, target: Manifest, path: YamlPath) -> None:
        self.renderer, self.release, self.target = renderer, release, target
        self.files = release.view or renderer.files
        self.path = path
        self.current = get(target.body, path)
        self.user = user_values(release.layers)
        self.effective = coalesce(merge_layers(release.layers), {})
        self.prefix = alias_path(self.files, release.chart, target.file)
        self.renders = 0
        self.limit = MAX_RENDERS
        self.sure = bool(renderer.tools.helm) and not release.static
        self._base: list[Manifest] | None = None

    @property
    def base(self) -> list[Manifest]:
        """Return the objects as they render without a change."""
        if self._base is None:
            self._base = self.renderer.helm_objects(self.release, self.user)[0]
        return self._base

    def find(self) -> list[CanaryHit]:
        """Return the values that control the field: existing ones, else those that templates name and nothing sets."""
        if self.current is not MISSING and not isinstance(self.current, (dict, list)):
            hits = self._probe(list(carriers(self.effective, self.current)))
            if hits:
                return hits
        if self.current is MISSING or not isinstance(self.current, (dict, list)):
            return self._probe(list(self._openings()))
        return self._blocks()

    def _blocks(self) -> list[CanaryHit]:
        """Return the values that hold exactly the rendered mapping or list, and without which it renders otherwise."""
        equal_paths = [path for path, node in collections(self.effective) if node and node == self.current]
        hits = []
        for path in equal_paths[:6]:
            values = self.values_with({path: None})
            if self._arrived(values) != self.current:
                hits.append(CanaryHit(path, True, 0, self.sure))
        return hits

    def _openings(self) -> Iterator[tuple[YamlPath, Any]]:
        """Yield the values that templates read and nothing sets, continued by the tail of the field's path."""
        like = self.current if self.current is not MISSING else typical_value(self.path)
        steps = list(self.path)
        visited: set[YamlPath] = set()
        for base in self._bases():
            node = get(self.effective, base)
            for tail in tails(base, steps, block=is_block(node) or not base):
                path = (*base, *tail)
                if path in visited or len(path) == 0:
                    continue
                value = get(self.effective, path)
                if value is not MISSING and value not in (None, "", {}, []):
                    continue
                if node not in (MISSING, None, "", [], {}) and tail and not isinstance(node, (dict, list)):
                    continue
                visited.add(path)
                yield path, like

    def _bases(self) -> list[YamlPath]:
        """Return the value paths that can hold the field.

        They are references in the templates, mappings of the values and blocks of a workload.
        """
        bases: dict[YamlPath, None] = {}
        chart = chart_folder(self.files, self.release.chart, self.prefix)
        for reference in references(self.files, chart, self.target.file):
            bases[(*self.prefix, *reference)] = None
        relative = local_references(self.files, self.target.file)
        first_keys = {name[0] for name in relative}
        for path, node in mappings(self.effective):
            if any(isinstance(step, int) for step in path):
                continue
            bases.setdefault(path)
            if first_keys & set(node):
                bases.update({(*path, *name): None for name in relative if name[0] not in node})
            bases.update(
                {
                    (*path, key): None
                    for key, value in node.items()
                    if value in (None, "", {}, []) or isinstance(value, list)
                }
            )
        return list(bases)

    def _probe(self, candidates: list[tuple[YamlPath, Any]]) -> list[CanaryHit]:
        flags = [(path, like) for path, like in candidates if isinstance(like, bool)]
        marked = [(path, like) for path, like in candidates if not isinstance(like, bool)][:MAX_CANDIDATES]
        items = [pair for pair in marked if any(str(step).startswith("name=") for step in pair[0])]
        plain_pairs = [pair for pair in marked if pair not in items]
        hits: list[YamlPath] = []
        for batch in (plain_pairs, items):
            self.limit = self.renders + MAX_RENDERS
            hits = hits or (self._batch(batch) if batch else [])
        for path, like in sorted(flags, key=lambda item: item[0][-1:] != self.path[-1:])[:16]:
            if self.renders < self.limit and self._arrived(self.values_with({path: not like})) == (
                not self.current if self.current is not MISSING else True
            ):
                hits.append(path)
        confirmed = [
            hit for path in dict.fromkeys(hits) if (hit := self._confirm(path, dict(candidates)[path])) is not None
        ]
        return _narrowest(confirmed)

    def _batch(self, candidates: list[tuple[YamlPath, Any]]) -> list[YamlPath]:
        """Render with a canary in every candidate; where that breaks the chart, try each half by itself."""
        if self.renders >= self.limit:
            return []
        canaries = {path: overlay.canary_value(like, number) for number, (path, like) in enumerate(candidates)}
        arrived = self._arrived(self.values_with(canaries))
        if arrived is None and len(candidates) > 1:
            middle = len(candidates) // 2
            return self._batch(candidates[:middle]) + self._batch(candidates[middle:])
        if arrived is None:
            return []
        text = scalar_text(arrived)
        arrivals = [
            path
            for path, value in canaries.items()
            if arrived == value
            or (isinstance(value, str) and isinstance(arrived, str) and value in text)
            or (scalar_text(value) == text)
        ]
        return sorted(arrivals, key=lambda path: text.find(scalar_text(canaries[path])))

    def _confirm(self, path: YamlPath, like: Any) -> CanaryHit | None:
        """Return the hit where the field follows this value alone, with the number of other fields that follow too."""
        value = overlay.canary_value(like, 777)
        objects = self._render(self.values_with({path: value}))
        if objects is None:
            return None
        counterpart = same_object(self.target, objects)
        arrived = get(counterpart.body, self.path) if counterpart else MISSING
        if (
            arrived is MISSING
            or scalar_text(value) not in scalar_text(arrived)
            or scalar_text(arrived) == scalar_text(self.current)
        ):
            return None
        bodies = {item.identity: item.body for item in self.base}
        elsewhere = (
            sum(
                len(list(value_differences(bodies[item.identity], item.body)))
                for item in objects
                if item.identity in bodies
            )
            - 1
        )
        exists = get(self.effective, path) is not MISSING
        return CanaryHit(path, exists, max(0, elsewhere), self.sure)

    def values_with(self, changes: Mapping[YamlPath, Any]) -> dict[str, Any]:
        """Return the user's values with these set; a list that a path crosses is taken whole from the effective values."""
        values = self.user
        for path, value in changes.items():
            cut = next(
                (
                    index
                    for index, step in enumerate(path)
                    if isinstance(step, int)
                    or step.startswith("name=")
                    or isinstance(get(self.effective, path[:index]), list)
                ),
                None,
            )
            if cut is None:
                values = with_value(values, path, value)
            else:
                items = get(values, path[:cut])
                if items is MISSING or not isinstance(items, list):
                    items = get(self.effective, path[:cut])
                values = with_value(
                    values, path[:cut], with_value(items if items is not MISSING else [], path[cut:], value)
                )
        return values

    def _render(self, values: dict[str, Any]) -> list[Manifest] | None:
        self.renders += 1
        objects, problems, _ = self.renderer.helm_objects(self.release, values)
        return None if any(problem.kind == "render" for problem in problems) else objects

    def _arrived(self, values: dict[str, Any]) -> Any:
        """Return the field's value when rendered with these values; None where the chart no longer renders."""
        objects = self._render(values)
        if objects is None:
            return None
        counterpart = same_object(self.target, objects)
        return get(counterpart.body, self.path) if counterpart else MISSING


def same_object(target: Manifest, objects: Iterable[Manifest]) -> Manifest | None:
    """Return the target's counterpart in another rendering, even where the change renamed it."""
    manifests = list(objects)
    exact = next((item for item in manifests if item.identity == target.identity), None)
    if exact is not None:
        return exact
    alike = [item for item in manifests if item.kind == target.kind and item.file == target.file and target.file]
    return alike[0] if len(alike) == 1 else None


def _narrowest(hits: list[CanaryHit]) -> list[CanaryHit]:
    """Return the hits that set the fewest other fields; parts of an image stay together."""
    created = [hit for hit in hits if not hit.exists]
    if len(created) > 1 and len(created) == len(hits):
        least = min((hit.elsewhere, len(hit.path)) for hit in created)
        return (
            [hit for hit in created if (hit.elsewhere, len(hit.path)) == least]
            if all(hit.elsewhere == created[0].elsewhere for hit in created)
            else [min(created, key=lambda hit: hit.elsewhere)]
        )
    return hits
