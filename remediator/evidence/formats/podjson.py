"""A pod as JSON or YAML, with the same facts as `kubectl describe pod`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.json_reader import objects_at, text_at, value_at
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


def read(item: dict[str, Any], base: Draft, finder: Finder) -> Iterator[Draft]:
    """Yield the pod's own status, its containers, the conditions that do not hold."""
    meta, spec, status = value_at(item, "metadata") or {}, value_at(item, "spec") or {}, value_at(item, "status") or {}
    owner = next(
        (
            f"{text_at(reference, 'kind')}/{text_at(reference, 'name')}"
            for reference in objects_at(meta, "ownerReferences")
            if reference.get("controller", True)
        ),
        "",
    )
    pod = base.like(pod=text_at(meta, "name"), node=text_at(spec, "nodeName"))
    pod.kind, pod.name = workload_of_pod(pod.pod, owner)
    labels = value_at(meta, "labels") or {}
    pod.facts |= {
        "service_account": text_at(spec, "serviceAccountName"),
        "qos": text_at(status, "qosClass"),
        "priority_class": text_at(spec, "priorityClassName"),
        "controlled_by": owner,
        "labels": ", ".join(f"{key}={value}" for key, value in labels.items()) if isinstance(labels, dict) else "",
        "node_selectors": ", ".join(f"{key}={value}" for key, value in (value_at(spec, "nodeSelector") or {}).items()),
        "tolerations": ", ".join(_toleration(item) for item in objects_at(spec, "tolerations")),
        "pod_started": rfc3339(text_at(status, "startTime")),
        "pod_status": text_at(status, "phase"),
    }
    why, phase, message = text_at(status, "reason"), text_at(status, "phase"), text_at(status, "message")
    summary = pod.like(
        reason=why or phase, text=f"Pod is {phase}" + (f" ({why})" if why else "") + (f": {message}" if message else "")
    )
    summary.facts |= {"status": phase, "message": message, "ip": text_at(status, "podIP"), **_volumes(spec)}
    yield summary
    yield from containers(spec, status, pod, finder)
    for condition in objects_at(status, "conditions"):
        if text_at(condition, "status") == "False":
            draft = pod.like(
                reason=text_at(condition, "reason") or text_at(condition, "type"),
                last_seen=rfc3339(text_at(condition, "lastTransitionTime")),
            )
            draft.text = text_at(condition, "message") or f"Condition {text_at(condition, 'type')} is False"
            draft.line = finder.line(draft.text)
            draft.facts |= {"condition": text_at(condition, "type"), "condition_status": "False"}
            yield draft


def _toleration(toleration: dict[str, Any]) -> str:
    seconds = f" for {text_at(toleration, 'tolerationSeconds')}s" if text_at(toleration, "tolerationSeconds") else ""
    value = f"={text_at(toleration, 'value')}" if text_at(toleration, "value") else ""
    return f"{text_at(toleration, 'key')}{value}:{text_at(toleration, 'effect')} op={text_at(toleration, 'operator') or 'Equal'}{seconds}"


def _volumes(spec: Any) -> dict[str, str]:
    facts: dict[str, str] = {}
    lists: dict[str, list[str]] = {"claims": [], "config_maps": [], "secrets": []}
    for volume in objects_at(spec, "volumes"):
        for key, kind, field, listed in (
            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName", "claims"),
            ("configMap", "ConfigMap", "name", "config_maps"),
            ("secret", "Secret", "secretName", "secrets"),
            ("hostPath", "HostPath", "path", ""),
            ("emptyDir", "EmptyDir", "", ""),
        ):
            if key in volume:
                target = text_at(volume, key, field) if field else ""
                facts[f"volume_{text_at(volume, 'name')}"] = f"{kind}/{target}" if target else kind
                if listed and target:
                    lists[listed].append(target)
    return facts | {key: ", ".join(dict.fromkeys(names)) for key, names in lists.items()}


def containers(spec: Any, status: Any, pod: Draft, finder: Finder) -> Iterator[Draft]:
    """Yield the statements of a pod's (or a template's) containers from spec and status."""
    boxes = []
    for field, states, role in _ROLES:
        statuses = {text_at(state, "name"): state for state in objects_at(status, states)}
        boxes += [
            _container(body, statuses.get(text_at(body, "name"), {}), role, finder) for body in objects_at(spec, field)
        ]
    yield from statements(pod, boxes)


