"""LogQL: a workload's streams, and filters for lines that signals can be found in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from remediator.services.loki.literals import first_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from remediator.domain.sources import Workload

_TEXT = r'(?:"(?:[^"\\]|\\.)*"|`[^`]*`)'
_STREAMS = re.compile(rf"\s*\{{(?:[^\"`}}]|{_TEXT})*\}}")
_MATCHER = re.compile(rf"([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*({_TEXT})")

_TOKEN = re.compile(r"\\.|\[(?:\\.|\[:\w+:\]|[^\]\\])*\]|\(\?P<\w+>|[\^$\"]")

_OWN = frozenset({"app", "app_kubernetes_io_name", "component", "deployment", "job", "service", "service_name"})
"""Labels that distinguish workloads, beside those that the policy names."""

_SUFFIXES = {"StatefulSet": "-[0-9]+", "DaemonSet": "-[^-]+", "ReplicaSet": "-[^-]+"}
_SUFFIX = "(?:-[^-]+){1,2}"
"""The end of a pod's name after its workload's; the pods of `cart-worker` have more parts than those of `cart`."""


def line_filter(patterns: Iterable[str]) -> str:
    """Return a LogQL filter for lines that any of the patterns matches; empty where there is none.

    A sieve: the lines come as the container runtime or a logger wrapped them, so what begins or ends a message does
    not begin or end the line, and JSON puts backslashes before its quotes.
    """
    loose = tuple(_TOKEN.sub(_loosened, pattern) for pattern in patterns)
    alternatives = "|".join(f"(?:{pattern})" for pattern in loose)
    return "".join(f" |~ {quoted(expression)}" for expression in (first_filter(loose), alternatives) if expression)


def of_workload(workload: Workload, labels: Mapping[str, str], filters: str, shared: Sequence[str] = ()) -> str:
    """Return a query for the lines of a workload's pods, dead ones included, by their names.

    Collectors make `pod` a label of the stream or, as Grafana's own chart does, metadata of each line, by which
    streams cannot be chosen: streams without it are read too, and their lines chosen.
    """
    parts = [f"{labels.get('namespace', 'namespace')}={quoted(workload.namespace)}", *shared]
    chosen = ""
    if pods := _pods(workload):
        name = labels.get("pod", "pod")
        parts.append(f"{name}=~{quoted(f'(?:{pods})?')}")
        chosen = f" | {name}=~{quoted(pods)}"
    if workload.container:
        parts.append(f"{labels.get('container', 'container')}={quoted(workload.container)}")
    return "{" + ", ".join(parts) + "}" + filters + chosen


def _pods(workload: Workload) -> str:
    """Return an expression for the names of its pods; empty for a bare namespace."""
    if workload.name and workload.kind != "Pod":
        return re.escape(workload.name) + _SUFFIXES.get(workload.kind, _SUFFIX)
    return re.escape(workload.pod or workload.name)


def shared_matchers(selectors: Sequence[str], labels: Mapping[str, str]) -> list[str]:
    """Return the matchers that all selectors have in common, without those that name a workload."""
    names = _OWN | {labels.get(name, name) for name in ("namespace", "pod", "container")}
    matcher_sets = [
        {f"{name}{operator}{text}": None for name, operator, text in _MATCHER.findall(match[0]) if name not in names}
        for selector in selectors
        if (match := _STREAMS.match(selector))
    ]
    return (
        [matcher for matcher in matcher_sets[0] if all(matcher in matchers for matchers in matcher_sets)]
        if matcher_sets
        else []
    )


def quoted(text: str) -> str:
    """Return a LogQL string; JSON's escapes are among Go's."""
    return json.dumps(text, ensure_ascii=False)


def _loosened(token: re.Match[str]) -> str:
    """Return a part of a pattern as it may be in a wrapped line; group names must be unique in an expression."""
    text = token[0]
    if text in {"^", "$"}:
        return ""
    if text.startswith("(?P<"):
        return "(?:"
    return rf"(?:\\*{text})" if '"' in text and not text.startswith(("\\", "[^")) else text
