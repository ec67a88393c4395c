"""Refused fields that are wrong in relation to another one: a request and its limit, a mount and its volume."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from remediator.domain.change import YamlPath
from remediator.gitops.paths import MISSING, get
from remediator.remedies.engine import quantities
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.path_spelling import surely_meant
from remediator.remedies.views.service_view import matches, neighbours, pod_labels

if TYPE_CHECKING:
    from remediator.remedies.objects.invalid import Refusal


def related(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """The fix where the refusal is of a kind that involves a second field."""
    last = str(refusal.path[-1]) if refusal.path else ""
    if "must be less than or equal to" in refusal.detail and "requests" in refusal.path:
        yield from _request_above_limit(case, refusal)
    elif last in ("maxReplicas", "minReplicas") and refusal.manifest.kind == "HorizontalPodAutoscaler":
        yield from _minimum_above_maximum(case, refusal)
    elif last == "name" and "volumeMounts" in refusal.path and refusal.problem == "Not found":
        yield from _mount_without_volume(case, refusal)
    elif "does not match template" in refusal.detail:
        yield from _selector_and_labels(case, refusal)
    elif last in ("containerPort", "port", "targetPort", "number") and "between 1 and 65535" in refusal.detail:
        yield from _port_out_of_range(case, refusal)


def _fix(
    case: RemedyContext,
    refusal: Refusal,
    path: YamlPath,
    value: Any,
    title: str,
    reason: str,
    score: float,
    accepts: Callable[[Any], bool],
) -> Fix:
    return Fix(
        title=title,
        reason=reason,
        evidence=case.cite(refusal.evidence),
        wants=(Want(refusal.application, refusal.manifest, path, value),),
        parameters={"object": f"{refusal.manifest.kind}/{refusal.manifest.name}", "to": str(value)},
        score=score,
        accepts=accepts,
    )


_LIMIT = re.compile(r"must be less than or equal to (?P<resource>[\w./-]+) limit(?: of (?P<limit>[\w.]+))?")


def _request_above_limit(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """The request goes down to the limit, which nothing may pass anyway; or either goes back to what it was."""
    found = _LIMIT.search(refusal.detail)
    if found is None:
        return
    at = refusal.path.index("requests")
    resource = found["resource"]
    own, limits = (*refusal.path[: at + 1], resource), (*refusal.path[:at], "limits", resource)
    request, limit = get(refusal.manifest.body, own), get(refusal.manifest.body, limits)
    asked, allowed = quantities.parse(request), quantities.parse(limit)
    if (
        asked is None
        or allowed is None
        or asked <= allowed
        or (found["limit"] and quantities.parse(found["limit"]) != allowed)
    ):
        return
    name = refusal.manifest.name
    why = f"`{name}` requests {request} of {resource}, more than its limit of {limit}, which the API server refuses."
    yield _fix(
        case,
        refusal,
        own,
        limit,
        f"lower the {resource} request of `{name}` from {request} to {limit}",
        why,
        0.65,
        lambda old: (amount := quantities.parse(old)) is not None and amount <= allowed,
    )
    yield _fix(
        case,
        refusal,
        limits,
        limit,
        f"restore the {resource} limit of `{name}`",
        why,
        0.0,
        lambda old: (amount := quantities.parse(old)) is not None and amount >= asked,
    )


def _minimum_above_maximum(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """Whichever the history says was changed; else the minimum goes down, since the maximum is what was budgeted."""
    spec = refusal.manifest.body.get("spec")
    low, high = (spec.get("minReplicas", 1), spec.get("maxReplicas")) if isinstance(spec, dict) else (None, None)
    if not (str(low).isdigit() and str(high).isdigit()) or int(str(low)) <= int(str(high)):
        return
    if refusal.value.isdigit() and refusal.value not in (str(low), str(high)):
        return
    name, least, most = refusal.manifest.name, int(str(low)), int(str(high))
    why = f"autoscaler `{name}` has minReplicas {least} above maxReplicas {most}, which the API server refuses."
    yield _fix(
        case,
        refusal,
        ("spec", "minReplicas"),
        most,
        f"lower minReplicas of `{name}` from {least} to {most}",
        why,
        0.55,
        lambda old: str(old).isdigit() and 0 < int(old) <= most,
    )
    yield _fix(
        case,
        refusal,
        ("spec", "maxReplicas"),
        most,
        f"restore maxReplicas of `{name}`",
        why,
        0.0,
        lambda old: str(old).isdigit() and int(old) >= least,
    )


def _mount_without_volume(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """The volume of nearly that name, or the only one that nothing mounts; or the volume's own name as it was."""
    found = refusal.manifest.pod_spec()
    if found is None or refusal.present != refusal.value:
        return
    spec, base = found
    volumes = [str(item.get("name")) for item in spec.get("volumes") or () if isinstance(item, dict)]
    mounted = {
        str(mount.get("name"))
        for body, _, _ in refusal.manifest.containers()
        for mount in body.get("volumeMounts") or ()
        if isinstance(mount, dict)
    }
    free = [name for name in volumes if name not in mounted]
    new = surely_meant(refusal.value, volumes) or (free[0] if len(free) == 1 and not _templates(refusal) else "")
    name = refusal.manifest.name
    why = f"`{name}` mounts volume `{refusal.value}`, which it does not define; it defines {', '.join(volumes) or 'none'}."
    yield _fix(
        case,
        refusal,
        refusal.path,
        new or refusal.value,
        f"mount volume `{new}` in `{name}`" if new else f"restore a mount of `{name}`",
        why,
        0.8 if new in free else 0.7 if new else 0.0,
        lambda old: str(old) in volumes,
    )
    for index, volume in enumerate(volumes):
        if volume in free:
            yield _fix(
                case,
                refusal,
                (*base, "volumes", index, "name"),
                volume,
                f"restore the name of volume `{volume}`",
                why,
                0.0,
                lambda old: str(old) == refusal.value,
            )


