"""Relations inside an ApplicationSet: what it generates must differ by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, spec
from remediator.judgement.world import World

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?")


def set_names_hold_a_parameter(world: World) -> Iterator[Broken]:
    """Yield ApplicationSets with several elements whose template gives every Application the same name."""
    for generated in world.of_kind("ApplicationSet"):
        template = mapping(spec(generated).get("template"))
        name = str(mapping(template.get("metadata")).get("name") or "")
        elements = [
            element
            for generator in items(spec(generated).get("generators"))
            for element in items(mapping(generator.get("list")).get("elements"))
        ]
        if not name or "{{" in name or len(elements) < 2:
            continue
        key = _distinct_key(elements)
        parameter = f"{{{{ .{key} }}}}" if spec(generated).get("goTemplate") else f"{{{{{key}}}}}"
        yield Broken(
            relation="set_names_hold_a_parameter", at=generated, path=("spec", "template", "metadata", "name"),
            value=f"{name}-{parameter}" if key else None, sure=0.8,
            message=f"ApplicationSet {generated.name} gives each of its {len(elements)} Applications the name {name}",
            causes=("signal:appset_invalid",), words=(generated.name, name),
        )  # fmt: skip


def _distinct_key(elements: list[dict[str, Any]]) -> str:
    """Return the key whose values can be parts of names and differ in all elements: `name`, or the only one."""
    keys = [
        str(key)
        for key in elements[0]
        if len({str(element.get(key)) for element in elements}) == len(elements)
        and all(isinstance(element.get(key), str) and _NAME.fullmatch(element[key]) for element in elements)
    ]
    return "name" if "name" in keys else keys[0] if len(keys) == 1 else ""
