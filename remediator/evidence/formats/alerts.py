"""Alerts: Alertmanager's v2 API and groups, its webhook (also inside a repository_dispatch), Prometheus' own list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from remediator.evidence.contain import contained
from remediator.evidence.draft import Draft
from remediator.evidence.formats.events import set_subject
from remediator.evidence.lines import rfc3339
from remediator.evidence.tables import snake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from remediator.domain.incident import Subject
    from remediator.evidence.formats.finder import Finder
    from remediator.evidence.section import Section

_OWNERS = (
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("cronjob", "CronJob"),
    ("job_name", "Job"),
    ("replicaset", "ReplicaSet"),
    ("rollout", "Rollout"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("persistentvolume", "PersistentVolume"),
    ("poddisruptionbudget", "PodDisruptionBudget"),
    ("resourcequota", "ResourceQuota"),
    ("ingress", "Ingress"),
)
"""Labels by which kube-state-metrics names an object, most telling first; `pod` comes before them all."""

_EXPORTERS = frozenset(
    {
        "kube-state-metrics",
        "node-exporter",
        "kubelet",
        "cadvisor",
        "argocd-metrics",
        "argocd-application-controller-metrics",
    }
)
"""Jobs whose `service`, `endpoint` and `instance` labels tell who measured, not who is in trouble."""

_IN_TEXT = re.compile(r"[Pp]od (?:in namespace )?(?P<ns>[a-z0-9-]{1,63})/(?P<pod>[a-z0-9][a-z0-9.-]{0,252})")
_CONTAINER_IN_TEXT = re.compile(r"(?:container |\()(?P<c>[a-z0-9][a-z0-9-]{0,62})(?:\)| in pod)")


def _alerts(document: Any) -> list[Any]:
    """Return the alerts of a document of any known shape; empty for anything else."""
    if isinstance(document, dict):
        if isinstance(document.get("alerts"), list):
            return list(document["alerts"])
        data = document.get("data")
        if isinstance(data, dict) and isinstance(data.get("alerts"), list):
            return list(data["alerts"])
        if isinstance(document.get("labels"), dict) and "alertname" in document["labels"]:
            return [document]
    if isinstance(document, list) and document and all(isinstance(item, dict) for item in document):
        if all(isinstance(item.get("alerts"), list) for item in document):
            return [alert for group in document for alert in group["alerts"]]
        if any(isinstance(item.get("labels"), dict) and "alertname" in item["labels"] for item in document):
            return document
    return []


def is_alerts(document: Any) -> bool:
    """Return True if the document holds alerts."""
    return bool(_alerts(document))


def read(document: Any, section: Section, finder: Finder) -> Iterator[Draft]:
    """Yield one `alert` each; silenced, inhibited and resolved ones are marked in their facts, not left out."""
    shared = document.get("commonLabels") if isinstance(document, dict) else None
    for number, alert in enumerate(_alerts(document), 1):
        labels = alert.get("labels") if isinstance(alert, dict) else None
        if isinstance(labels, dict):
            merged = {**(shared if isinstance(shared, dict) else {}), **labels}
            told = _told(alert, {str(k): str(v) for k, v in merged.items()}, section, finder)
            yield from contained(told, section.context, section.first, f"alert {number}")


def _told(alert: dict[str, Any], labels: dict[str, str], section: Section, finder: Finder) -> Iterator[Draft]:
    yield _alert(alert, labels, section, finder)


def _alert(alert: dict[str, Any], labels: dict[str, str], section: Section, finder: Finder) -> Draft:
    name = labels.get("alertname", "")
    notes = alert.get("annotations") if isinstance(alert.get("annotations"), dict) else {}
    notes = {str(key): str(text) for key, text in (notes or {}).items()}
    draft = Draft(finder.line(name), "alert", reason=name, level=labels.get("severity", ""), section=section.no)
    draft.text = next(
        (text for key in ("description", "message", "summary") if (text := notes.get(key, "").strip())), name
    )
    draft.facts |= _state(alert) | {snake(key): text for key, text in notes.items() if key != "description"}
    draft.facts |= {f"label_{key}": text for key, text in labels.items() if key not in {"alertname", "severity"}}
    draft.first_seen = rfc3339(str(alert.get("startsAt") or alert.get("activeAt") or ""))
    ends = rfc3339(str(alert.get("endsAt") or ""))
    if draft.facts["status"] == "resolved":
        draft.facts["ended"], draft.last_seen = ends, ends
    _regard(labels, draft)
    return draft


def subject_of_alert(labels: Mapping[str, str], text: str = "") -> Subject:
    """Return the subject of an alert, to compare a live alert with an incident's statements."""
    draft = Draft(0, "alert", text=text)
    _regard(labels, draft)
    return draft.settle().statement().subject


