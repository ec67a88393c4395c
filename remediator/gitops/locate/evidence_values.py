"""Find the values that bear what runs: the evidence shows a field of a chart's container, and a text gives just that value.

A key is no proof where the chart cannot be rendered, and a dead key reads like a live one. Its value tells them apart:
only a text that agrees with what runs can be the one that the chart reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import YamlPath, mappings
from remediator.gitops.images import split_image
from remediator.gitops.locate.conventions import NEVER, plain, tails

_IMAGE_PARTS = ("tag", "repository", "registry", "digest")


def matching(values: Any, field: YamlPath, observed: Any) -> list[YamlPath]:
    """Return the paths whose value is what runs in the field; an image's parts stand beside each other."""
    if field == ("image",):
        return _images(values, str(observed))
    endings = [[plain(str(step).removeprefix("name=")) for step in tail] for tail in tails(field)]
    return [
        path
        for path, key, value in _scalars(values)
        if not any(plain(step) in _STORAGE for step in path)
        and any(key[-len(ending) :] == ending for ending in endings)
        and _is_same(value, observed)
    ]


_STORAGE = NEVER & {"persistence", "volumeclaimtemplate", "volumeclaimtemplates", "storagespec"}


def _scalars(values: Any, path: YamlPath = (), key: tuple[str, ...] = ()) -> Iterator[tuple[YamlPath, list[str], Any]]:
    """Yield every scalar with its path and with its normalised key, in which a list item counts by its name."""
    if isinstance(values, dict):
        for step, value in values.items():
            yield from _scalars(value, (*path, step), (*key, plain(step)))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            name = value.get("name") if isinstance(value, dict) else None
            yield from _scalars(value, (*path, index), (*key, plain(name)) if name else key)
    else:
        yield path, list(key), values


def _is_same(value: Any, observed: Any) -> bool:
    if isinstance(value, bool) or isinstance(observed, bool):
        return value is observed
    first, second = quantities.parse(value), quantities.parse(observed)
    return str(value) == str(observed) or (first is not None and first == second)


def _images(values: Any, observed: str) -> list[YamlPath]:
    """Return the places of an image: first those that name it, then those that have just its tag."""
    name, tag, digest = split_image(observed)
    named: list[YamlPath] = []
    tagged: list[YamlPath] = []
    for path, node in mappings(values):
        named += [(*path, key) for key, value in node.items() if isinstance(value, str) and _is_image(value, observed)]
        version = next((key for key in ("tag", "imageTag", "digest") if _is_version(node.get(key), tag, digest)), None)
        if version is None:
            continue
        repository = node.get("repository")
        if isinstance(repository, str) and repository:
            if _is_image_name(repository, name):
                named += [(*path, key) for key in _IMAGE_PARTS if key in node]
        else:
            tagged.append((*path, version))
    return named or tagged


def _is_version(value: Any, tag: str, digest: str) -> bool:
    return value is not None and str(value) != "" and str(value) in (tag, digest)


def _is_image(value: str, observed: str) -> bool:
    return value == observed or (split_image(value)[1] != "" and observed.endswith("/" + value))


def _is_image_name(repository: str, name: str) -> bool:
    return name == repository or name.endswith("/" + repository) or repository.endswith("/" + name)
