"""Which value of a chart controls a rendered field: canaries are set, the chart is rendered, what arrives counts.

A name proves nothing in a chart. So each candidate value gets a canary of its own, all in one rendering; those
that arrive in the wanted field of the wanted object are confirmed by a second one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, differing, get, leaves, mappings, with_value
from remediator.gitops.files import Files, join
from remediator.gitops.locate import overlay
from remediator.gitops.locate.fields import CONTAINER, POD
from remediator.gitops.model import Manifest
from remediator.gitops.render.helm import Release, chart_dependencies, coalesced, merged, subchart
from remediator.gitops.render.helm_render import user_values
from remediator.gitops.render.render import Renderer
from remediator.gitops.yamlread import UnreadableYaml

MAX_CANDIDATES = 400
MAX_RENDERS = 14
_REFERENCE = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
_INDEXED = re.compile(r"index\s+\$?\.Values((?:\.\w+)*)((?:\s+\"[^\"]+\")+)")
_LOCAL = re.compile(r"(?:(?<![\w)\"$])|\$[a-z]\w*)\.([a-z]\w*(?:\.\w+)*)")


@dataclass(frozen=True, slots=True)
class CanaryHit:
    """A value path whose canary arrived."""

    path: YamlPath
    exists: bool
    """The effective values have it."""
    elsewhere: int
    """Other fields of the Application that the same value sets."""
    sure: bool


class CanarySearch:
    """Finds the values behind one field of one object."""

    def __init__(self, renderer: Renderer, release: Release, target: Manifest, path: YamlPath) -> None:
        self.renderer, self.release, self.target = renderer, release, target
        self.files = release.view or renderer.files
        self.path = path
        self.present = get(target.body, path)
        self.user = user_values(release.layers)
        self.effective = coalesced(merged(release.layers), {})
        self.prefix = alias_path(self.files, release.chart, target.file)
        self.renders = 0
        self.limit = MAX_RENDERS
        self.sure = bool(renderer.tools.helm)
        self._base: list[Manifest] | None = None

    @property
    def base(self) -> list[Manifest]:
        """The objects as they are now."""
        if self._base is None:
            self._base = self.renderer.helm_objects(self.release, self.user)[0]
        return self._base

    def find(self) -> list[CanaryHit]:
        """Existing values first, then what templates name and nothing sets, then where a field can be added."""
        if self.present is not MISSING and not isinstance(self.present, (dict, list)):
            hits = self._probe(list(self._carriers()))
            if hits:
                return hits
        if self.present is MISSING or not isinstance(self.present, (dict, list)):
            return self._probe(list(self._openings()))
        return self._blocks()

    def _blocks(self) -> list[CanaryHit]:
        """A whole mapping or list: the value that holds exactly this."""
        same = [path for path, node in _containers(self.effective) if node and node == self.present]
        found = []
        for path in same[:6]:
            values = self.values_with({path: None})
            if self._arrived(values) != self.present:
                found.append(CanaryHit(path, True, 0, self.sure))
        return found

    def _carriers(self) -> Iterator[tuple[YamlPath, Any]]:
        """Leaves of the values that the rendered value is, or is made of."""
        want = self.present
        text = _text(want)
        for path, value in leaves(self.effective):
            if value in (None, "", {}, []) or isinstance(value, (dict, list)):
                continue
            if isinstance(value, bool) or isinstance(want, bool):
                if value is want:
                    yield path, value
            elif _text(value) == text or (
                isinstance(want, str) and _text(value) in text and (len(_text(value)) > 1 or text.count(":"))
            ):
                yield path, value

    def _openings(self) -> Iterator[tuple[YamlPath, Any]]:
        """Values that templates read and nothing sets, continued by what is left of the wanted field's path."""
        like = self.present if self.present is not MISSING else likely(self.path)
        steps = list(self.path)
        seen: set[YamlPath] = set()
        for base in self._named():
            node = get(self.effective, base)
            for tail in tails(base, steps, block=_is_block(node) or not base):
                path = (*base, *tail)
                if path in seen or len(path) == 0:
                    continue
                there = get(self.effective, path)
                if there is not MISSING and there not in (None, "", {}, []):
                    continue
                if node not in (MISSING, None, "", [], {}) and tail and not isinstance(node, (dict, list)):
                    continue
                seen.add(path)
                yield path, like

    def _named(self) -> list[YamlPath]:
        """Value paths that can hold the field: references in the templates, mappings of the values, blocks of a workload."""
        found: dict[YamlPath, None] = {}
        chart = self._folder()
        for reference in references(self.files, chart, self.target.file):
            found[(*self.prefix, *reference)] = None
        relative = locals_of(self.files, self.target.file)
        first = {name[0] for name in relative}
        for path, node in mappings(self.effective):
            if any(isinstance(step, int) for step in path):
                continue
            found.setdefault(path)
            if first & set(node):
                found.update({(*path, *name): None for name in relative if name[0] not in node})
            found.update(
                {
                    (*path, key): None
                    for key, value in node.items()
                    if value in (None, "", {}, []) or isinstance(value, list)
                }
            )
        return list(found)

    def _folder(self) -> str:
        folder = self.release.chart
        for step in self.prefix:
            entry = next(
                (
                    item
                    for item in chart_dependencies(self.files, folder, _metadata(self.files, folder))
                    if step in (item.get("alias"), item.get("name"))
                ),
                None,
            )
            inner = subchart(self.files, folder, entry)[0] if entry else None
            if inner is None:
                return folder
            folder = inner
        return folder

    def _probe(self, candidates: list[tuple[YamlPath, Any]]) -> list[CanaryHit]:
        flags = [(path, like) for path, like in candidates if isinstance(like, bool)]
        marked = [(path, like) for path, like in candidates if not isinstance(like, bool)][:MAX_CANDIDATES]
        items = [pair for pair in marked if any(str(step).startswith("name=") for step in pair[0])]
        others = [pair for pair in marked if pair not in items]
        hits: list[YamlPath] = []
        for batch in (others, items):
            self.limit = self.renders + MAX_RENDERS
            hits = hits or (self._batch(batch) if batch else [])
        for path, like in sorted(flags, key=lambda item: item[0][-1:] != self.path[-1:])[:16]:
            if self.renders < self.limit and self._arrived(self.values_with({path: not like})) == (
                not self.present if self.present is not MISSING else True
            ):
                hits.append(path)
        confirmed = [
            hit for path in dict.fromkeys(hits) if (hit := self._confirm(path, dict(candidates)[path])) is not None
        ]
        return _narrowest(confirmed)

    def _batch(self, candidates: list[tuple[YamlPath, Any]]) -> list[YamlPath]:
        """Render with a canary in every candidate; where that breaks the chart, halve."""
        if self.renders >= self.limit:
            return []
        canaries = {path: overlay.canary(like, number) for number, (path, like) in enumerate(candidates)}
        arrived = self._arrived(self.values_with(canaries))
        if arrived is None and len(candidates) > 1:
            middle = len(candidates) // 2
            return self._batch(candidates[:middle]) + self._batch(candidates[middle:])
        if arrived is None:
            return []
        text = _text(arrived)
        found = [
            path
            for path, value in canaries.items()
            if arrived == value
            or (isinstance(value, str) and isinstance(arrived, str) and value in text)
            or (_text(value) == text)
        ]
        return sorted(found, key=lambda path: text.find(_text(canaries[path])))

    def _confirm(self, path: YamlPath, like: Any) -> CanaryHit | None:
        """With this value alone changed: the field follows, and what else does."""
        value = overlay.canary(like, 777)
        objects = self._render(self.values_with({path: value}))
        if objects is None:
            return None
        made = same(self.target, objects)
        arrived = get(made.body, self.path) if made else MISSING
        if arrived is MISSING or _text(value) not in _text(arrived) or _text(arrived) == _text(self.present):
            return None
        before = {item.identity: item.body for item in self.base}
        elsewhere = (
            sum(len(list(differing(before[item.identity], item.body))) for item in objects if item.identity in before)
            - 1
        )
        there = get(self.effective, path)
        return CanaryHit(path, there is not MISSING, max(0, elsewhere), self.sure)

    def values_with(self, changes: Mapping[YamlPath, Any]) -> dict[str, Any]:
        """The user's values with these set; a list that a path crosses is taken whole from the effective values."""
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
                whole = get(values, path[:cut])
                if whole is MISSING or not isinstance(whole, list):
                    whole = get(self.effective, path[:cut])
                values = with_value(
                    values, path[:cut], with_value(whole if whole is not MISSING else [], path[cut:], value)
                )
        return values

    def _render(self, values: dict[str, Any]) -> list[Manifest] | None:
        self.renders += 1
        objects, problems, _ = self.renderer.helm_objects(self.release, values)
        return None if any(problem.kind == "render" for problem in problems) else objects

    def _arrived(self, values: dict[str, Any]) -> Any:
        """What the wanted field holds with these values; None where the chart no longer renders."""
        objects = self._render(values)
        if objects is None:
            return None
        made = same(self.target, objects)
        return get(made.body, self.path) if made else MISSING


