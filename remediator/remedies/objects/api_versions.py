"""API versions that Kubernetes no longer serves, and what replaced them.

From https://kubernetes.io/docs/reference/using-api/deprecation-guide/. A version is only moved where the object's own
fields mean the same in the new one; where a field was renamed or became required, a person converts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.application_field import complaints

Body = Mapping[str, Any]


def _always(_: Body) -> bool:
    return True


def _has_selector(body: Body) -> bool:
    """Return True where the selector fits the template's labels, which apps/v1 requires."""
    selector, labels = (
        get(body, ("spec", "selector", "matchLabels")),
        get(body, ("spec", "template", "metadata", "labels")),
    )
    return isinstance(selector, dict) and isinstance(labels, dict) and selector.items() <= labels.items()


def _has_budget_selector(body: Body) -> bool:
    """Return True where a selector is set: an empty one selects nothing in policy/v1beta1, everything in policy/v1."""
    return bool(get(body, ("spec", "selector")))


def _ingress_has_no_backend(body: Body) -> bool:
    """Return True where no backend must be rewritten: networking.k8s.io/v1 nests them and requires pathType."""
    spec = body.get("spec")
    if not isinstance(spec, dict) or "backend" in spec:
        return False
    rules = [rule for rule in spec.get("rules") or () if isinstance(rule, dict)]
    paths = [item for rule in rules for item in (rule.get("http") or {}).get("paths") or () if isinstance(item, dict)]
    return all("pathType" in item and "serviceName" not in (item.get("backend") or {}) for item in paths)


def _metrics_as_v2(body: Body) -> bool:
    """Return True where every metric has `target`, which autoscaling/v2beta1 did not have."""
    metrics = get(body, ("spec", "metrics"))
    if metrics is MISSING or metrics is None:
        return True
    return all(
        isinstance(part, dict) and "target" in part
        for item in metrics
        if isinstance(item, dict)
        for key, part in item.items()
        if key in ("resource", "pods", "object", "external", "containerResource")
    )


def _no_topology(body: Body) -> bool:
    return all("topology" not in item for item in body.get("endpoints") or () if isinstance(item, dict))


_APPS = ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
_RBAC = ("rbac.authorization.k8s.io/v1alpha1", "rbac.authorization.k8s.io/v1beta1")

_MOVES: dict[tuple[str, str], tuple[str, Callable[[Body], bool]]] = {
    ("policy/v1beta1", "PodDisruptionBudget"): ("policy/v1", _has_budget_selector),
    ("batch/v1beta1", "CronJob"): ("batch/v1", _always),
    ("batch/v2alpha1", "CronJob"): ("batch/v1", _always),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): ("autoscaling/v2", _always),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): ("autoscaling/v2", _metrics_as_v2),
    ("extensions/v1beta1", "NetworkPolicy"): ("networking.k8s.io/v1", _always),
    ("extensions/v1beta1", "Ingress"): ("networking.k8s.io/v1", _ingress_has_no_backend),
    ("networking.k8s.io/v1beta1", "Ingress"): ("networking.k8s.io/v1", _ingress_has_no_backend),
    ("networking.k8s.io/v1beta1", "IngressClass"): ("networking.k8s.io/v1", _always),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"): ("scheduling.k8s.io/v1", _always),
    ("scheduling.k8s.io/v1alpha1", "PriorityClass"): ("scheduling.k8s.io/v1", _always),
    ("storage.k8s.io/v1beta1", "StorageClass"): ("storage.k8s.io/v1", _always),
    ("storage.k8s.io/v1beta1", "CSIDriver"): ("storage.k8s.io/v1", _always),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"): ("storage.k8s.io/v1", _always),
    ("storage.k8s.io/v1beta1", "VolumeAttachment"): ("storage.k8s.io/v1", _always),
    ("coordination.k8s.io/v1beta1", "Lease"): ("coordination.k8s.io/v1", _always),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): ("discovery.k8s.io/v1", _no_topology),
    ("node.k8s.io/v1beta1", "RuntimeClass"): ("node.k8s.io/v1", _always),
    ("apiregistration.k8s.io/v1beta1", "APIService"): ("apiregistration.k8s.io/v1", _always),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"): ("flowcontrol.apiserver.k8s.io/v1", _always),
    ("snapshot.storage.k8s.io/v1beta1", "VolumeSnapshot"): ("snapshot.storage.k8s.io/v1", _always),
    ("snapshot.storage.k8s.io/v1beta1", "VolumeSnapshotClass"): ("snapshot.storage.k8s.io/v1", _always),
    ("gateway.networking.k8s.io/v1beta1", "HTTPRoute"): ("gateway.networking.k8s.io/v1", _always),
    ("gateway.networking.k8s.io/v1beta1", "Gateway"): ("gateway.networking.k8s.io/v1", _always),
    ("gateway.networking.k8s.io/v1beta1", "GatewayClass"): ("gateway.networking.k8s.io/v1", _always),
    ("external-secrets.io/v1beta1", "ExternalSecret"): ("external-secrets.io/v1", _always),
    ("external-secrets.io/v1beta1", "SecretStore"): ("external-secrets.io/v1", _always),
    ("external-secrets.io/v1beta1", "ClusterSecretStore"): ("external-secrets.io/v1", _always),
    **{
        (version, kind): ("apps/v1", _has_selector)
        for version in _APPS
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    },
    **{
        (version, kind): ("rbac.authorization.k8s.io/v1", _always)
        for version in _RBAC
        for kind in ("Role", "RoleBinding", "ClusterRole")
    },
}

