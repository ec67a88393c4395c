"""Relations about amounts that no program can live with, or that two settings of one program contradict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, pod_template
from remediator.judgement.world import Placed, World

_LEAST = 1 << 20
"""Bytes below which no container starts: its own set-up needs more."""
_SLIP = re.compile(r"(?P<number>\d{1,5})(?P<unit>m|k|M|G)?")
"""`512m` is half a byte and `512` is 512 bytes: people mean mebibytes."""
_THREADS = re.compile(r"(?m)^\s*:?concurrency:\s*(?P<number>\d{1,4})\s*$")
_POOLS = ("DB_POOL", "DATABASE_POOL", "DATABASE_POOL_SIZE", "RAILS_MAX_THREADS")


def memory_holds_a_program(world: World) -> Iterator[Broken]:
    """Yield requests and limits of memory that are smaller than what any container needs to start."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            tiny = [
                (at, value)
                for at, value in _memory(container, path)
                if (amount := quantities.parse(value)) is not None and 0 < amount < _LEAST
            ]
            fixed = [(at, _meant(value)) for at, value in tiny]
            if not tiny or not all(value for _, value in fixed):
                continue
            limit = fixed[-1]
            yield Broken(
                relation="memory_holds_a_program", at=workload, path=limit[0], value=limit[1], sure=0.9,
                also=tuple((workload, at, value) for at, value in fixed[:-1]),
                message=f"Container {container.get('name')} of {workload.name} gets {tiny[-1][1]} of memory, which is less than one mebibyte",
                causes=("oom", "crashloop", "config_error", "sync_error", "resource_exhausted"), words=(str(tiny[-1][1]), "memory"),
            )  # fmt: skip


def _memory(container: dict[str, Any], path: YamlPath) -> Iterator[tuple[YamlPath, Any]]:
    resources = mapping(container.get("resources"))
    for part in ("requests", "limits"):
        if "memory" in mapping(resources.get(part)):
            yield (*path, "resources", part, "memory"), mapping(resources[part])["memory"]


def _meant(value: Any) -> str:
    match = _SLIP.fullmatch(str(value))
    return f"{match['number']}Mi" if match and match["unit"] in {None, "m"} else ""


def pool_holds_threads(world: World) -> Iterator[Broken]:
    """Yield Sidekiq processes with more threads than connections in their own database pool: some wait until they fail."""
    for workload in world.workloads:
        for container, path, init in workload.containers():
            threads = 0 if init else _threads(world, workload, container)
            for index, variable in enumerate(items(container.get("env"))):
                name, value = variable.get("name"), str(variable.get("value", ""))
                if name not in _POOLS or not value.isdigit() or int(value) >= threads:
                    continue
                yield Broken(
                    relation="pool_holds_threads", at=workload, path=(*path, "env", index, "value"), value=str(threads), sure=0.85,
                    message=f"{container.get('name')} of {workload.name} runs {threads} threads, and {name} gives its process {value} database connections",
                    causes=("application_error", "resource_exhausted", "config_error", "network_error"),
                    words=(str(name), "pool", "connection", "threads"),
                )  # fmt: skip
                break


def _threads(world: World, workload: Placed, container: dict[str, Any]) -> int:
    """Return the number of threads that a Sidekiq process runs; 0 where it is none, or its number is not told."""
    words = [
        str(word)
        for key in ("command", "args")
        for word in (container.get(key) or ())
        if isinstance(container.get(key), list)
    ]
    if not any("sidekiq" in text for text in (*words, str(container.get("image", "")), str(container.get("name", "")))):
        return 0
    for index, word in enumerate(words):
        if word in {"-c", "--concurrency"} and words[index + 1 : index + 2] and words[index + 1].isdigit():
            return int(words[index + 1])
    names = {
        str(mapping(volume.get("configMap")).get("name")) for volume in items(pod_template(workload)[0].get("volumes"))
    }
    texts = [
        text
        for name in names
        if (config := world.named("ConfigMap", name, workload)) is not None
        for text in mapping(config.body.get("data")).values()
        if isinstance(text, str)
    ]
    found = [int(match["number"]) for text in texts for match in _THREADS.finditer(text)]
    return found[0] if len(found) == 1 else 0
