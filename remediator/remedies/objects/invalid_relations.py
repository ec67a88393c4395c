"""Refused fields that are wrong only in relation to another field: a request and its limit, a mount and its volume.

Either of the two fields can be the wrong one. The history decides where it can; otherwise the repair changes the field
that costs least: the request and not the limit, the labels and not the selector.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain import quantities
from remediator.domain.yaml_paths import MISSING, get
from remediator.remedies.engine.acceptable_values import within
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.engine.path_spelling import surely_meant
from remediator.remedies.objects.refusal import FieldRepair, Refusal
from remediator.remedies.views.service_view import neighbours, pod_labels, selects

_LIMIT = re.compile(r"must be less than or equal to (?P<resource>[\w./-]+) limit(?: of (?P<limit>[\w.]+))?")
_HIGHEST_PORT = 65535


def repair_related_field(case: RemedyContext, refusal: Refusal) -> Iterator[FieldRepair]:
    """Yield the repairs of a refusal that involves a second field; none for other refusals."""
    field = str(refusal.path[-1]) if refusal.path else ""
    if "must be less than or equal to" in refusal.detail and "requests" in refusal.path:
        yield from _request_above_limit(refusal)
    elif field in ("maxReplicas", "minReplicas") and refusal.manifest.kind == "HorizontalPodAutoscaler":
        yield from _minimum_above_maximum(refusal)
    elif field == "name" and "volumeMounts" in refusal.path and refusal.problem == "Not found":
        yield from _mount_without_volume(refusal)
    elif "does not match template" in refusal.detail:
        yield from _selector_and_labels(case, refusal)
    elif field in ("containerPort", "port", "targetPort", "number") and "between 1 and 65535" in refusal.detail:
        yield from _port_out_of_range(case, refusal)


def _request_above_limit(refusal: Refusal) -> Iterator[FieldRepair]:
    """Lower the request to the limit, which no container may exceed anyway; or restore either of the two."""
    match = _LIMIT.search(refusal.detail)
    if match is None:
        return
    at, resource = refusal.path.index("requests"), match["resource"]
    request_path = (*refusal.path[: at + 1], resource)
    limit_path = (*refusal.path[:at], "limits", resource)
    request, limit = get(refusal.manifest.body, request_path), get(refusal.manifest.body, limit_path)
    requested, allowed = quantities.parse(request), quantities.parse(limit)
    if (
        requested is None
        or allowed is None
        or requested <= allowed
        or (match["limit"] and quantities.parse(match["limit"]) != allowed)
    ):
        return
    name = refusal.name
    reason = f"`{name}` requests {request} of {resource}, more than its limit of {limit}. The API server refuses that."
    title = f"lower the {resource} request of `{name}` from {request} to {limit}"
    yield FieldRepair(request_path, limit, title, reason, score=0.65, accepts=within(high=allowed))
    title = f"restore the {resource} limit of `{name}`"
    yield FieldRepair(limit_path, limit, title, reason, accepts=within(low=requested))


def _minimum_above_maximum(refusal: Refusal) -> Iterator[FieldRepair]:
    """Restore whichever of the two was changed; else lower the minimum, since the maximum is what was budgeted."""
    spec = refusal.manifest.body.get("spec")
    low, high = (spec.get("minReplicas", 1), spec.get("maxReplicas")) if isinstance(spec, dict) else (None, None)
    if not (str(low).isdigit() and str(high).isdigit()) or int(str(low)) <= int(str(high)):
        return
    if refusal.value.isdigit() and refusal.value not in (str(low), str(high)):
        return
    name, minimum, maximum = refusal.name, int(str(low)), int(str(high))
    reason = f"`{name}` has minReplicas {minimum} above maxReplicas {maximum}. The API server refuses that."
    title = f"lower minReplicas of `{name}` from {minimum} to {maximum}"
    yield FieldRepair(
        ("spec", "minReplicas"),
        maximum,
        title,
        reason,
        score=0.55,
        accepts=lambda old: str(old).isdigit() and 0 < int(old) <= maximum,
    )
    title = f"restore maxReplicas of `{name}`"
    yield FieldRepair(
        ("spec", "maxReplicas"), maximum, title, reason, accepts=lambda old: str(old).isdigit() and int(old) >= minimum
    )


def _mount_without_volume(refusal: Refusal) -> Iterator[FieldRepair]:
    """Mount the volume of nearly that name, or the only one that nothing mounts; or restore the volume's own name."""
    pod = refusal.manifest.pod_spec()
    if pod is None or refusal.current != refusal.value:
        return
    spec, base = pod
    volumes = [str(item.get("name")) for item in spec.get("volumes") or () if isinstance(item, dict)]
    mounted = {
        str(mount.get("name"))
        for body, _, _ in refusal.manifest.containers()
        for mount in body.get("volumeMounts") or ()
        if isinstance(mount, dict)
    }
    free = [name for name in volumes if name not in mounted]
    new = surely_meant(refusal.value, volumes) or (free[0] if len(free) == 1 and not _has_claims(refusal) else "")
    name = refusal.name
    reason = f"`{name}` mounts volume `{refusal.value}`, but defines {', '.join(volumes) or 'no volume'}."
    title = f"mount volume `{new}` in `{name}`" if new else f"restore a mount of `{name}`"
    yield FieldRepair(
        refusal.path,
        new or refusal.value,
        title,
        reason,
        score=0.8 if new in free else 0.7 if new else 0.0,
        accepts=lambda old: str(old) in volumes,
    )
    for index, volume in enumerate(volumes):
        if volume in free:
            title = f"restore the name of volume `{volume}`"
            yield FieldRepair(
                (*base, "volumes", index, "name"), volume, title, reason, accepts=lambda old: str(old) == refusal.value
            )


