"""A pod as JSON or YAML, told with the same facts as `kubectl describe pod`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.evidence.formats.containers import Container, ContainerState, statements
from remediator.evidence.lines import rfc3339
from remediator.evidence.tables import snake
from remediator.evidence.workload import workload_of_pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.evidence.draft import Draft
    from remediator.evidence.formats.finder import Finder

_ROLES = (
    ("initContainers", "initContainerStatuses", "init"),
    ("containers", "containerStatuses", ""),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
)


def _part(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any, *path: str) -> str:
    found = _part(value, *path)
    if isinstance(found, bool):
        return str(found)
    return str(found) if isinstance(found, str | int | float) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read(item: dict[str, Any], base: Draft, finder: Finder) -> Iterator[Draft]:
    """The pod's own status, its containers, the conditions that do not hold."""
    meta, spec, status = _part(item, "metadata") or {}, _part(item, "spec") or {}, _part(item, "status") or {}
    owner = next(
        (
            f"{_text(one, 'kind')}/{_text(one, 'name')}"
            for one in _dicts(_part(meta, "ownerReferences"))
            if one.get("controller", True)
        ),
        "",
    )
    pod = base.like(pod=_text(meta, "name"), node=_text(spec, "nodeName"))
    pod.kind, pod.name = workload_of_pod(pod.pod, owner)
    labels = _part(meta, "labels") or {}
    pod.facts |= {
        "service_account": _text(spec, "serviceAccountName"),
        "qos": _text(status, "qosClass"),
        "priority_class": _text(spec, "priorityClassName"),
        "controlled_by": owner,
        "labels": ", ".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else "",
        "node_selectors": ", ".join(f"{key}={value}" for key, value in (_part(spec, "nodeSelector") or {}).items()),
        "tolerations": ", ".join(_toleration(one) for one in _dicts(_part(spec, "tolerations"))),
        "pod_started": rfc3339(_text(status, "startTime")),
        "pod_status": _text(status, "phase"),
    }
    why, phase, message = _text(status, "reason"), _text(status, "phase"), _text(status, "message")
    own = pod.like(
        reason=why or phase, text=f"Pod is {phase}" + (f" ({why})" if why else "") + (f": {message}" if message else "")
    )
    own.facts |= {"status": phase, "message": message, "ip": _text(status, "podIP"), **_volumes(spec)}
    yield own
    yield from containers(spec, status, pod, finder)
    for condition in _dicts(_part(status, "conditions")):
        if _text(condition, "status") == "False":
            draft = pod.like(
                reason=_text(condition, "reason") or _text(condition, "type"),
                last_seen=rfc3339(_text(condition, "lastTransitionTime")),
            )
            draft.text = _text(condition, "message") or f"Condition {_text(condition, 'type')} is False"
            draft.line = finder.line(draft.text)
            draft.facts |= {"condition": _text(condition, "type"), "condition_status": "False"}
            yield draft


def _toleration(one: dict[str, Any]) -> str:
    seconds = f" for {_text(one, 'tolerationSeconds')}s" if _text(one, "tolerationSeconds") else ""
    value = f"={_text(one, 'value')}" if _text(one, "value") else ""
    return f"{_text(one, 'key')}{value}:{_text(one, 'effect')} op={_text(one, 'operator') or 'Equal'}{seconds}"


def _volumes(spec: Any) -> dict[str, str]:
    facts: dict[str, str] = {}
    lists: dict[str, list[str]] = {"claims": [], "config_maps": [], "secrets": []}
    for volume in _dicts(_part(spec, "volumes")):
        for key, kind, field, listed in (
            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName", "claims"),
            ("configMap", "ConfigMap", "name", "config_maps"),
            ("secret", "Secret", "secretName", "secrets"),
            ("hostPath", "HostPath", "path", ""),
            ("emptyDir", "EmptyDir", "", ""),
        ):
            if key in volume:
                target = _text(volume, key, field) if field else ""
                facts[f"volume_{_text(volume, 'name')}"] = f"{kind}/{target}" if target else kind
                if listed and target:
                    lists[listed].append(target)
    return facts | {key: ", ".join(dict.fromkeys(names)) for key, names in lists.items()}


def containers(spec: Any, status: Any, pod: Draft, finder: Finder) -> Iterator[Draft]:
    """The statements of a pod's (or a template's) containers from spec and status."""
    boxes = []
    for field, states, role in _ROLES:
        known = {_text(one, "name"): one for one in _dicts(_part(status, states))}
        boxes += [
            _container(one, known.get(_text(one, "name"), {}), role, finder) for one in _dicts(_part(spec, field))
        ]
    yield from statements(pod, boxes)


