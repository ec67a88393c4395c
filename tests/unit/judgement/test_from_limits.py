"""The one value that sets the limit of a message is raised; of several alike none is."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.unit.remedies.small_repository import propose, shop, workload

CONFIG = """\
server:
  grpc_server_max_recv_msg_size: {size}  # per request
  http_server_read_timeout: 30s
"""
LOG = """\
$ kubectl logs deploy/web -n shop --tail=3
level=error msg="push failed" err="grpc: received message larger than max: server max recv msg size is 4194304 bytes"
level=error msg="push failed" err="grpc: received message larger than max: server max recv msg size is 4194304 bytes"
panic: giving up: server max recv msg size is 4194304 bytes, message larger than max
"""


def config(name: str, size: int) -> dict[str, object]:
    body = {"config.yaml": CONFIG.format(size=size)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": body}


def test_the_only_value_that_is_the_limit_is_raised(tmp_path: Path) -> None:
    files = shop(web=workload(), settings=config("settings", 4194304), other=config("other", 1048576))
    told = propose(tmp_path, files, LOG)
    assert {name: yaml.safe_load(text) for name, text in told.changed.items()} == {
        "web/settings.yaml": config("settings", 8388608)
    }


def test_of_two_places_with_the_same_value_none_is_changed(tmp_path: Path) -> None:
    files = shop(web=workload(), settings=config("settings", 4194304), other=config("other", 4194304))
    assert not propose(tmp_path, files, LOG).changed


DEADLINE = """\
$ kubectl -n shop describe job web
Name:                     web
Namespace:                shop
Parallelism:              1
Completions:              1
Active Deadline Seconds:  600s
Pods Statuses:            0 Active (0 Ready) / 0 Succeeded / 1 Failed
Events:
  Type     Reason            Age   From            Message
  ----     ------            ----  ----            -------
  Warning  DeadlineExceeded  2m2s  job-controller  Job was active longer than specified deadline

"""


def job(seconds: int) -> dict[str, str]:
    body = workload(kind="Job")
    return shop(
        web={
            **body,
            "apiVersion": "batch/v1",
            "spec": {"activeDeadlineSeconds": seconds, "template": body["spec"]["template"]},
        }
    )


def test_a_deadline_that_the_status_shows_is_raised_while_the_job_moves_on(tmp_path: Path) -> None:
    log = DEADLINE + "$ kubectl -n shop logs job/web\nmigration 20 of 31 is done\nmigration 21 of 31 begins\n"
    told = propose(tmp_path, job(600), log)
    assert told.value("spec.activeDeadlineSeconds") == 1200


def test_a_job_that_fails_or_prints_nothing_gets_no_longer_deadline(tmp_path: Path) -> None:
    failing = DEADLINE + "$ kubectl -n shop logs job/web\nconnection refused, next retry in 60 s\n"
    assert not propose(tmp_path / "failing", job(600), failing).changed
    assert not propose(tmp_path / "silent", job(600), DEADLINE).changed


def test_the_log_of_another_pod_tells_nothing_of_the_job(tmp_path: Path) -> None:
    other = DEADLINE + "$ kubectl -n shop logs deploy/api\nrequest 20 of 31 is done\nrequest 21 of 31 begins\n"
    assert not propose(tmp_path, job(600), other).changed


SILENT_DEADLINE = """\
$ kubectl -n shop get job web -o jsonpath='{.status.conditions}'
[{"message":"Job was active longer than specified deadline","reason":"DeadlineExceeded","status":"True","type":"Failed"}]
$ kubectl -n shop logs job/web
migration 20 of 31 is done
migration 21 of 31 begins
"""


def test_a_deadline_that_no_message_names_is_read_from_the_job_itself(tmp_path: Path) -> None:
    assert propose(tmp_path, job(600), SILENT_DEADLINE).value("spec.activeDeadlineSeconds") == 1200