_INSTALLED = re.compile(r'Version \\?"(?P<version>[\w.]+)\\?" of (?P<group>[\w.-]*)/(?P<kind>\w+) is installed')
_NAMED = re.compile(
    r'(?:could not find (?:version \\?"[\w.]+\\?" of )?[\w.-]*/(?P<kind>\w+)|no matches for kind \\?"(?P<kind2>\w+)\\?")'
)


def bump_api_version(case: RemedyContext) -> Iterator[Fix]:
    """Move every object of the removed version to the one that the cluster serves."""
    handled: set[tuple[str, str]] = set()
    for application, evidence in complaints(case, *case.action.ends):
        kind = evidence.facts.get("kind") or _kind_in(evidence.text)
        if not kind or (application.name, kind) in handled:
            continue
        handled.add((application.name, kind))
        yield from _moved(case, application, kind, evidence)


def _kind_in(text: str) -> str:
    match = _NAMED.search(text)
    return (match["kind"] or match["kind2"] or "") if match else ""


def _moved(case: RemedyContext, application: Application, kind: str, evidence: Evidence) -> Iterator[Fix]:
    version = evidence.facts.get("version", "")
    objects = [
        item for item in case.repository.objects(application) if item.kind == kind and _is_version(item, version)
    ]
    moves = {item.api_version: _MOVES.get((item.api_version, kind)) for item in objects}
    supported = {old: move for old, move in moves.items() if move is not None}
    if len(supported) != 1:
        yield from _from_history(case, [item for item in objects if item.api_version not in supported], evidence)
        return
    old, (new, same_fields) = next(iter(supported.items()))
    installed = _INSTALLED.search(evidence.text)
    if not version and not installed and not _built_in(old):
        return  # the definition itself is not installed, whatever its version
    if installed and installed["version"] != new.rpartition("/")[2]:
        return
    stale = [item for item in objects if item.api_version == old]
    if not stale or not all(same_fields(item.body) for item in stale):
        return
    names = ", ".join(f"`{item.name}`" for item in stale[:4])
    yield Fix(
        title=f"move {kind} {names} to {new}",
        reason=f"{old} of {kind} is no longer served by the cluster. {new} is, and it has the same fields.",
        evidence=case.cite(evidence),
        wants=tuple(Want(application, item, ("apiVersion",), new) for item in stale),
        parameters={"kind": kind, "from": old, "to": new},
        score=0.85,
    )


def _built_in(version: str) -> bool:
    group = version.rpartition("/")[0]
    return "." not in group or (group.endswith(".k8s.io") and not group.startswith(("gateway.", "snapshot.")))


def _is_version(item: Manifest, version: str) -> bool:
    return not version or version in (item.api_version, item.api_version.rpartition("/")[2])


def _from_history(case: RemedyContext, objects: list[Manifest], evidence: Evidence) -> Iterator[Fix]:
    """Restore a version that the table does not have: the history shows the one before it was misspelt."""
    if len({item.api_version for item in objects}) != 1:
        return
    current = objects[0].api_version
    application = case.repository.application(objects[0].app)
    if application is None or not evidence.facts.get("version"):
        return
    yield Fix(
        title=f"restore apiVersion of {objects[0].kind} `{objects[0].name}`",
        reason=f"The cluster does not serve {current} of {objects[0].kind}.",
        evidence=case.cite(evidence),
        wants=tuple(Want(application, item, ("apiVersion",), current) for item in objects),
        parameters={"kind": objects[0].kind, "from": current},
        score=0.0,
        accepts=lambda old: isinstance(old, str) and old != current and (old, objects[0].kind) not in _MOVES,
    )
