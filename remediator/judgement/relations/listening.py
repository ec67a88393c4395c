"""Relations between the ports on which a container was seen to listen and what its settings tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items
from remediator.judgement.world import World

_BOUND = re.compile(r"(?P<address>127\.0\.0\.1|localhost|\[::1\]|::1)(?P<port>:(?P<number>\d{1,5}))?")
_VARIABLE = re.compile(
    r"(?:.*_)?(?:BIND|LISTEN|INTERFACE)(?:_.*)?|(?:SERVER_|HTTP_|APP_|WEB_|API_|GRPC_|METRICS_)?(?:HOST|HOSTNAME|ADDR|ADDRESS|IP)"
)
_ARGUMENT = re.compile(
    r"(?P<flag>--?(?:[\w.-]*(?:bind|listen|interface)[\w.-]*|(?:server|http|web|api|grpc|metrics)?[.-]?(?:host|addr|address|ip))[= ])(?P<value>\S+)"
)
_FLAG = re.compile(
    r"--?(?:[\w.-]*(?:bind|listen|interface)[\w.-]*|(?:server|http|web|api)?[.-]?(?:host|addr|address|ip))"
)


def listens_beyond_loopback(world: World) -> Iterator[Broken]:
    """Yield settings that bind a container's server to loopback, where its port was seen to be open there alone."""
    for workload in world.workloads:
        ports = world.loopback.get(workload.name, frozenset())
        settings = [
            (container, place)
            for container, path, init in workload.containers()
            if ports and not init
            for place in _bound(container, path, ports)
        ]
        for container, (path, name, old, new) in settings:
            listed = ", ".join(map(str, sorted(ports)))
            yield Broken(
                relation="listens_beyond_loopback", at=workload, path=path, value=new if len(settings) == 1 else None, sure=0.9,
                message=f"Container {container.get('name')} of {workload.name} listens on {listed} for itself alone, since {name} is {old}",
                causes=("probe_failure", "network_error", "application_error", "crashloop"),
                words=(old, name, *map(str, sorted(ports))),
            )  # fmt: skip


def _bound(
    container: dict[str, Any], path: YamlPath, ports: frozenset[int]
) -> Iterator[tuple[YamlPath, str, str, str]]:
    """Yield path, name, value and right value of each setting that names loopback as the address to listen on."""
    for index, variable in enumerate(items(container.get("env"))):
        name, value = str(variable.get("name", "")), str(variable.get("value", ""))
        if _VARIABLE.fullmatch(name) and (new := _opened(value, ports)):
            yield (*path, "env", index, "value"), name, value, new
    for key in ("command", "args"):
        words = container.get(key)
        words = [str(word) for word in words] if isinstance(words, list) else []
        for index, word in enumerate(words):
            if match := _ARGUMENT.fullmatch(word):
                if new := _opened(match["value"], ports):
                    yield (*path, key, index), match["flag"].rstrip("= "), match["value"], match["flag"] + new
            elif index and _FLAG.fullmatch(words[index - 1]) and (new := _opened(word, ports)):
                yield (*path, key, index), words[index - 1], word, new


def _opened(value: str, ports: frozenset[int]) -> str:
    """Return the same address on all interfaces; empty where it is none on loopback, or of another port."""
    match = _BOUND.fullmatch(value)
    if match is None or (match["number"] and int(match["number"]) not in ports):
        return ""
    is_ipv4 = match["address"] in {"127.0.0.1", "localhost"}
    everywhere = "0.0.0.0" if is_ipv4 else match["address"].replace("::1", "::")  # noqa: S104 — the value proposed
    return everywhere + (match["port"] or "")
