"""Split container images into their parts, and apply kustomize's and Argo CD's overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONTAINERS = frozenset(("containers", "initContainers", "ephemeralContainers"))


def split_image(image: str) -> tuple[str, str, str]:
    """Return name, tag and digest; a port in the registry is not a tag."""
    name, _, digest = image.partition("@")
    head, _, tail = name.rpartition("/")
    base, _, tag = tail.partition(":")
    return (f"{head}/{base}" if head else base), tag, digest


def image_option(text: str) -> dict[str, str]:
    """Parse Argo CD's form of an image override: `[old=]new[:tag|@digest]`."""
    old, _, new = text.rpartition("=")
    name, tag, digest = split_image(new)
    result = {"name": old or name}
    if old and name:
        result["newName"] = name
    return result | ({"newTag": tag} if tag else {}) | ({"digest": digest} if digest else {})


def new_image(image: str, entry: Mapping[str, Any]) -> str:
    """Return the image after an override, which applies only to images of its name."""
    name, tag, digest = split_image(image)
    if name != entry.get("name"):
        return image
    name = str(entry.get("newName") or name)
    if entry.get("digest"):
        return f"{name}@{entry['digest']}"
    if entry.get("newTag") is not None and entry.get("newTag") != "":
        return f"{name}:{entry['newTag']}"
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def map_images(node: Any, override: Mapping[str, Any], key: str = "") -> Any:
    """Return a copy with the images of all containers overridden, or the same object where none is."""
    if isinstance(node, dict):
        result = {name: map_images(value, override, name) for name, value in node.items()}
        return result if any(result[name] is not value for name, value in node.items()) else node
    if isinstance(node, list):
        items = [_item(item, override) if key in _CONTAINERS else map_images(item, override) for item in node]
        return items if any(new is not old for new, old in zip(items, node, strict=True)) else node
    return node


def _item(item: Any, override: Mapping[str, Any]) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("image"), str):
        return map_images(item, override)
    image = new_image(item["image"], override)
    return {**item, "image": image} if image != item["image"] else item