def same(target: Manifest, objects: Iterable[Manifest]) -> Manifest | None:
    """The object in another rendering, even where the change renamed it."""
    found = list(objects)
    exact = next((item for item in found if item.identity == target.identity), None)
    if exact is not None:
        return exact
    alike = [item for item in found if item.kind == target.kind and item.file == target.file and target.file]
    return alike[0] if len(alike) == 1 else None


def _narrowest(hits: list[CanaryHit]) -> list[CanaryHit]:
    """Of several values that reach the field whole, those that reach least besides; parts of an image stay together."""
    created = [hit for hit in hits if not hit.exists]
    if len(created) > 1 and len(created) == len(hits):
        least = min((hit.elsewhere, len(hit.path)) for hit in created)
        return (
            [hit for hit in created if (hit.elsewhere, len(hit.path)) == least]
            if all(hit.elsewhere == created[0].elsewhere for hit in created)
            else [min(created, key=lambda hit: hit.elsewhere)]
        )
    return hits


def tails(base: YamlPath, steps: list[Any], *, block: bool = True) -> Iterator[YamlPath]:
    """Ways to continue a value path to the wanted field: `resources` → limits.memory; a workload's block → resources.limits.memory."""
    last = str(base[-1]) if base else ""
    names = {index: str(step) for index, step in enumerate(steps)}
    for index, name in names.items():
        rest = tuple(steps[index + 1 :])
        if last and (name == last or name.lower() == last.lower()) and _plain(rest):
            yield rest
    start = (
        max((index for index, step in enumerate(steps) if isinstance(step, int) or "=" in str(step)), default=-1) + 1
    )
    inner = tuple(steps[start:])
    field = str(steps[start]) if start < len(steps) else ""
    if inner and block and _plain(inner):
        yield inner
    if last in ALIASES.get(field, ()) and _plain(tuple(steps[start + 1 :])):
        yield tuple(steps[start + 1 :])
    if len(steps) >= 2 and steps[-1] == "value" and str(steps[-2]).startswith("name="):
        variable = str(steps[-2])[5:]
        if re.search(r"(?i)env", last):
            yield (variable,)
            yield (f"name={variable}", "value")
    if tuple(steps) == ("spec", "replicas") and block:
        yield ("replicaCount",)
        yield ("replicas",)