def _container(spec: dict[str, Any], status: dict[str, Any], role: str, finder: Finder) -> Container:
    line = finder.line(text_at(spec, "name"))
    box = Container(text_at(spec, "name"), line, text_at(spec, "image"), role)
    box.facts |= {
        "ready": text_at(status, "ready").capitalize(),  # as `kubectl describe` writes it
        "restart_count": text_at(status, "restartCount"),
        "image_id": text_at(status, "imageID"),
        "ports": ", ".join(f"{text_at(p, 'containerPort')}/{text_at(p, 'protocol') or 'TCP'}" + (f" ({text_at(p, 'name')})" if text_at(p, "name") else "") for p in objects_at(spec, "ports")),
        "command": "\n".join(map(str, value_at(spec, "command") or ())),
        "args": "\n".join(map(str, value_at(spec, "args") or ())),
        "mounts": "; ".join(f"{text_at(m, 'mountPath')} from {text_at(m, 'name')} ({'ro' if m.get('readOnly') else 'rw'}" + (f',path="{text_at(m, "subPath")}"' if text_at(m, "subPath") else "") + ")" for m in objects_at(spec, "volumeMounts")),
        "env_from": ", ".join(f"{kind}/{text_at(source, ref, 'name')}" for source in objects_at(spec, "envFrom") for ref, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")) if ref in source),
    }  # fmt: skip
    for probe in ("liveness", "readiness", "startup"):
        box.facts[probe] = probe_text(value_at(spec, f"{probe}Probe"))
    for field, suffix in (("limits", "limit"), ("requests", "request")):
        for key, value in (value_at(spec, "resources", field) or {}).items():
            box.facts[f"{snake(str(key))}_{suffix}"] = str(value)
    for variable in objects_at(spec, "env"):
        box.facts[f"env_{text_at(variable, 'name')}"] = _variable(variable)
    _state(value_at(status, "state"), box.state, line)
    _state(value_at(status, "lastState"), box.last, line)
    return box


def _variable(variable: dict[str, Any]) -> str:
    """Return the value, or the reference as describe prints it."""
    for ref, noun in (("secretKeyRef", "secret"), ("configMapKeyRef", "config map")):
        if isinstance(reference := value_at(variable, "valueFrom", ref), dict):
            return f"<set to the key '{text_at(reference, 'key')}' in {noun} '{text_at(reference, 'name')}'>  Optional: {str(bool(reference.get('optional'))).lower()}"
    return text_at(variable, "value") or (
        f"({text_at(variable, 'valueFrom', 'fieldRef', 'fieldPath')})" if "valueFrom" in variable else ""
    )


def probe_text(probe: Any) -> str:
    """Return a probe as describe prints it: `http-get http://:8080/healthz delay=10s timeout=1s period=5s #success=1 #failure=3`."""
    if not isinstance(probe, dict):
        return ""
    how = "unknown"
    if isinstance(get := probe.get("httpGet"), dict):
        path = text_at(get, "path") or "/"
        how = f"http-get {(text_at(get, 'scheme') or 'HTTP').lower()}://{text_at(get, 'host')}:{text_at(get, 'port')}{path if path.startswith('/') else f'/{path}'}"
    elif isinstance(socket := probe.get("tcpSocket"), dict):
        how = f"tcp-socket {text_at(socket, 'host')}:{text_at(socket, 'port')}"
    elif isinstance(run := probe.get("exec"), dict):
        how = f"exec [{' '.join(map(str, run.get('command') or ()))}]"
    elif isinstance(grpc := probe.get("grpc"), dict):
        how = f"grpc <pod>:{text_at(grpc, 'port')} {text_at(grpc, 'service')}"
    numbers = (
        ("delay", "initialDelaySeconds", "0"),
        ("timeout", "timeoutSeconds", "1"),
        ("period", "periodSeconds", "10"),
    )
    timing = " ".join(f"{name}={text_at(probe, key) or default}s" for name, key, default in numbers)
    return f"{how} {timing} #success={text_at(probe, 'successThreshold') or '1'} #failure={text_at(probe, 'failureThreshold') or '3'}"


def _state(value: Any, state: ContainerState, line: int) -> None:
    if not isinstance(value, dict):
        return
    for kind in ("waiting", "running", "terminated"):
        if isinstance(details := value.get(kind), dict):
            state.kind, state.line = kind.capitalize(), line
            state.reason, state.message = text_at(details, "reason"), text_at(details, "message")
            state.exit_code, state.signal = text_at(details, "exitCode"), text_at(details, "signal")
            state.started, state.finished = (
                rfc3339(text_at(details, "startedAt")),
                rfc3339(text_at(details, "finishedAt")),
            )
