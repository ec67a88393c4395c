"""Relations inside a workload, and between it and what scales, limits or protects it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import (
    declared_ports,
    items,
    labels_match,
    mapping,
    meant,
    only,
    pod_template,
    spec,
)
from remediator.judgement.world import Placed, World

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("httpGet", "tcpSocket", "grpc")
_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG])?")
_HEAP_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def probe_port_exists(world: World) -> Iterator[Broken]:
    """Yield probes that ask a port which their container does not declare, though it declares others."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            ports = items(container.get("ports"))
            names = [str(port["name"]) for port in ports if port.get("name")]
            numbers = [port["containerPort"] for port in ports if isinstance(port.get("containerPort"), int)]
            if not numbers:
                continue
            for probe in _PROBES:
                for handler in _HANDLERS:
                    handler_body = mapping(mapping(container.get(probe)).get(handler))
                    port = handler_body.get("port")
                    if port is None or port in numbers or str(port) in names:
                        continue
                    if isinstance(port, int) or str(port).isdigit():
                        value, sure = only(numbers), 0.8
                    else:
                        value, sure = meant(str(port), names)
                    sibling_ports = _sibling_ports(container, probe)
                    if value is None and len(sibling_ports) == 1:
                        value, sure = next(iter(sibling_ports)), 0.7
                    yield Broken(
                        relation="probe_port_exists", at=workload, path=(*path, probe, handler, "port"), value=value, sure=sure,
                        message=f"The {probe} of {container.get('name')} in {workload.name} asks port {port}, which the container does not declare",
                        causes=("probe_failure", "crashloop"), words=(str(port),),
                    )  # fmt: skip


def _sibling_ports(container: dict[str, object], probe: str) -> set[object]:
    match = {
        mapping(mapping(container.get(sibling)).get(handler)).get("port")
        for sibling in _PROBES
        if sibling != probe
        for handler in _HANDLERS
    }
    return match - {None}


def selector_matches_template(world: World) -> Iterator[Broken]:
    """Yield workloads whose selector their own pods do not carry; the API server refuses them."""
    for workload in world.of_kind("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout"):
        selector = mapping(mapping(spec(workload).get("selector")).get("matchLabels"))
        _, base = pod_template(workload)
        for key, value in selector.items():
            label = workload.pod_labels.get(str(key))
            if not base or label == str(value):
                continue
            yield Broken(
                relation="selector_matches_template", at=workload, path=(*base[:-1], "metadata", "labels", str(key)), value=value, sure=0.8,
                message=f"{workload.kind} {workload.name} selects {key}={value}, and its pods carry {label or 'no such label'}",
                causes=("sync_error",), words=(str(key), str(value)),
            )  # fmt: skip


def variables_are_distinct(world: World) -> Iterator[Broken]:
    """Yield environment variables that a container lists twice: the second is ignored or refused."""
    causes = ("sync_error", "config_error")
    yield from _repeated(world, "variables_are_distinct", ("env", "name"), "lists variable {} twice", 0.4, causes)


def mount_paths_are_distinct(world: World) -> Iterator[Broken]:
    """Yield containers that mount two volumes at the same path; the API server refuses them."""
    key = ("volumeMounts", "mountPath")
    yield from _repeated(world, "mount_paths_are_distinct", key, "mounts two volumes at {}", 0.3, ("sync_error",))


def _repeated(
    world: World, relation: str, key: tuple[str, str], words: str, sure: float, causes: tuple[str, ...]
) -> Iterator[Broken]:
    """Yield the later items of a container's list that have an earlier item's value under the key: list and field."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            values: set[str] = set()
            for index, item in enumerate(items(container.get(key[0]))):
                value = str(item.get(key[1], ""))
                if value and value in values:
                    yield Broken(
                        relation=relation, at=workload, path=(*path, key[0], index), value=MISSING, sure=sure,
                        message=f"Container {container.get('name')} of {workload.name} {words.format(value)}",
                        causes=causes, words=(value,),
                    )  # fmt: skip
                values.add(value)


def requests_fit_limits(world: World) -> Iterator[Broken]:
    """Yield requests above the limit of the same resource; the API server refuses them."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            resources = mapping(container.get("resources"))
            limits = mapping(resources.get("limits"))
            for name, text in mapping(resources.get("requests")).items():
                request, limit = quantities.parse(text), quantities.parse(limits.get(name))
                if request is not None and limit is not None and request > limit:
                    yield Broken(
                        relation="requests_fit_limits", at=workload, path=(*path, "resources", "requests", name), value=limits[name], sure=0.6,
                        message=f"Container {container.get('name')} of {workload.name} requests {text} of {name}, more than its limit of {limits[name]}",
                        causes=("sync_error", "quota_exceeded"), words=(str(text), name),
                    )  # fmt: skip