def _has_claims(refusal: Refusal) -> bool:
    """Return True where a mount can mean a volumeClaimTemplate of the StatefulSet as well."""
    return bool(get(refusal.manifest.body, ("spec", "volumeClaimTemplates")))


def _selector_and_labels(case: RemedyContext, refusal: Refusal) -> Iterator[FieldRepair]:
    """Make selector and template labels equal, by changing the one that nothing else depends on.

    A selector cannot be changed once the object exists, so the labels follow it; unless a Service finds the pods by
    the current labels, which then are right.
    """
    labels, path = pod_labels(refusal.manifest)
    selector = get(refusal.manifest.body, ("spec", "selector", "matchLabels"))
    if not isinstance(selector, dict):
        return
    wrong = [key for key, value in selector.items() if labels.get(key) != str(value)]
    if len(wrong) != 1 or (key := wrong[0]) not in labels:
        return
    name = refusal.name
    by_labels = _has_service(case, refusal, labels)
    by_selector = _has_service(case, refusal, {**labels, key: str(selector[key])})
    labels_are_right, selector_is_right = by_labels and not by_selector, by_selector or not by_labels
    reason = f"The selector of `{name}` requires {key}={selector[key]}, but its pods have {key}={labels[key]}."
    title = f"label the pods of `{name}` with {key}={selector[key]}"
    yield FieldRepair(
        (*path, key),
        selector[key],
        title,
        reason,
        score=0.7 if selector_is_right and not labels_are_right else 0.0,
        accepts=lambda old: str(old) == str(selector[key]),
    )
    title = f"select {key}={labels[key]} in `{name}`"
    yield FieldRepair(
        ("spec", "selector", "matchLabels", key),
        labels[key],
        title,
        reason,
        score=0.6 if labels_are_right else 0.0,
        accepts=lambda old: str(old) == labels[key],
    )


def _has_service(case: RemedyContext, refusal: Refusal, labels: Mapping[str, str]) -> bool:
    """Return True where a Service of the namespace finds pods by these labels."""
    return any(_services(case, refusal, labels))


def _services(case: RemedyContext, refusal: Refusal, labels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the Services of the refused object's namespace that select pods with these labels."""
    namespace = refusal.manifest.namespace_in(refusal.application)
    for _, manifest in neighbours(case, refusal.application, namespace):
        selector = get(manifest.body, ("spec", "selector")) if manifest.kind == "Service" else MISSING
        if isinstance(selector, dict) and selects({str(k): str(v) for k, v in selector.items()}, labels):
            yield manifest.body


def _port_out_of_range(case: RemedyContext, refusal: Refusal) -> Iterator[FieldRepair]:
    """Set the port of which the impossible number is a misspelling, where a Service or a probe names it."""
    current = refusal.current
    if str(current) != refusal.value:
        return
    candidates = {text for text in _ports_of_clients(case, refusal) if _is_port(text)}
    near = [text for text in candidates if text in refusal.value or refusal.value.startswith(text)]
    new = int(near[0]) if len(near) == 1 else 0
    field, name = refusal.path[-1], refusal.name
    title = f"set {field} of `{name}` to {new}" if new else f"restore {field} of `{name}`"
    reason = f"`{refusal.value}` is not a port number: {refusal.detail}."
    yield FieldRepair(
        refusal.path, new or current, title, reason, score=0.65 if new else 0.0, accepts=lambda old: _is_port(str(old))
    )


def _is_port(text: str) -> bool:
    return text.isdigit() and 0 < int(text) <= _HIGHEST_PORT


def _ports_of_clients(case: RemedyContext, refusal: Refusal) -> Iterator[str]:
    """Yield the ports that probes and Services of the refused object use."""
    for body, _, _ in refusal.manifest.containers():
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            for handler in ("httpGet", "tcpSocket", "grpc"):
                port = get(body, (probe, handler, "port"))
                if port is not MISSING and str(port) != refusal.value:
                    yield str(port)
    labels, _ = pod_labels(refusal.manifest)
    for service in _services(case, refusal, labels):
        for port in get(service, ("spec", "ports")) or ():
            yield str(port.get("targetPort") or port.get("port"))
