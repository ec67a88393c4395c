"""`kubectl describe pod`: the pod, its containers' states, its false conditions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.evidence.formats.containers import Container, ContainerState, statements
from remediator.evidence.formats.tree import ResourceRow, find, value
from remediator.evidence.lines import rfc3339
from remediator.evidence.tables import none, snake
from remediator.evidence.workload import workload_of_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.draft import Draft

_FROM = re.compile(r"(?P<name>\S+)\s+(?P<kind>ConfigMap|Secret)\b.*?(?:Optional:\s+(?P<optional>\w+))?$")
_PROBES = ("Liveness", "Readiness", "Startup")
_LISTS = (("Command", "command"), ("Args", "args"), ("Mounts", "mounts"))


def subject(tree: list[ResourceRow], base: Draft, name: str) -> Draft:
    """Return the pod as subject: its workload by "Controlled By", its node without the address."""
    pod = base.like(pod=name, node=value(tree, "Node").split("/")[0])
    pod.kind, pod.name = workload_of_pod(name, value(tree, "Controlled By"))
    return pod


def read(tree: list[ResourceRow], base: Draft, name: str) -> Iterator[Draft]:
    """Yield the pod's own status first, then its containers, then the conditions that do not hold."""
    pod = subject(tree, base, name)
    pod.facts |= _pod_facts(tree)
    status = value(tree, "Status")
    why = value(tree, "Reason")
    message = " ".join(node.values) if (node := find(tree, "Message")) else ""
    summary = pod.like(
        reason=why or status,
        text=f"Pod is {status}" + (f" ({why})" if why else "") + (f": {message}" if message else ""),
    )
    summary.facts |= {"status": status, "message": message, **_volumes(tree), "ip": value(tree, "IP")}
    yield summary
    yield from states(tree, pod)
    if conditions := find(tree, "Conditions"):
        for line in conditions.nested:
            words = line.text.split()
            if len(words) == 2 and words[1] == "False":
                yield pod.like(
                    line=line.no,
                    reason=words[0],
                    text=f"Condition {words[0]} is False",
                    facts={**pod.facts, "condition": words[0], "condition_status": "False"},
                )


def states(tree: list[ResourceRow], pod: Draft) -> Iterator[Draft]:
    """Yield the statements about the pod's containers, the initial ones first."""
    boxes = [
        container(node, role)
        for title, role in (("Init Containers", "init"), ("Containers", ""), ("Ephemeral Containers", "ephemeral"))
        if (group := find(tree, title))
        for node in group.nodes
    ]
    yield from statements(pod, boxes)


def _pod_facts(tree: list[ResourceRow]) -> dict[str, str]:
    facts = {
        "service_account": value(tree, "Service Account"),
        "qos": value(tree, "QoS Class"),
        "priority_class": value(tree, "Priority Class Name"),
        "controlled_by": value(tree, "Controlled By"),
        "pod_started": rfc3339(value(tree, "Start Time")),
        "pod_status": value(tree, "Status"),
    }
    for key in ("Labels", "Node-Selectors", "Tolerations"):
        if node := find(tree, key):
            facts[snake(key)] = ", ".join(node.values)
    return facts


def _volumes(tree: list[ResourceRow]) -> dict[str, str]:
    """Return `volume_<name>` with kind and object, and `claims`, `config_maps`, `secrets` with the names alone."""
    facts: dict[str, str] = {}
    lists: dict[str, list[str]] = {"claims": [], "config_maps": [], "secrets": []}
    for node in group.nodes if (group := find(tree, "Volumes")) else []:
        inner = node.nodes
        kind = value(inner, "Type").split(" ")[0]
        target, key = "", ""
        match kind:
            case "PersistentVolumeClaim":
                target, key = value(inner, "ClaimName"), "claims"
            case "ConfigMap":
                target, key = value(inner, "Name"), "config_maps"
            case "Secret":
                target, key = value(inner, "SecretName"), "secrets"
            case "HostPath":
                target = value(inner, "Path")
        if kind != "Projected":
            facts[f"volume_{node.key}"] = f"{kind}/{target}" if target else kind
        if key and target:
            lists[key].append(target)
    return facts | {key: ", ".join(dict.fromkeys(names)) for key, names in lists.items()}


def container(node: ResourceRow, role: str) -> Container:
    """Return a container of a pod or of a workload's template; facts are named as in the JSON reader."""
    inner = node.nodes
    box = Container(node.key, node.line.no, value(inner, "Image"), role)
    facts = box.facts
    facts |= {
        "ready": value(inner, "Ready"),
        "restart_count": value(inner, "Restart Count"),
        "ports": value(inner, "Ports") or value(inner, "Port"),
        "image_id": value(inner, "Image ID"),
    }
    for title, key in _LISTS:
        if (row := find(inner, title)) and row.below:
            facts[key] = ("; " if key == "mounts" else "\n").join(row.below)
    for probe in _PROBES:
        facts[probe.lower()] = value(inner, probe)
    for title, suffix in (("Limits", "limit"), ("Requests", "request")):
        for quantity in row.nodes if (row := find(inner, title)) else []:
            facts[f"{snake(quantity.key)}_{suffix}"] = quantity.value
    if row := find(inner, "Environment Variables from"):
        facts["env_from"] = ", ".join(f"{m['kind']}/{m['name']}" for text in row.below if (m := _FROM.match(text)))
    for variable in row.nodes if (row := find(inner, "Environment")) else []:
        facts[f"env_{variable.key}"] = variable.value
    for title, target in (("State", box.state), ("Last State", box.last)):
        if row := find(inner, title):
            _state(row, target)
    return box


def _state(node: ResourceRow, state: ContainerState) -> None:
    inner = node.nodes
    state.kind, state.line = none(node.value), node.line.no
    state.reason, state.exit_code, state.signal = (
        value(inner, "Reason"),
        value(inner, "Exit Code"),
        value(inner, "Signal"),
    )
    message = find(inner, "Message")
    state.message = " ".join(message.values) if message else ""
    state.started, state.finished = rfc3339(value(inner, "Started")), rfc3339(value(inner, "Finished"))
