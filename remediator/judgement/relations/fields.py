"""Small readers of rendered objects that several relations share; a field of an unexpected type reads as empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.world import Placed
from remediator.remedies.engine.spelling import nearest


def mapping(value: Any) -> dict[str, Any]:
    """Return the value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list; entries of another type keep their index as empty mappings."""
    return [mapping(item) for item in value] if isinstance(value, list) else []


def spec(placed: Placed) -> dict[str, Any]:
    """Return the object's spec."""
    return mapping(placed.body.get("spec"))


def pod_template(placed: Placed) -> tuple[dict[str, Any], YamlPath]:
    """Return the spec of its pods and the path to it; empty for what makes no pods."""
    pod_spec = placed.manifest.pod_spec()
    return pod_spec if pod_spec is not None else ({}, ())


def only(values: Iterable[Any]) -> Any:
    """Return the value where all are the same one, else None."""
    distinct = {repr(value): value for value in values}
    return next(iter(distinct.values())) if len(distinct) == 1 else None


def meant(wrong: str, candidates: Iterable[str]) -> tuple[str | None, float]:
    """Return the name that was meant and how sure that is; None where it cannot be told.

    A spelling slip of one name is nearly sure; the only candidate, spelled otherwise, is a guess that others must confirm.
    """
    names = list(dict.fromkeys(name for name in candidates if name and name != wrong))
    if slip := nearest(wrong, names):
        return slip, 0.9
    return (names[0], 0.3) if len(names) == 1 else (None, 0.0)


def declared_ports(workloads: Iterable[Placed]) -> tuple[dict[str, int], set[int]]:
    """Return named container ports (name → number) and all declared numbers of some workloads."""
    by_name: dict[str, int] = {}
    numbers: set[int] = set()
    for workload in workloads:
        for container, _, _ in workload.containers():
            for port in items(container.get("ports")):
                number = port.get("containerPort")
                if isinstance(number, int):
                    numbers.add(number)
                    if port.get("name"):
                        by_name[str(port["name"])] = number
    return by_name, numbers


def references(node: Any, path: YamlPath = ()) -> Iterator[tuple[YamlPath, Any]]:
    """Yield every value below a node with its path, mappings and lists included."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from references(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from references(value, (*path, index))


def labels_match(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return True where the labels carry every pair of the selector."""
    return all(str(labels.get(str(key))) == str(value) for key, value in selector.items())