def _container(spec: dict[str, Any], status: dict[str, Any], role: str, finder: Finder) -> Container:
    line = finder.line(_text(spec, "name"))
    box = Container(_text(spec, "name"), line, _text(spec, "image"), role)
    box.facts |= {
        "ready": _text(status, "ready"),
        "restart_count": _text(status, "restartCount"),
        "image_id": _text(status, "imageID"),
        "ports": ", ".join(f"{_text(p, 'containerPort')}/{_text(p, 'protocol') or 'TCP'}" + (f" ({_text(p, 'name')})" if _text(p, "name") else "") for p in _dicts(_part(spec, "ports"))),
        "command": "\n".join(map(str, _part(spec, "command") or ())),
        "args": "\n".join(map(str, _part(spec, "args") or ())),
        "mounts": "; ".join(f"{_text(m, 'mountPath')} from {_text(m, 'name')} ({'ro' if m.get('readOnly') else 'rw'}" + (f',path="{_text(m, "subPath")}"' if _text(m, "subPath") else "") + ")" for m in _dicts(_part(spec, "volumeMounts"))),
        "env_from": ", ".join(f"{kind}/{_text(one, ref, 'name')}" for one in _dicts(_part(spec, "envFrom")) for ref, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")) if ref in one),
    }  # fmt: skip
    for probe in ("liveness", "readiness", "startup"):
        box.facts[probe] = probe_text(_part(spec, f"{probe}Probe"))
    for field, suffix in (("limits", "limit"), ("requests", "request")):
        for key, value in (_part(spec, "resources", field) or {}).items():
            box.facts[f"{snake(str(key))}_{suffix}"] = str(value)
    for variable in _dicts(_part(spec, "env")):
        box.facts[f"env_{_text(variable, 'name')}"] = _variable(variable)
    _state(_part(status, "state"), box.state, line)
    _state(_part(status, "lastState"), box.last, line)
    return box


def _variable(variable: dict[str, Any]) -> str:
    """The value, or the reference in describe's own words."""
    for ref, noun in (("secretKeyRef", "secret"), ("configMapKeyRef", "config map")):
        if isinstance(found := _part(variable, "valueFrom", ref), dict):
            return f"<set to the key '{_text(found, 'key')}' in {noun} '{_text(found, 'name')}'>  Optional: {str(bool(found.get('optional'))).lower()}"
    return _text(variable, "value") or (
        f"({_text(variable, 'valueFrom', 'fieldRef', 'fieldPath')})" if "valueFrom" in variable else ""
    )


def probe_text(probe: Any) -> str:
    """A probe as describe prints it: `http-get http://:8080/healthz delay=10s timeout=1s period=5s #success=1 #failure=3`."""
    if not isinstance(probe, dict):
        return ""
    how = "unknown"
    if isinstance(get := probe.get("httpGet"), dict):
        path = _text(get, "path") or "/"
        how = f"http-get {(_text(get, 'scheme') or 'HTTP').lower()}://{_text(get, 'host')}:{_text(get, 'port')}{path if path.startswith('/') else f'/{path}'}"
    elif isinstance(socket := probe.get("tcpSocket"), dict):
        how = f"tcp-socket {_text(socket, 'host')}:{_text(socket, 'port')}"
    elif isinstance(run := probe.get("exec"), dict):
        how = f"exec [{' '.join(map(str, run.get('command') or ()))}]"
    elif isinstance(grpc := probe.get("grpc"), dict):
        how = f"grpc <pod>:{_text(grpc, 'port')} {_text(grpc, 'service')}"
    numbers = (
        ("delay", "initialDelaySeconds", "0"),
        ("timeout", "timeoutSeconds", "1"),
        ("period", "periodSeconds", "10"),
    )
    said = " ".join(f"{name}={_text(probe, key) or default}s" for name, key, default in numbers)
    return f"{how} {said} #success={_text(probe, 'successThreshold') or '1'} #failure={_text(probe, 'failureThreshold') or '3'}"


def _state(value: Any, state: ContainerState, line: int) -> None:
    if not isinstance(value, dict):
        return
    for kind in ("waiting", "running", "terminated"):
        if isinstance(found := value.get(kind), dict):
            state.kind, state.line = kind.capitalize(), line
            state.reason, state.message = _text(found, "reason"), _text(found, "message")
            state.exit_code, state.signal = _text(found, "exitCode"), _text(found, "signal")
            state.started, state.finished = rfc3339(_text(found, "startedAt")), rfc3339(_text(found, "finishedAt"))
