"""Mounts that name no volume, lie over a file or stand in the wrong place; and data directories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, events, log, propose, shop, workload

MOUNTS = "spec.template.spec.containers.0.volumeMounts"
RUNC = "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: "
OVER = '{}error mounting "/var/lib/kubelet/pods/5e7c/volume-subpaths/config/web/0" to rootfs at "{}": mount src=/var/lib/kubelet/x, dst={}: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?'


def config(**data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web-config"},
        "data": {key.replace("_", "."): value for key, value in data.items()},
    }


def files(mount: dict[str, Any], *, volumes: list[dict[str, Any]] | None = None, **data: str) -> dict[str, str]:
    pod = {"volumes": volumes or [{"name": "config", "configMap": {"name": "web-config"}}]}
    return shop(
        web=workload({"volumeMounts": [mount]}, pod=pod),
        config=config(**(data or {"app_yaml": "a: 1", "log_yaml": "b: 2"})),
    )


def over(path: str) -> str:
    return events(("Failed", POD, OVER.format(RUNC, path, path)))


def refused(name: str) -> str:
    return (
        "$ argocd app get web\nName:               argocd/web\nNamespace:          shop\n\nCONDITION  MESSAGE  LAST TRANSITION\n"
        'SyncError  Failed last sync attempt to 1a2b3c4: one or more objects failed to apply, reason: Deployment.apps "web" is invalid: '
        f'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "{name}" (retried 5 times).  2026-03-02 09:10:00 +0000 UTC\n'
    )


def test_a_mount_names_the_volume_that_is_declared(tmp_path: Path) -> None:
    told = propose(tmp_path, files({"name": "cnofig", "mountPath": "/etc/web"}), refused("cnofig"))
    assert told.value(f"{MOUNTS}.0.name") == "config"


def test_two_volumes_as_near_are_no_answer(tmp_path: Path) -> None:
    volumes = [{"name": "data-a", "emptyDir": {}}, {"name": "data-b", "emptyDir": {}}]
    assert not propose(
        tmp_path, files({"name": "data-x", "mountPath": "/data"}, volumes=volumes), refused("data-x")
    ).changed


@pytest.mark.parametrize(
    ("mount", "data", "right"),
    [
        ({"mountPath": "/etc/web/app.yaml"}, {}, "app.yaml"),
        ({"mountPath": "/etc/web/app.yaml", "subPath": "ap.yaml"}, {}, "app.yaml"),
        (
            {"mountPath": "/etc/web/settings", "subPath": "application.ymal"},
            {"application_yaml": "a: 1"},
            "application.yaml",
        ),
        ({"mountPath": "/etc/web/settings"}, {"application_yaml": "a: 1"}, "application.yaml"),
    ],
    ids=["gone", "slip", "other-name", "only-key"],
)
def test_a_file_is_mounted_by_its_key(tmp_path: Path, mount: Any, data: Any, right: str) -> None:
    told = propose(tmp_path, files({"name": "config", **mount}, **data), over(mount["mountPath"]))
    assert told.value(f"{MOUNTS}.0.subPath") == right


def test_the_program_says_that_a_directory_lies_there(tmp_path: Path) -> None:
    told = propose(
        tmp_path,
        files({"name": "config", "mountPath": "/etc/web/app.yaml"}),
        log("IsADirectoryError: [Errno 21] Is a directory: '/etc/web/app.yaml'"),
    )
    assert told.value(f"{MOUNTS}.0.subPath") == "app.yaml"


@pytest.mark.parametrize(
    ("mount", "text"),
    [
        ({"mountPath": "/etc/web/app.yaml", "subPath": "app.yaml"}, over("/etc/web/app.yaml")),
        ({"mountPath": "/etc/web/other.conf"}, over("/etc/web/other.conf")),
        ({"mountPath": "/etc/web"}, over("/etc/nginx/nginx.conf")),
    ],
    ids=["right", "no-key", "another-mount"],
)
def test_a_mount_that_nobody_can_mend_is_left_alone(tmp_path: Path, mount: Any, text: str) -> None:
    assert not propose(tmp_path, files({"name": "config", **mount}), text).changed


def test_a_mount_path_one_slip_away_from_the_missing_file(tmp_path: Path) -> None:
    told = propose(
        tmp_path,
        files({"name": "config", "mountPath": "/etc/wbe"}),
        log("panic: open /etc/web/app.yaml: no such file or directory"),
    )
    assert told.value(f"{MOUNTS}.0.mountPath") == "/etc/web"


@pytest.mark.parametrize(
    "line", ["open /etc/web/other.yaml: no such file or directory", "open /srv/app.yaml: no such file or directory"]
)
def test_a_file_that_no_volume_holds_is_left_alone(tmp_path: Path, line: str) -> None:
    assert not propose(tmp_path, files({"name": "config", "mountPath": "/etc/wbe"}), log(f"panic: {line}")).changed


INITDB = 'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty'
LOST = "initdb: detail: It contains a lost+found directory, perhaps due to it being a mount point."


def postgres(mount: dict[str, Any] | None = None, **env: str) -> dict[str, str]:
    box = {"volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data", **(mount or {})}]}
    if env:
        box["env"] = [{"name": name, "value": value} for name, value in env.items()]
    return shop(web=workload(box, pod={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}))


@pytest.mark.parametrize("env", [{}, {"POSTGRES_USER": "web"}, {"PGDATA": "/var/lib/postgresql/data"}])
def test_postgres_moves_below_the_root_of_its_volume(tmp_path: Path, env: dict[str, str]) -> None:
    told = propose(tmp_path, postgres(**env), log(INITDB, LOST))
    values = {item["name"]: item["value"] for item in told.value("spec.template.spec.containers.0.env")}
    assert values == {**env, "PGDATA": "/var/lib/postgresql/data/pgdata"}


@pytest.mark.parametrize(
    ("repository", "lines"),
    [
        (
            postgres(),
            [
                INITDB,
                "initdb: hint: If you want to create a new database system, either remove or empty the directory.",
            ],
        ),
        (postgres(PGDATA="/var/lib/postgresql/data/pgdata"), [INITDB, LOST]),
        (postgres({"subPath": "pgdata"}), [INITDB, LOST]),
    ],
    ids=["holds-data", "mended", "sub-path"],
)
def test_data_that_may_be_there_is_not_left_behind(
    tmp_path: Path, repository: dict[str, str], lines: list[str]
) -> None:
    assert not propose(tmp_path, repository, log(*lines)).changed
