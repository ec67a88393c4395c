"""Quotas, limit ranges and evictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, REPLICA_SET, claim, events, other, propose, shop, workload


def refused(why: str) -> str:
    return events(("FailedCreate", REPLICA_SET, f'Error creating: pods "web-5d7b9c6f8b-x2m7k" is forbidden: {why}'))


def resources(**sides: dict[str, Any]) -> dict[str, Any]:
    return {"resources": sides}


def quota(**hard: Any) -> dict[str, Any]:
    return other("ResourceQuota", "compute", {"hard": {name.replace("_", "."): value for name, value in hard.items()}})


BOX = "spec.template.spec.containers.0.resources"


@pytest.mark.parametrize(
    ("box", "hard", "replicas", "demand", "expected"),
    [
        ({}, {"limits_cpu": "2"}, 1, "limits.cpu", {"limits.cpu": "100m"}),
        ({}, {"limits_cpu": "90m"}, 2, "limits.cpu", {"limits.cpu": "30m"}),
        (resources(requests={"cpu": "200m"}), {"limits_cpu": "2"}, 1, "limits.cpu", {"limits.cpu": "200m"}),
        ({}, {"limits_memory": "1Gi", "requests_memory": "1Gi"}, 1, "limits.memory,requests.memory", {"limits.memory": "128Mi", "requests.memory": "128Mi"}),
        (resources(requests={"cpu": "200m"}), {"limits_cpu": "150m"}, 1, "limits.cpu", None),
        (resources(limits={"cpu": "1"}), {"limits_cpu": "2"}, 1, "limits.cpu", None),
    ],
    ids=["usual", "shared", "no-less-than-request", "both", "no-room", "set-since"],
)  # fmt: skip
def test_what_a_quota_demands_is_set_so_that_it_fits(
    tmp_path: Path, box: Any, hard: Any, replicas: int, demand: str, expected: dict[str, str] | None
) -> None:
    files = shop(web=workload(box, spec={"replicas": replicas}), quota=quota(**hard))
    told = propose(tmp_path, files, refused(f"failed quota: compute: must specify {demand} for: web"))
    if expected is None:
        assert told.actions == []
    else:
        assert {key: told.value(f"{BOX}.{key}") for key in expected} == expected


def test_what_a_quota_that_is_shown_leaves_is_shared(tmp_path: Path) -> None:
    shown = "$ kubectl get resourcequota -n shop\nNAME      AGE   REQUEST        LIMIT\ncompute   5d    pods: 2/10     limits.cpu: 420m/500m\n"
    text = refused("failed quota: compute: must specify limits.cpu for: web") + shown
    assert propose(tmp_path, shop(web=workload()), text).value(f"{BOX}.limits.cpu") == "40m"


@pytest.mark.parametrize(
    ("box", "why", "expected"),
    [
        (resources(limits={"cpu": "2"}), "maximum cpu usage per Container is 500m, but limit is 2", {"limits.cpu": "500m"}),
        (resources(limits={"cpu": "2"}, requests={"cpu": "1"}), "maximum cpu usage per Container is 500m, but limit is 2", {"limits.cpu": "500m", "requests.cpu": "500m"}),
        (resources(requests={"memory": "16Mi"}), "minimum memory usage per Container is 64Mi, but request is 16Mi", {"requests.memory": "64Mi"}),
        ({}, "maximum cpu usage per Container is 500m.  No limit is specified", {"limits.cpu": "500m"}),
        (resources(limits={"cpu": "2", "memory": "2Gi"}), "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]", {"limits.cpu": "1", "limits.memory": "1Gi"}),
        (resources(limits={"cpu": "1"}, requests={"cpu": "100m"}), "cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000", {"requests.cpu": "250m"}),
        (resources(limits={"cpu": "250m"}), "maximum cpu usage per Container is 500m, but limit is 2", None),
    ],
    ids=["maximum", "both-sides", "minimum", "missing", "two", "ratio", "mended"],
)  # fmt: skip
def test_a_limit_range_is_kept(tmp_path: Path, box: Any, why: str, expected: dict[str, str] | None) -> None:
    told = propose(tmp_path, shop(web=workload(box)), refused(why))
    if expected is None:
        assert told.actions == []
    else:
        assert {key: told.value(f"{BOX}.{key}") for key in expected} == expected


USED = "exceeded quota: compute, requested: pods=1, used: pods=4, limited: pods=4"


def test_a_quota_makes_room_for_what_the_repository_asks(tmp_path: Path) -> None:
    files = shop(web=workload(spec={"replicas": 5, "strategy": {"type": "Recreate"}}), quota=quota(pods=4))
    assert propose(tmp_path, files, refused(USED)).value("spec.hard.pods", "web/quota.yaml") == 5


def test_a_quota_that_holds_all_of_this_repository_is_left_alone(tmp_path: Path) -> None:
    files = shop(web=workload(spec={"replicas": 4, "strategy": {"type": "Recreate"}}), quota=quota(pods=4))
    told = propose(tmp_path, files, refused(USED))
    assert not told.changed
    assert "something that is not in this repository holds the rest" in told.outcomes[0].reason


def test_what_an_autoscaler_may_ask_for_counts_too(tmp_path: Path) -> None:
    scaler = other(
        "HorizontalPodAutoscaler",
        "web",
        {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 8},
        version="autoscaling/v2",
    )
    files = shop(web=workload(spec={"replicas": 2}), scaler=scaler, quota=quota(pods=4))
    assert propose(tmp_path, files, refused(USED)).value("spec.hard.pods", "web/quota.yaml") == 5


def test_a_quota_that_was_cut_is_restored(tmp_path: Path) -> None:
    now, before = (shop(web=workload(), quota=quota(pods=pods)) for pods in (4, 10))
    told = propose(tmp_path, now, refused(USED), before=[before])
    assert told.value("spec.hard.pods", "web/quota.yaml") == 10


@pytest.mark.parametrize("hard", [{"pods": 6}, {"services": 3}], ids=["raised-since", "another"])
def test_a_quota_stays_where_it_is_not_the_one_that_refused(tmp_path: Path, hard: Any) -> None:
    assert propose(tmp_path, shop(web=workload(), quota=quota(**hard)), refused(USED)).actions == []


def test_a_quota_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    assert propose(tmp_path, shop(web=workload()), refused(USED)).actions == []


EVICTED = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. Container web was using 300Mi, request is 128Mi, has larger consumption of memory. "


@pytest.mark.parametrize(
    ("box", "message", "expected"),
    [
        (resources(requests={"memory": "128Mi"}), EVICTED, "375Mi"),
        (resources(requests={"memory": "128Mi"}, limits={"memory": "320Mi"}), EVICTED, "320Mi"),
        (resources(requests={"memory": "256Mi"}), EVICTED, None),
        ({}, "The node was low on resource: memory. Threshold quantity: 100Mi, available: 52Mi. ", None),
    ],
    ids=["used", "limited", "mended", "untold"],
)
def test_a_pod_that_was_evicted_asks_for_what_it_uses(
    tmp_path: Path, box: Any, message: str, expected: str | None
) -> None:
    told = propose(tmp_path, shop(web=workload(box)), events(("Evicted", POD, message)))
    assert (told.value(f"{BOX}.requests.memory") if told.changed else None) == expected


@pytest.mark.parametrize(("peak", "expected"), [(400, "500Mi"), (100, "375Mi")])
def test_the_most_that_was_measured_counts_where_it_is_more_than_at_the_eviction(
    tmp_path: Path, peak: int, expected: str
) -> None:
    labels = {
        "__name__": "memory_working_set_bytes",
        "namespace": "shop",
        "pod": POD.rpartition("/")[2],
        "container": "web",
    }
    values = [[1772607600 + 60 * at, str(used * 2**20)] for at, used in enumerate((90, peak, 95))]
    result = {"resultType": "matrix", "result": [{"metric": labels, "values": values}]}
    text = events(("Evicted", POD, EVICTED)) + "\n" + json.dumps({"status": "success", "data": result}) + "\n"
    told = propose(tmp_path, shop(web=workload(resources(requests={"memory": "128Mi"}))), text)
    assert told.value(f"{BOX}.requests.memory") == expected


def test_a_container_that_fills_its_disk_gets_more(tmp_path: Path) -> None:
    box = resources(limits={"ephemeral-storage": "1Gi"})
    text = events(("Evicted", POD, 'Container web exceeded its local ephemeral storage limit "1Gi". '))
    assert propose(tmp_path, shop(web=workload(box)), text).value(f"{BOX}.limits.ephemeral-storage") == "2Gi"


def test_a_volume_that_fills_up_gets_more(tmp_path: Path) -> None:
    pod = {"volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "500Mi"}}]}
    text = events(("Evicted", POD, 'Usage of EmptyDir volume "tmp" exceeds the limit "500Mi". '))
    told = propose(tmp_path, shop(web=workload(pod=pod)), text)
    assert told.value("spec.template.spec.volumes.0.emptyDir.sizeLimit") == "1000Mi"


def test_a_claim_that_is_too_large_for_the_namespace_is_cut(tmp_path: Path) -> None:
    text = events(
        (
            "FailedCreate",
            "persistentvolumeclaim/data",
            'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 10Gi',
        )
    )
    told = propose(tmp_path, shop(web=workload(), data=claim("data", "10Gi")), text)
    assert told.value("spec.resources.requests.storage", "web/data.yaml") == "5Gi"