def heap_fits_limit(world: World) -> Iterator[Broken]:
    """Yield Java heaps that are not smaller than the container's memory limit: it is killed before the heap is full."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            limit = quantities.parse(mapping(mapping(container.get("resources")).get("limits")).get("memory"))
            if limit is None:
                continue
            for variable in items(container.get("env")):
                match = _HEAP.search(str(variable.get("value", "")))
                heap = Decimal(int(match[1]) * _HEAP_UNITS[(match[2] or "").lower()]) if match else None
                if heap is None or heap < limit:
                    continue
                yield Broken(
                    relation="heap_fits_limit", at=workload, path=(*path, "resources", "limits", "memory"), sure=0.6,
                    value=quantities.bytes_like(heap * Decimal("1.5"), "1Mi"),
                    message=f"The heap of {container.get('name')} in {workload.name} may grow to {match[0] if match else ''} ({variable.get('name')}), and its memory limit is {mapping(mapping(container['resources'])['limits'])['memory']}",
                    causes=("oom",), words=(str(variable.get("name")),),
                )  # fmt: skip


def scale_target_exists(world: World) -> Iterator[Broken]:
    """Yield autoscalers whose target does not exist, where the one that was meant can be told."""
    for scaler in world.of_kind("HorizontalPodAutoscaler", "ScaledObject", "VerticalPodAutoscaler"):
        key = "targetRef" if scaler.kind == "VerticalPodAutoscaler" else "scaleTargetRef"
        reference = mapping(spec(scaler).get(key))
        kind, name = str(reference.get("kind") or "Deployment"), str(reference.get("name", ""))
        if not name or world.named(kind, name, scaler) or not world.is_complete(scaler.namespace):
            continue
        same_name = [
            item for item in world.of_kind("Deployment", "StatefulSet", "Rollout", near=scaler) if item.name == name
        ]
        if len(same_name) == 1:
            yield _scale(scaler, ("spec", key, "kind"), same_name[0].kind, 0.9, kind, name)
            continue
        value, sure = meant(name, [item.name for item in world.of_kind(kind, near=scaler)])
        yield _scale(scaler, ("spec", key, "name"), value, sure, kind, name)


def _scale(scaler: Placed, path: tuple[str, ...], value: str | None, sure: float, kind: str, name: str) -> Broken:
    return Broken(
        relation="scale_target_exists", at=scaler, path=path, value=value, sure=sure, words=(name, scaler.name),
        message=f"{scaler.kind} {scaler.name} scales {kind} {name}, which does not exist in {scaler.namespace}",
        causes=("config_error", "scheduling_failure", "resource_exhausted", "sync_error"),
    )  # fmt: skip


def scale_bounds_fit(world: World) -> Iterator[Broken]:
    """Yield autoscalers whose least number of replicas is above the greatest."""
    for scaler in world.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        low_key, high_key = (
            ("minReplicas", "maxReplicas")
            if scaler.kind == "HorizontalPodAutoscaler"
            else ("minReplicaCount", "maxReplicaCount")
        )
        low, high = spec(scaler).get(low_key), spec(scaler).get(high_key)
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Broken(
                relation="scale_bounds_fit", at=scaler, path=("spec", high_key), value=low, sure=0.5,
                message=f"{scaler.kind} {scaler.name} wants at least {low} and at most {high} replicas",
                causes=("sync_error", "config_error"), words=(low_key, high_key, scaler.name),
            )  # fmt: skip


def scaled_containers_have_requests(world: World) -> Iterator[Broken]:
    """Yield autoscalers by utilisation whose target has a container without a request for that resource."""
    for scaler in world.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        reference = mapping(spec(scaler).get("scaleTargetRef"))
        target = world.named(str(reference.get("kind") or "Deployment"), str(reference.get("name", "")), scaler)
        resources_scaled_by = _scaled_by_share(scaler)
        for container, path, init in target.containers() if target else ():
            requests = mapping(mapping(container.get("resources")).get("requests"))
            limits = mapping(mapping(container.get("resources")).get("limits"))
            for resource in sorted(resources_scaled_by - {*requests, *limits}):
                if init or target is None:
                    continue
                peers = only(
                    str(value)
                    for sibling, _, _ in target.containers()
                    if (value := mapping(mapping(sibling.get("resources")).get("requests")).get(resource))
                )
                yield Broken(
                    relation="scaled_containers_have_requests", at=target, path=(*path, "resources", "requests", resource),
                    value=_modest(peers, _MODEST[resource]) if resource in _MODEST else peers, sure=0.5 if peers else 0.3,
                    message=f"{scaler.kind} {scaler.name} scales by {resource}, and container {container.get('name')} of {target.name} requests none",
                    causes=("config_error", "resource_exhausted", "scheduling_failure", "sync_error"), sufferers=(scaler, target), words=(scaler.name, resource, "missing request"),
                )  # fmt: skip


_MODEST = {"cpu": "100m", "memory": "128Mi"}
"""The most that a container is given whose need nobody has told: mostly a sidecar beside the program."""


def _modest(peers: str | None, most: str) -> str:
    amount, bound = quantities.parse(peers), quantities.parse(most)
    return str(peers) if amount is not None and bound is not None and amount < bound else most


def _scaled_by_share(scaler: Placed) -> set[str]:
    """Return the resources of which the scaler wants a share of the request: of the whole pod, not of one container."""
    if scaler.kind == "ScaledObject":
        return {
            str(trigger.get("type"))
            for trigger in items(spec(scaler).get("triggers"))
            if trigger.get("type") in {"cpu", "memory"}
            and (trigger.get("metricType") or mapping(trigger.get("metadata")).get("type")) != "AverageValue"
            and not mapping(trigger.get("metadata")).get("containerName")
        }
    metrics = [
        mapping(item.get("resource")) for item in items(spec(scaler).get("metrics")) if item.get("type") == "Resource"
    ]
    shares = {
        str(metric.get("name")) for metric in metrics if mapping(metric.get("target")).get("type") == "Utilization"
    }
    return shares | ({"cpu"} if spec(scaler).get("targetCPUUtilizationPercentage") else set())


def budget_allows_eviction(world: World) -> Iterator[Broken]:
    """Yield disruption budgets that never let a pod of their workload go."""
    for budget in world.of_kind("PodDisruptionBudget"):
        selector = mapping(mapping(spec(budget).get("selector")).get("matchLabels"))
        for workload in world.pods_of(selector, budget):
            replicas = spec(workload).get("replicas", 1)
            least = spec(budget).get("minAvailable")
            if isinstance(least, int) and isinstance(replicas, int) and 0 < replicas <= least:
                yield Broken(
                    relation="budget_allows_eviction", at=budget, path=("spec", "minAvailable"), value=replicas - 1 if replicas > 1 else None, sure=0.5,
                    message=f"PodDisruptionBudget {budget.name} wants {least} pods of {workload.name}, which has {replicas}: none can be evicted",
                    causes=("scheduling_failure", "sync_error"), sufferers=(workload,), words=(budget.name,),
                )  # fmt: skip


def shared_claim_is_shareable(world: World) -> Iterator[Broken]:
    """Yield Deployments that roll over while their one ReadWriteOnce claim is held by the old pod."""
    for workload in world.of_kind("Deployment"):
        pod, _ = pod_template(workload)
        strategy = mapping(spec(workload).get("strategy")).get("type", "RollingUpdate")
        for volume in items(pod.get("volumes")):
            claim = world.named(
                "PersistentVolumeClaim", str(mapping(volume.get("persistentVolumeClaim")).get("claimName")), workload
            )
            modes = spec(claim).get("accessModes") if claim else None
            if modes == ["ReadWriteOnce"] and strategy == "RollingUpdate" and claim is not None:
                yield Broken(
                    relation="shared_claim_is_shareable", at=workload, path=("spec", "strategy"), value={"type": "Recreate"}, sure=0.7,
                    message=f"Deployment {workload.name} starts a new pod before the old one ends, and both need claim {claim.name}, which one node at a time can hold",
                    causes=("signal:multi_attach",), sufferers=(workload,), words=(claim.name, "Multi-Attach"),
                )  # fmt: skip


def governing_service_exists(world: World) -> Iterator[Broken]:
    """Yield StatefulSets whose governing Service does not exist, where the one that was meant can be told."""
    for workload in world.of_kind("StatefulSet"):
        name = str(spec(workload).get("serviceName") or "")
        services = world.of_kind("Service", near=workload)
        if not name or any(item.name == name for item in services) or not world.is_complete(workload.namespace):
            continue
        selecting = [
            item
            for item in services
            if labels_match(mapping(spec(item).get("selector")), workload.pod_labels) and spec(item).get("selector")
        ]
        value, sure = meant(name, [item.name for item in selecting])
        yield Broken(
            relation="governing_service_exists", at=workload, path=("spec", "serviceName"), value=value, sure=sure,
            message=f"StatefulSet {workload.name} names Service {name}, which does not exist: its pods get no names of their own",
            causes=("network_error", "crashloop"), words=(name,),
        )  # fmt: skip


def listens_on_declared_port(world: World) -> Iterator[Broken]:
    """Yield containers whose PORT variable names another port than the only one that they declare and others ask."""
    for workload in world.workloads:
        for container, path, _ in workload.containers():
            ports = [port.get("containerPort") for port in items(container.get("ports"))]
            for index, variable in enumerate(items(container.get("env"))):
                value = str(variable.get("value", ""))
                if (
                    variable.get("name") not in ("PORT", "SERVER_PORT", "HTTP_PORT", "LISTEN_PORT")
                    or not value.isdigit()
                ):
                    continue
                if len(ports) == 1 and ports[0] is not None and int(value) != ports[0]:
                    _, numbers = declared_ports([workload])
                    yield Broken(
                        relation="listens_on_declared_port", at=workload, path=(*path, "env", index, "value"),
                        value=str(ports[0]) if len(numbers) == 1 else None, sure=0.6,
                        message=f"Container {container.get('name')} of {workload.name} listens on {value} ({variable.get('name')}) and declares port {ports[0]}",
                        causes=("probe_failure", "network_error", "crashloop"), words=(value, str(ports[0])),
                    )  # fmt: skip