def _regard(labels: Mapping[str, str], draft: Draft) -> None:
    """Set the subject from the labels, or else from a pod that only the text names."""
    subject_of(labels, draft)
    if not draft.pod and draft.kind in {"", "Pod"} and (match := _IN_TEXT.search(draft.text)):
        draft.namespace = draft.namespace or match["ns"]
        set_subject(draft, "Pod", match["pod"].rstrip("."))
        if not draft.container and (inside := _CONTAINER_IN_TEXT.search(draft.text)):
            draft.container = inside["c"]


def _state(alert: dict[str, Any]) -> dict[str, str]:
    status = alert.get("status")
    facts = {"status": "firing", "fingerprint": str(alert.get("fingerprint") or "")}
    if isinstance(status, dict):
        facts["state"] = str(status.get("state") or "")
        for key, fact in (("silencedBy", "silenced_by"), ("inhibitedBy", "inhibited_by")):
            if isinstance(status.get(key), list):
                facts[fact] = ", ".join(map(str, status[key]))
    else:
        word = str(status or alert.get("state") or "firing")
        facts["status"] = "firing" if word in {"active", "firing"} else word
    return facts


def subject_of(labels: Mapping[str, str], draft: Draft) -> None:
    """Set the subject from labels of kube-prometheus, Argo CD's metrics or a log collector.

    `exported_` labels win: Prometheus so renames what the exporter said when it clashes with what the scrape added.
    """

    def label(*names: str) -> str:
        return next((text for name in names if (text := labels.get(f"exported_{name}") or labels.get(name))), "")

    draft.cluster = label("cluster", "cluster_name", "k8s_cluster_name")
    draft.namespace = label(
        "namespace", "kubernetes_namespace", "kubernetes_namespace_name", "k8s_namespace_name", "destination_namespace"
    )
    draft.container = label("container", "container_name", "kubernetes_container_name", "k8s_container_name").replace(
        "POD", ""
    )
    draft.node = label("node", "node_name", "k8s_node_name", "kubernetes_node", "nodename")
    draft.image = label("image", "container_image")
    draft.application = label("application", "argocd_app", "argocd_app_name", "argocd_argoproj_io_instance")
    if "sync_status" in labels or "dest_server" in labels or "autosync_enabled" in labels:
        draft.application = draft.application or label("name")
        draft.kind, draft.name = "Application", draft.application
        draft.namespace = label("namespace")
        draft.facts["destination_namespace"] = label("dest_namespace")
        return
    for name, kind in _OWNERS:
        if value := label(name):
            set_subject(draft, kind, value)
            break
    if pod := label("pod", "pod_name", "kubernetes_pod_name", "k8s_pod_name", "kubernetes_pod"):
        job = label("job")
        measured_by = pod.startswith(job) and job in _EXPORTERS and "exported_pod" not in labels and bool(draft.name)
        if not measured_by:
            draft.pod = pod
    if not draft.name and not draft.pod:
        if draft.node or (label("instance") and label("job") in {"node-exporter", "kubelet"}):
            draft.node = draft.node or label("instance").split(":")[0]
            draft.kind, draft.name = "Node", draft.node
        elif (service := label("service")) and label("job") not in _EXPORTERS:
            draft.kind, draft.name = "Service", service