def _templates(refusal: Refusal) -> bool:
    """A StatefulSet's mounts can mean its volumeClaimTemplates as well."""
    return bool(get(refusal.manifest.body, ("spec", "volumeClaimTemplates")))


def _selector_and_labels(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """Selector and template labels brought into step, on the side that stands alone.

    A selector cannot be changed once the object exists, so the labels follow it; unless a Service finds the pods by
    the labels as they are, which then are right.
    """
    labels, path = pod_labels(refusal.manifest)
    selector = get(refusal.manifest.body, ("spec", "selector", "matchLabels"))
    if not isinstance(selector, dict):
        return
    wrong = [key for key, value in selector.items() if labels.get(key) != str(value)]
    if len(wrong) != 1 or (key := wrong[0]) not in labels:
        return
    name = refusal.manifest.name
    by_labels, by_selector = (
        _selected_by(case, refusal, labels),
        _selected_by(case, refusal, {**labels, key: str(selector[key])}),
    )
    sure_labels, sure_selector = by_labels and not by_selector, by_selector or not by_labels
    why = f"the selector of `{name}` asks for {key}={selector[key]}, its pods would have {key}={labels[key]}."
    yield _fix(
        case,
        refusal,
        (*path, key),
        selector[key],
        f"let the pods of `{name}` have {key}={selector[key]}",
        why,
        0.7 if sure_selector and not sure_labels else 0.0,
        lambda old: str(old) == str(selector[key]),
    )
    yield _fix(
        case,
        refusal,
        ("spec", "selector", "matchLabels", key),
        labels[key],
        f"let `{name}` select {key}={labels[key]}",
        why,
        0.6 if sure_labels else 0.0,
        lambda old: str(old) == labels[key],
    )


def _selected_by(case: RemedyContext, refusal: Refusal, labels: Mapping[str, str]) -> bool:
    """Whether a Service of the namespace finds pods by these labels."""
    namespace = refusal.manifest.namespace_in(refusal.application)
    for _, manifest in neighbours(case, refusal.application, namespace):
        selector = get(manifest.body, ("spec", "selector")) if manifest.kind == "Service" else MISSING
        if isinstance(selector, dict) and matches({str(k): str(v) for k, v in selector.items()}, labels):
            return True
    return False


def _port_out_of_range(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """A port that no port can be: the one of which it is a misspelling, where a Service or probe names it."""
    present = refusal.present
    if str(present) != refusal.value:
        return
    known = {text for text in _ports_named(case, refusal) if text.isdigit() and 0 < int(text) < 65536}
    near = [text for text in known if text in refusal.value or refusal.value.startswith(text)]
    new = int(near[0]) if len(near) == 1 else 0
    name = refusal.manifest.name
    yield _fix(
        case,
        refusal,
        refusal.path,
        new or present,
        f"set {refusal.path[-1]} of `{name}` to {new}" if new else f"restore {refusal.path[-1]} of `{name}`",
        f"`{refusal.value}` is no port: {refusal.detail}.",
        0.65 if new else 0.0,
        lambda old: str(old).isdigit() and 0 < int(old) < 65536,
    )


def _ports_named(case: RemedyContext, refusal: Refusal) -> Iterator[str]:
    labels, _ = pod_labels(refusal.manifest)
    for body, _, _ in refusal.manifest.containers():
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            for way in ("httpGet", "tcpSocket", "grpc"):
                port = get(body, (probe, way, "port"))
                if port is not MISSING and str(port) != refusal.value:
                    yield str(port)
    namespace = refusal.manifest.namespace_in(refusal.application)
    for _, manifest in neighbours(case, refusal.application, namespace):
        selector = get(manifest.body, ("spec", "selector")) if manifest.kind == "Service" else MISSING
        if isinstance(selector, dict) and matches({str(k): str(v) for k, v in selector.items()}, labels):
            for port in get(manifest.body, ("spec", "ports")) or ():
                yield str(port.get("targetPort") or port.get("port"))
