"""Name who else decides a field: autoscalers, ignored differences, image updaters.

An edit of such a field has no effect or is undone, so the reviewer must know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops.model import Application, Manifest
from remediator.gitops.render.merge import pointer


def notes(app: Application, target: Manifest, path: YamlPath, objects: Iterable[Manifest]) -> Iterator[str]:
    """Yield sentences for the reviewer."""
    for item in objects:
        yield from _scaler(item, target, path)
    yield from _ignored(app, target, path)
    annotations = (app.body.get("metadata") or {}).get("annotations") or {}
    if path[-1:] == ("image",) and any(str(key).startswith("argocd-image-updater.argoproj.io/") for key in annotations):
        yield "Argo CD Image Updater writes the images of this Application"


def _scaler(item: Manifest, target: Manifest, path: YamlPath) -> Iterator[str]:
    spec = item.body.get("spec")
    if not isinstance(spec, dict):
        return
    reference = spec.get("scaleTargetRef") or spec.get("targetRef") or {}
    if (
        not isinstance(reference, dict)
        or str(reference.get("kind", "Deployment")) != target.kind
        or reference.get("name") != target.name
        or item.namespace != target.namespace
    ):
        return
    if path == ("spec", "replicas") and item.kind == "HorizontalPodAutoscaler":
        yield f"HorizontalPodAutoscaler {item.name} owns replicas ({spec.get('minReplicas', 1)} to {spec.get('maxReplicas', '?')})"
    elif path == ("spec", "replicas") and item.kind == "ScaledObject":
        yield f"KEDA ScaledObject {item.name} owns replicas"
    elif (
        "resources" in path
        and item.kind == "VerticalPodAutoscaler"
        and ((spec.get("updatePolicy") or {}).get("updateMode") or "Auto") != "Off"
    ):
        yield f"VerticalPodAutoscaler {item.name} owns resources"


def _ignored(app: Application, target: Manifest, path: YamlPath) -> Iterator[str]:
    spec = app.body.get("spec") or {}
    for rule in spec.get("ignoreDifferences") or []:
        if not isinstance(rule, dict) or not _applies(rule, target):
            continue
        text = tuple(str(step) for step in path)
        pointers = [pointer(str(item)) for item in rule.get("jsonPointers") or []]
        queries = [str(item) for item in rule.get("jqPathExpressions") or []]
        if any(text[: len(item)] == item for item in pointers) or any(_jq_covers(item, path) for item in queries):
            respected = "RespectIgnoreDifferences=true" in ((spec.get("syncPolicy") or {}).get("syncOptions") or [])
            yield "ignoreDifferences hides this field from Argo CD" + (
                ", and a sync leaves it as it is in the cluster" if respected else ""
            )


def _applies(rule: dict[str, object], target: Manifest) -> bool:
    group = target.api_version.rpartition("/")[0]
    properties = (("group", group), ("kind", target.kind), ("name", target.name), ("namespace", target.namespace))
    return all(not rule.get(key) or rule[key] in (value, "*") for key, value in properties)


def _jq_covers(expression: str, path: YamlPath) -> bool:
    """Return whether a jq path covers the field; selections of items count as all of them."""
    steps = re.findall(
        r"\.([A-Za-z_][\w]*)|\[\"([^\"]+)\"\]", re.sub(r"\|.*", "", re.sub(r"\[\]?[^\"\]]*\]?", "", expression))
    )
    names = [first or second for first, second in steps]
    text = [str(step) for step in path if not isinstance(step, int) and "=" not in str(step)]
    return bool(names) and text[: len(names)] == names
