"""Claims that do not bind, and volumes that are full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.remedies.small_repository import POD, application, claim, events, log, other, propose, shop, workload

CLASSES = """$ kubectl get storageclass
NAME                 PROVISIONER             RECLAIMPOLICY   VOLUMEBINDINGMODE      ALLOWVOLUMEEXPANSION   AGE
fast-ssd             csi.example.com         Delete          WaitForFirstConsumer   true                   3d
standard (default)   csi.example.com         Delete          WaitForFirstConsumer   true                   3d

"""
FIXED = CLASSES.replace("true  ", "false ")


def lacking(name: str, subject: str = "persistentvolumeclaim/data") -> str:
    return events(("ProvisioningFailed", subject, f'storageclass.storage.k8s.io "{name}" not found'))


def mounting(name: str = "data", **container: Any) -> dict[str, Any]:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
    return workload({"volumeMounts": [{"name": "data", "mountPath": "/data"}], **container}, pod={"volumes": volumes})


def stateful(size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    body = claim("data", size, **spec)
    return workload(
        kind="StatefulSet", spec={"volumeClaimTemplates": [{"metadata": body["metadata"], "spec": body["spec"]}]}
    )


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("fast-sdd", CLASSES, "fast-ssd"), ("gold", CLASSES, "standard"), ("fast-sdd", "", None), ("gold", "", None)],
    ids=["slip", "default", "not-shown", "unknown"],
)
def test_a_class_is_one_that_exists(tmp_path: Path, name: str, text: str, expected: str | None) -> None:
    told = propose(tmp_path, shop(web=mounting(), data=claim("data", storageClassName=name)), lacking(name) + text)
    assert (told.value("spec.storageClassName", "web/data.yaml") if told.changed else None) == expected


def test_a_class_that_was_corrected_already_is_left_alone(tmp_path: Path) -> None:
    files = shop(web=mounting(), data=claim("data", storageClassName="standard"))
    assert propose(tmp_path, files, lacking("fast-sdd") + CLASSES).actions == []


def test_a_class_is_corrected_in_the_template_that_made_the_claim(tmp_path: Path) -> None:
    text = lacking("fast-sdd", "persistentvolumeclaim/data-web-0") + CLASSES
    told = propose(tmp_path, shop(web=stateful(storageClassName="fast-sdd")), text)
    assert told.value("spec.volumeClaimTemplates.0.spec.storageClassName") == "fast-ssd"


def test_other_claims_of_the_repository_tell_a_class_too(tmp_path: Path) -> None:
    files = shop(
        web=mounting(), data=claim("data", storageClassName="longhron"), more=claim("more", storageClassName="longhorn")
    )
    assert propose(tmp_path, files, lacking("longhron")).value("spec.storageClassName", "web/data.yaml") == "longhorn"


UNKNOWN = events(
    (
        "FailedScheduling",
        POD,
        '0/3 nodes are available: persistentvolumeclaim "dta" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
    )
)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [(["data", "cache"], "data"), (["uploads"], "uploads"), (["uploads", "models"], None), ([], None), (["dta"], None)],
    ids=["slip", "orphan", "two-orphans", "none", "exists"],
)
def test_a_claim_is_one_that_exists(tmp_path: Path, claims: list[str], expected: str | None) -> None:
    files = shop(web=mounting("dta"), **({"claims": [claim(name) for name in claims]} if claims else {}))
    told = propose(tmp_path, files, UNKNOWN)
    path = "spec.template.spec.volumes.0.persistentVolumeClaim.claimName"
    assert (told.value(path) if told.changed else None) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('failed to provision volume with StorageClass "gp2": invalid AccessModes [ReadWriteMany]: only AccessModes [ReadWriteOnce] are supported', "ReadWriteOnce"),
        ('failed to provision volume with StorageClass "local-path": NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes', "ReadWriteOnce"),
        ('failed to provision volume with StorageClass "gp2": rpc error: code = DeadlineExceeded desc = context deadline exceeded', None),
    ],
    ids=["in-tree", "local-path", "timeout"],
)  # fmt: skip
def test_an_access_mode_is_one_that_the_provisioner_gives(tmp_path: Path, message: str, expected: str | None) -> None:
    files = shop(web=mounting(), data=claim("data", modes=["ReadWriteMany"], storageClassName="gp2"))
    told = propose(tmp_path, files, events(("ProvisioningFailed", "persistentvolumeclaim/data", message)))
    assert (told.value("spec.accessModes.0", "web/data.yaml") if told.changed else None) == expected


def test_an_access_mode_is_one_that_the_volume_offers(tmp_path: Path) -> None:
    volume = other(
        "PersistentVolume",
        "disk",
        {
            "capacity": {"storage": "5Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "manual",
            "hostPath": {"path": "/mnt"},
        },
    )
    files = shop(web=mounting(), data=claim("data", modes=["ReadWriteMany"], storageClassName="manual"), disk=volume)
    text = events(
        (
            "FailedBinding",
            "persistentvolumeclaim/data",
            "no persistent volumes available for this claim and no storage class is set",
        )
    )
    assert propose(tmp_path, files, text).value("spec.accessModes.0", "web/data.yaml") == "ReadWriteOnce"


FULL = log("ERROR could not write /data/segments/7: No space left on device", pod="web-5d7b9c6f8b-x2m7k")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FULL, "2Gi"),
        (FULL + CLASSES.replace("fast-ssd ", "slow     "), "2Gi"),
        (log("ERROR could not write /tmp/x/7: No space left on device"), None),
        (FULL + FIXED, None),
    ],
    ids=["mounted", "expands", "elsewhere", "fixed-size"],
)
def test_a_full_claim_grows(tmp_path: Path, text: str, expected: str | None) -> None:
    told = propose(tmp_path, shop(web=mounting(), data=claim("data", storageClassName="standard")), text)
    assert (told.value("spec.resources.requests.storage", "web/data.yaml") if told.changed else None) == expected


def test_a_template_does_not_grow_since_clusters_refuse_that(tmp_path: Path) -> None:
    box = stateful()
    box["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    text = log("ERROR could not write /data/segments/7: No space left on device", pod="web-0")
    assert propose(tmp_path, shop(web=box), text).actions == []


def attaching(holder: str) -> str:
    return events(
        (
            "FailedAttachVolume",
            POD,
            f'Multi-Attach error for volume "pvc-0b1c" Volume is already used by pod(s) {holder}',
        )
    )


def test_a_volume_for_one_node_is_not_rolled_over(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=mounting(), data=claim("data")), attaching("web-7c9f8b6d5f-abcde"))
    assert told.value("spec.strategy.type") == "Recreate"


@pytest.mark.parametrize(
    "holder", ["web-5d7b9c6f8b-zzzzz", "backup-7c9f8b6d5f-abcde"], ids=["same-revision", "somebody-else"]
)
def test_a_volume_that_a_lost_node_or_another_holds_is_a_persons_work(tmp_path: Path, holder: str) -> None:
    assert propose(tmp_path, shop(web=mounting(), data=claim("data")), attaching(holder)).actions == []


def disk(size: str = "1Gi", mode: str = "ReadWriteOnce", **spec: Any) -> dict[str, Any]:
    body = {
        "capacity": {"storage": size},
        "accessModes": [mode],
        "storageClassName": "manual",
        "hostPath": {"path": "/mnt"},
    }
    return other("PersistentVolume", "disk", {**body, **spec})


@pytest.mark.parametrize(
    ("size", "modes", "volume", "path", "expected"),
    [
        ("5Gi", ["ReadWriteOnce"], disk(), "spec.resources.requests.storage", "1Gi"),
        ("1Gi", ["ReadWriteMany"], disk(), "spec.accessModes.0", "ReadWriteOnce"),
        ("5Gi", ["ReadWriteMany"], disk(), "", None),
        ("5Gi", ["ReadWriteOnce"], disk(claimRef={"name": "another", "namespace": "shop"}), "", None),
    ],
    ids=["size", "mode", "both", "reserved"],
)  # fmt: skip
def test_a_class_that_marks_a_volume_is_not_what_is_wrong(
    tmp_path: Path, size: str, modes: list[str], volume: Any, path: str, expected: str | None
) -> None:
    files = shop(web=mounting(), data=claim("data", size, modes=modes, storageClassName="manual"), disk=volume)
    told = propose(tmp_path, files, lacking("manual") + CLASSES)
    assert (told.value(path, "web/data.yaml") if told.changed else None) == expected


def test_of_two_claims_of_one_name_none_is_guessed(tmp_path: Path) -> None:
    files = {}
    for stage in ("dev", "prod"):
        files[f"apps/{stage}.yaml"] = yaml.safe_dump(application(stage, stage, ""))
        files[f"{stage}/data.yaml"] = yaml.safe_dump(claim("data", storageClassName="fast-sdd"))
    assert propose(tmp_path, files, lacking("fast-sdd") + CLASSES).actions == []