def _is_block(node: Any) -> bool:
    """Whether a mapping of values reads like what describes a workload or container."""
    return isinstance(node, dict) and bool(_BLOCK & set(node))


_BLOCK = CONTAINER | POD | {"replicaCount", "replicas", "enabled", "tag", "repository", "extraEnv", "service"}

ALIASES: Mapping[str, tuple[str, ...]] = {
    "replicas": ("replicaCount",),
    "serviceAccountName": ("name",),
    "image": ("tag",),
}


def _plain(path: YamlPath) -> bool:
    return not any(isinstance(step, int) or "=" in step for step in path)


def likely(path: YamlPath) -> Any:
    """A value of the type that a field of this name takes."""
    last = str(path[-1])
    names = [str(step) for step in path]
    if "limits" in names or "requests" in names or last in ("sizeLimit", "storage"):
        return "1Mi"
    if (
        last in ("replicas", "port", "containerPort", "targetPort")
        or last.endswith(("Seconds", "Threshold"))
        or last.startswith("runAs")
        or last == "fsGroup"
    ):
        return 65_000 if last == "runAsNonRoot" else 1
    if last in ("runAsNonRoot", "readOnlyRootFilesystem", "privileged", "hostNetwork"):
        return False
    return "x"


def _containers(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any]]:
    if isinstance(node, (dict, list)):
        if path:
            yield path, node
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _containers(value, (*path, key))


