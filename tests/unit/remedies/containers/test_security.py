"""Security settings: taken back only where the evidence names just that one, met where the namespace demands them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.remedies.small_repository import POD, REPLICA_SET, events, log, propose, shop, workload

CONTEXT = "spec.template.spec.containers.0.securityContext"
ROOT = events(
    (
        "Failed",
        POD,
        'Error: container has runAsNonRoot and image will run as root (pod: "web-5d7b9c6f8b-x2m7k_shop(0b7a8f0e)", container: web)',
    )
)
READ_ONLY = log('nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)')
LOW_PORT = log("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)")


def context(**settings: Any) -> dict[str, Any]:
    return {"securityContext": settings}


def namespace(level: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": level}},
    }


def test_an_image_that_runs_as_root_gets_a_user(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=workload(context(runAsNonRoot=True, allowPrivilegeEscalation=False))), ROOT)
    assert told.value(CONTEXT) == {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "runAsUser": 1000}


def test_the_user_stands_beside_the_pods_own_setting(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=workload(pod=context(runAsNonRoot=True, fsGroup=2000))), ROOT)
    assert told.value("spec.template.spec.securityContext") == {
        "runAsNonRoot": True,
        "fsGroup": 2000,
        "runAsUser": 2000,
    }


def test_a_log_that_claims_it_changes_no_security_setting(tmp_path: Path) -> None:
    files = shop(web=workload(context(runAsNonRoot=True)))
    assert not propose(tmp_path, files, log("Error: container has runAsNonRoot and image will run as root")).changed


def test_a_fix_that_keeps_the_hardening_goes_before_its_undoing(tmp_path: Path) -> None:
    old, new = (
        shop(web=workload(context(privileged=False))),
        shop(web=workload(context(privileged=False, runAsNonRoot=True))),
    )
    told = propose(tmp_path, new, ROOT, before=[old])
    assert told.actions == ["run_as_user", "roll_back"]
    undone = told.outcomes[0].proposals[1]
    assert undone.weakens
    assert not undone.on_request
    assert "restores what ran before a recent commit; the platform names this field" in undone.policy


@pytest.mark.parametrize(
    "files",
    [
        shop(web=workload(context(runAsNonRoot=True, runAsUser=1000))),
        shop(web=workload(context(privileged=False))),
    ],
    ids=["a-user-is-chosen", "mended"],
)
def test_the_setting_stays_where_it_is_not_the_fault(tmp_path: Path, files: dict[str, str]) -> None:
    assert not propose(tmp_path, files, ROOT).changed


def test_a_program_that_writes_to_its_image_gets_a_directory(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=workload(context(readOnlyRootFilesystem=True))), READ_ONLY)
    assert told.value(CONTEXT) == {"readOnlyRootFilesystem": True}
    assert told.value("spec.template.spec.containers.0.volumeMounts") == [
        {"name": "var-cache-nginx", "mountPath": "/var/cache/nginx"}
    ]
    assert told.value("spec.template.spec.volumes") == [{"name": "var-cache-nginx", "emptyDir": {}}]


def test_no_directory_of_the_image_is_hidden(tmp_path: Path) -> None:
    files = shop(web=workload(context(readOnlyRootFilesystem=True)))
    assert not propose(tmp_path, files, log("open /etc/web/app.yaml: read-only file system")).changed


@pytest.mark.parametrize(
    ("box", "text"),
    [
        (context(readOnlyRootFilesystem=False), READ_ONLY),
        ({}, READ_ONLY),
        (
            {**context(readOnlyRootFilesystem=True), "volumeMounts": [{"name": "config", "mountPath": "/etc/web"}]},
            log("open /etc/web/app.yaml: read-only file system"),
        ),
    ],
    ids=["mended", "the-node", "a-config-map"],
)
def test_a_mount_or_a_node_that_is_read_only_is_another_matter(tmp_path: Path, box: Any, text: str) -> None:
    files = shop(web=workload(box, pod={"volumes": [{"name": "config", "configMap": {"name": "web"}}]}))
    assert not propose(tmp_path, files, text).changed


def test_a_low_port_gets_no_capability_for_a_log(tmp_path: Path) -> None:
    assert not propose(tmp_path, shop(web=workload(context(capabilities={"drop": ["ALL"]}))), LOW_PORT).changed


def test_a_low_port_stays_refused_to_a_user_that_was_chosen(tmp_path: Path) -> None:
    assert not propose(tmp_path, shop(web=workload(context(runAsUser=101))), LOW_PORT).changed


DEMANDS = (
    'pods "web-5d7b9c6f8b-" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "web" must set '
    'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "web" must set securityContext.capabilities.drop=["ALL"]), '
    'runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "web" must set '
    'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
)


@pytest.mark.parametrize("box", [{}, context(runAsUser=1000), context(capabilities={"add": ["NET_BIND_SERVICE"]})])
def test_what_the_namespace_demands_is_set(tmp_path: Path, box: Any) -> None:
    told = propose(
        tmp_path, shop(web=workload(box)), events(("FailedCreate", REPLICA_SET, f"Error creating: {DEMANDS}"))
    )
    found = told.value(CONTEXT)
    assert found["allowPrivilegeEscalation"] is False
    assert found["runAsNonRoot"] is True
    assert found["capabilities"]["drop"] == ["ALL"]
    assert found["seccompProfile"] == {"type": "RuntimeDefault"}


HARDENED = context(
    allowPrivilegeEscalation=False, runAsNonRoot=True, capabilities={"drop": ["ALL"]}, seccompProfile={"type": "RuntimeDefault"}
)  # fmt: skip


@pytest.mark.parametrize(
    ("others", "changed"),
    [(({}, {}), False), ((HARDENED, HARDENED), True), ((HARDENED, HARDENED, {}), True), (({},), True)],
)
def test_a_level_that_most_of_the_namespace_does_not_meet_is_for_a_person(
    tmp_path: Path, others: tuple[Any, ...], changed: bool
) -> None:
    more = {f"other{number}": workload(box, name=f"other{number}") for number, box in enumerate(others)}
    told = propose(
        tmp_path, shop(web=workload(), **more), events(("FailedCreate", REPLICA_SET, f"Error creating: {DEMANDS}"))
    )
    assert bool(told.changed) is changed


def test_what_the_namespace_forbids_is_for_a_person(tmp_path: Path) -> None:
    text = 'pods "web-5d7b9c6f8b-" is forbidden: violates PodSecurity "baseline:latest": privileged (container "web" must not set securityContext.privileged=true)'
    files = shop(web=workload(context(privileged=True)))
    assert not propose(tmp_path, files, events(("FailedCreate", REPLICA_SET, f"Error creating: {text}"))).changed


def test_a_level_that_a_commit_raised_goes_back(tmp_path: Path) -> None:
    told = propose(
        tmp_path,
        shop(web=workload(), space=namespace("restricted")),
        events(("FailedCreate", REPLICA_SET, f"Error creating: {DEMANDS}")),
        before=[shop(web=workload(), space=namespace("baseline"))],
    )
    assert told.actions[0] == "restore_pod_security"
    assert yaml.safe_load(told.changed["web/space.yaml"]) == namespace("baseline")


def test_a_level_that_always_stood_there_stays(tmp_path: Path) -> None:
    files = shop(web=workload(), space=namespace("restricted"))
    told = propose(tmp_path, files, events(("FailedCreate", REPLICA_SET, f"Error creating: {DEMANDS}")))
    assert "restore_pod_security" not in told.actions


def test_a_log_lowers_no_level(tmp_path: Path) -> None:
    files = shop(web=workload(), space=namespace("restricted"))
    before = [shop(web=workload(), space=namespace("baseline"))]
    assert not propose(tmp_path, files, log(f"Error creating: {DEMANDS}"), before=before).changed
