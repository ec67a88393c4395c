"""Relations between workloads and the sidecars that a mesh injects into them."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.yaml_paths import get
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import mapping, pod_template
from remediator.judgement.world import Placed, World

_INJECT = "sidecar.istio.io/inject"
_MEMBER = {"istio-injection": "enabled"}


def jobs_end_beside_their_proxy(world: World) -> Iterator[Broken]:
    """Yield Jobs of namespaces where Istio injects its proxy: it runs on when the Job's program has ended.

    https://istio.io/latest/blog/2023/native-sidecars/ tells it, and from when on it is otherwise.
    """
    for job in world.of_kind("Job", "CronJob"):
        spec, path = pod_template(job)
        if not spec or not _is_member(world, job):
            continue
        metadata = (*path[:-1], "metadata")
        labels, notes = (mapping(get(job.body, (*metadata, part))) for part in ("labels", "annotations"))
        if _INJECT in labels or _INJECT in notes or "sidecar.istio.io/nativeSidecar" in notes:
            continue
        value = "false" if labels else {_INJECT: "false"}
        yield Broken(
            relation="jobs_end_beside_their_proxy", at=job, path=(*metadata, "labels", *([_INJECT] if labels else [])),
            value=value, sure=0.75, words=(job.name, "istio-proxy"),
            message=f"Istio injects its proxy into the pods of {job.kind} {job.name}, which therefore do not end",
            causes=("signal:job_already_active", "signal:proxy_outlives_job"),
        )  # fmt: skip


def _is_member(world: World, job: Placed) -> bool:
    """Return True where the namespace's own object, or the Application that makes it, switches injection on."""
    labels = [
        mapping(mapping(item.body.get("metadata")).get("labels"))
        for item in world.of_kind("Namespace")
        if item.name == job.namespace and item.cluster == job.cluster
    ]
    labels += [
        mapping(get(app.body, ("spec", "syncPolicy", "managedNamespaceMetadata", "labels")))
        for app in world.applications
        if app.namespace == job.namespace and app.cluster == job.cluster
    ]
    return any(_MEMBER.items() <= found.items() for found in labels)