def _text(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)


def references(files: Files, chart: str, template: str) -> list[YamlPath]:
    """Value paths that the object's template and the chart's helpers name, the template's own first."""
    names = [template] if template else []
    names += [name for name in files.below(join(chart, "templates")) if name.endswith(".tpl") or not template]
    found: dict[YamlPath, None] = {}
    for name in names:
        try:
            text = files.read(name).decode("utf-8", "replace")
        except UnreadableYaml:
            continue
        for match in _REFERENCE.finditer(text):
            found[tuple(match[1].lstrip(".").split("."))] = None
        for match in _INDEXED.finditer(text):
            found[(*[part for part in match[1].split(".") if part], *re.findall(r'"([^"]+)"', match[2]))] = None
    return list(found)


def locals_of(files: Files, template: str) -> list[YamlPath]:
    """Fields that the template reads of its dot: `.resources` inside `with` and `range`."""
    if not template:
        return []
    try:
        text = files.read(template).decode("utf-8", "replace")
    except UnreadableYaml:
        return []
    found = {
        tuple(match[1].split(".")): None
        for action in re.findall(r"\{\{.*?\}\}", text, re.DOTALL)
        for match in _LOCAL.finditer(action)
    }
    return [path for path in found if path[0][:1].islower()][:40]


def alias_path(files: Files, chart: str, template: str) -> YamlPath:
    """The key under which the values of the template's subchart stand; empty for the chart itself."""
    inside = template[len(chart) + 1 :] if chart and template.startswith(chart + "/") else template
    parts = inside.split("/")
    steps: list[str] = []
    while len(parts) > 2 and parts[0] == "charts":
        entry = next(
            (
                item
                for item in chart_dependencies(files, chart, _metadata(files, chart))
                if item.get("name") == parts[1] or item.get("alias") == parts[1]
            ),
            None,
        )
        steps.append(str((entry or {}).get("alias") or parts[1]))
        chart, parts = join(chart, f"charts/{parts[1]}"), parts[2:]
    if not steps and template and not template.startswith(join(chart, "")):
        for entry in chart_dependencies(files, chart, _metadata(files, chart)):
            folder, _ = subchart(files, chart, entry)
            if folder and template.startswith(folder + "/"):
                return (str(entry.get("alias") or entry.get("name")),)
    return tuple(steps)


def _metadata(files: Files, chart: str) -> Mapping[str, Any]:
    from remediator.gitops import yamlread

    try:
        documents = yamlread.documents(files.read(join(chart, "Chart.yaml")))
    except UnreadableYaml:
        return {}
    return documents[0] if documents and isinstance(documents[0], dict) else {}
