"""Relations between the versions of programs that talk to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import leaves
from remediator.gitops.images import split_image
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import mapping, spec
from remediator.judgement.world import Placed, World

_TAG = re.compile(r"(?P<major>\d+)(?P<minor>(?:\.\d+)*)(?P<rest>-[\w.-]+)?")
_SERVERS = frozenset({"postgres", "postgresql"})
_ENDPOINTS = ("rw", "ro", "r")
"""Services that CloudNativePG makes of a Cluster: its name and one of these."""


def dump_tools_fit_server(world: World) -> Iterator[Broken]:
    """Yield containers that dump a PostgreSQL server of a newer major version: pg_dump refuses it.

    https://www.postgresql.org/docs/current/app-pgdump.html: it "cannot dump from PostgreSQL servers newer than its own major version".
    """
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            told = {key: container.get(key) or [] for key in ("command", "args", "env")}
            text = "\n".join(str(value) for _, value in leaves(told))
            tag = _version(str(container.get("image", "")))
            servers = set(_servers(world, workload, text)) if tag and contains_word(text, "pg_dump", "") else set()
            if tag is None or len(servers) != 1:
                continue
            server = servers.pop()
            major = server.partition(".")[0]
            if int(tag["major"]) >= int(major):
                continue
            image = str(container["image"])
            new = f"{server if tag['minor'] else major}{tag['rest'] or ''}"
            yield Broken(
                relation="dump_tools_fit_server", at=workload, path=(*path, "image"), sure=0.9,
                value=image.replace(f":{tag[0]}", f":{new}", 1),
                message=f"{container.get('name')} of {workload.name} dumps a PostgreSQL server of version {server} with tools of version {tag[0]}",
                causes=("application_error", "crashloop", "config_error"), words=("pg_dump", "server version mismatch"),
            )  # fmt: skip


def _version(image: str) -> re.Match[str] | None:
    return _TAG.fullmatch(split_image(image)[1])


def _servers(world: World, workload: Placed, text: str) -> Iterator[str]:
    """Yield the versions of the servers that the container's own text names: of a Service's pods, of a Cluster."""
    for service in world.of_kind("Service", near=workload):
        if contains_word(text, service.name):
            for server in world.pods_of(mapping(spec(service).get("selector")), service):
                for container, _, init in server.containers():
                    image = str(container.get("image", ""))
                    if not init and split_image(image)[0].rpartition("/")[2] in _SERVERS and (tag := _version(image)):
                        yield f"{tag['major']}{tag['minor']}"
    for cluster in world.of_kind("Cluster", near=workload):
        tag = _version(str(spec(cluster).get("imageName", "")))
        if tag and any(contains_word(text, f"{cluster.name}-{end}") for end in _ENDPOINTS):
            yield f"{tag['major']}{tag['minor']}"
