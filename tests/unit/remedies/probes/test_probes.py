"""Probes that ask at the wrong place, or too soon; and those whose program is at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, events, log, propose, shop, workload

PORTS = {"ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}]}
LIVENESS = "spec.template.spec.containers.0.livenessProbe"


def http(port: Any, path: str = "/healthz", **more: Any) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, **more}


def refused(port: int, kind: str = "Liveness", path: str = "/healthz") -> str:
    url = f"http://10.1.0.7:{port}{path}"
    return events(
        ("Unhealthy", POD, f'{kind} probe failed: Get "{url}": dial tcp 10.1.0.7:{port}: connect: connection refused'),
        ("Killing", POD, f"Container web failed {kind.lower()} probe, will be restarted"),
    )


def answered(status: int, kind: str = "Liveness") -> str:
    return events(("Unhealthy", POD, f"{kind} probe failed: HTTP probe failed with statuscode: {status}"))


@pytest.mark.parametrize(
    ("container", "text", "port"),
    [
        ({**PORTS, "livenessProbe": http(8081)}, refused(8081), 8080),
        ({**PORTS, "livenessProbe": http(7000), "readinessProbe": http("http")}, refused(7000), 8080),
        ({"ports": [{"containerPort": 5000}], "livenessProbe": http(80)}, refused(80), 5000),
        ({"ports": [{"containerPort": 5000}, {"containerPort": 5000, "protocol": "UDP"}], "livenessProbe": http(80)}, refused(80), 5000),
        ({"livenessProbe": http(80)}, refused(80) + log("2026-01-02 INFO Listening on 0.0.0.0:3000"), 3000),
        ({"livenessProbe": http(80)}, refused(80) + log("INFO Tomcat started on port(s): 8085 (http) with context path ''"), 8085),
        ({"livenessProbe": http("80"), "ports": [{"containerPort": 8000}]}, refused(80), "8000"),
    ],
    ids=["digit", "sibling", "only", "no-udp", "log", "tomcat", "text"],
)  # fmt: skip
def test_a_refused_probe_goes_to_the_port_that_is_served(tmp_path: Path, container: Any, text: str, port: Any) -> None:
    told = propose(tmp_path, shop(web=workload(container)), text)
    assert told.value(f"{LIVENESS}.httpGet.port") == port
    assert told.actions[0] == "fix_probe_port"
    assert told.outcomes[0].proposals[0].remade == ("Deployment/web",)


@pytest.mark.parametrize(
    ("container", "text"),
    [
        ({**PORTS, "livenessProbe": http(8080)}, refused(8080)),
        ({**PORTS, "livenessProbe": http("http")}, refused(8080)),
        ({**PORTS, "livenessProbe": http(7000)}, refused(7000)),
        ({"ports": [{"containerPort": 5000}], "livenessProbe": http(8081), "readinessProbe": http(8081)}, refused(8081)),
        ({"livenessProbe": http(80)}, refused(80)),
        ({**PORTS, "livenessProbe": http(8081)}, refused(8082)),
        ({"ports": [{"containerPort": 80}], "livenessProbe": {"exec": {"command": ["true"]}}}, refused(8081)),
    ],
    ids=["declared", "named", "two-declared", "agreed", "unknown", "mended", "exec"],
)  # fmt: skip
def test_a_refused_probe_stays_where_nothing_says_better(tmp_path: Path, container: Any, text: str) -> None:
    assert propose(tmp_path, shop(web=workload(container)), text).actions == []


def test_a_misspelt_port_name_is_that_of_the_container(tmp_path: Path) -> None:
    text = events(("Unhealthy", POD, 'Readiness probe errored: strconv.Atoi: parsing "htpp": invalid syntax'))
    told = propose(tmp_path, shop(web=workload({**PORTS, "readinessProbe": http("htpp")})), text)
    assert told.value("spec.template.spec.containers.0.readinessProbe.httpGet.port") == "http"


def test_the_port_that_stood_there_before_comes_first(tmp_path: Path) -> None:
    now = shop(web=workload({**PORTS, "livenessProbe": http(7000)}))
    old = shop(web=workload({**PORTS, "livenessProbe": http("metrics")}))
    told = propose(tmp_path, now, refused(7000), before=[old])
    assert told.value(f"{LIVENESS}.httpGet.port") == "metrics"


def test_a_port_that_was_restored_already_is_left_alone(tmp_path: Path) -> None:
    good = shop(web=workload({**PORTS, "livenessProbe": http(8080)}))
    bad = shop(web=workload({**PORTS, "livenessProbe": http(7000)}))
    assert propose(tmp_path, good, refused(7000), before=[good, bad]).actions == []


@pytest.mark.parametrize(
    ("container", "text", "path"),
    [
        ({**PORTS, "livenessProbe": http(8080, "/helthz")}, answered(404), "/healthz"),
        ({**PORTS, "livenessProbe": http(8080, "/app/up"), "readinessProbe": http(8080, "/up")}, answered(404), "/up"),
        ({**PORTS, "livenessProbe": http(8080, "/x"), "readinessProbe": http("http", "/status/all")}, answered(404), "/status/all"),
        ({"image": "nginx:1.27", "livenessProbe": http(80, "/alive-check")}, answered(404), "/"),
        ({"livenessProbe": http(80, "/a")}, answered(404) + log('10.1.0.1 - - "GET /ok HTTP/1.1" 200 3 "-" "kube-probe/1.31"'), "/ok"),
    ],
    ids=["slip", "prefix", "sibling", "files", "log"],
)  # fmt: skip
def test_a_probe_that_gets_404_goes_to_a_path_that_is_served(
    tmp_path: Path, container: Any, text: str, path: str
) -> None:
    told = propose(tmp_path, shop(web=workload(container)), text)
    assert told.value(f"{LIVENESS}.httpGet.path") == path
    assert told.actions[0] == "fix_probe_path"


@pytest.mark.parametrize(
    ("container", "text"),
    [
        ({**PORTS, "livenessProbe": http(8080, "/helthz")}, answered(500)),
        ({**PORTS, "livenessProbe": http(8080, "/helthz")}, answered(503)),
        ({**PORTS, "livenessProbe": http(8080, "/api/v2/up")}, answered(404)),
        ({**PORTS, "livenessProbe": http(8080, "/x"), "readinessProbe": http(9090, "/metrics")}, answered(404)),
        ({"image": "nginx:1", "livenessProbe": http(80, "/x/y"), "volumeMounts": [{"name": "c", "mountPath": "/etc/nginx"}]}, answered(404)),
    ],
    ids=["500", "503", "unknown", "other-port", "configured"],
)  # fmt: skip
def test_a_probe_path_stays_where_nothing_says_better(tmp_path: Path, container: Any, text: str) -> None:
    pod = {"volumes": [{"name": "c", "emptyDir": {}}]} if container.get("volumeMounts") else {}
    assert propose(tmp_path, shop(web=workload(container, pod=pod)), text).actions == []


def test_two_probes_with_wrong_paths_are_mended_together(tmp_path: Path) -> None:
    box = {**PORTS, "livenessProbe": http(8080, "/helthz"), "readinessProbe": http(8080, "/redyz")}
    told = propose(tmp_path, shop(web=workload(box)), answered(404) + answered(404, "Readiness"))
    assert told.value(f"{LIVENESS}.httpGet.path") == "/healthz"
    assert told.value("spec.template.spec.containers.0.readinessProbe.httpGet.path") == "/readyz"


def test_the_scheme_is_the_one_that_the_server_names(tmp_path: Path) -> None:
    probe = {"httpGet": {"path": "/", "port": 8080, "scheme": "HTTPS"}}
    text = events(
        (
            "Unhealthy",
            POD,
            'Liveness probe failed: Get "https://10.1.0.7:8080/": http: server gave HTTP response to HTTPS client',
        )
    )
    told = propose(tmp_path, shop(web=workload({**PORTS, "livenessProbe": probe})), text)
    assert told.value(f"{LIVENESS}.httpGet.scheme") == "HTTP"


SLOW = {**PORTS, "livenessProbe": http(8080, initialDelaySeconds=5, periodSeconds=5)}


@pytest.mark.parametrize(
    ("words", "least", "most"),
    [
        ("INFO loading the model, this takes about 200s", 200, 300),
        ("INFO initializing: Started Application in 95.4 seconds (process running for 97)", 95, 150),
        ("INFO applying migrations 10 of 40", 60, 150),
        ("WARN interrupted during startup, the cache is not loaded", 40, 120),
    ],
)
def test_a_slow_start_is_waited_for(tmp_path: Path, words: str, least: int, most: int) -> None:
    told = propose(tmp_path, shop(web=workload(SLOW)), refused(8080) + log("INFO starting web", words))
    assert least <= told.value(f"{LIVENESS}.initialDelaySeconds") <= most


@pytest.mark.parametrize(
    "text",
    [
        refused(8080),
        refused(8080) + log("INFO starting web", "INFO started in 2s"),
        refused(8080) + log("INFO loading the model, this takes about 9000s"),
        events(("Unhealthy", POD, "Liveness probe failed: HTTP probe failed with statuscode: 500"))
        + log("INFO loading takes 200s"),
    ],
    ids=["silent", "fast", "beyond", "500"],
)
def test_patience_is_no_answer_to_a_program_that_does_not_serve(tmp_path: Path, text: str) -> None:
    assert propose(tmp_path, shop(web=workload(SLOW)), text).actions == []


def test_an_older_patience_comes_first(tmp_path: Path) -> None:
    old = shop(web=workload({**PORTS, "livenessProbe": http(8080, initialDelaySeconds=120, periodSeconds=5)}))
    told = propose(tmp_path, shop(web=workload(SLOW)), refused(8080), before=[old])
    assert told.value(f"{LIVENESS}.initialDelaySeconds") == 120


def test_a_startup_probe_may_fail_more_often(tmp_path: Path) -> None:
    box = {**SLOW, "startupProbe": http(8080, periodSeconds=10, failureThreshold=3)}
    text = refused(8080, "Startup") + log("INFO loading the model, this takes about 200s")
    told = propose(tmp_path, shop(web=workload(box)), text)
    assert told.value("spec.template.spec.containers.0.startupProbe.failureThreshold") == 25


MOVED = refused(8080) + log("INFO Listening on 0.0.0.0:8090")


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ({"env": [{"name": "LOG", "value": "info"}, {"name": "PORT", "value": "8090"}]}, "env.1.value", "8080"),
        ({"args": ["--listen=:8090", "--verbose"]}, "args.0", "--listen=:8080"),
    ],
    ids=["variable", "argument"],
)
def test_the_setting_that_moved_a_program_from_its_port_is_corrected(
    tmp_path: Path, setting: Any, path: str, value: str
) -> None:
    told = propose(tmp_path, shop(web=workload({**PORTS, "livenessProbe": http(8080), **setting})), MOVED)
    assert told.value(f"spec.template.spec.containers.0.{path}") == value


@pytest.mark.parametrize("setting", [{}, {"args": ["--http=8090", "--grpc=8090"]}, {"args": ["--port=18090"]}])
def test_a_program_that_moved_by_itself_is_left_alone(tmp_path: Path, setting: Any) -> None:
    assert propose(tmp_path, shop(web=workload({**PORTS, "livenessProbe": http(8080), **setting})), MOVED).actions == []


LATE = events(
    (
        "Unhealthy",
        POD,
        'Readiness probe failed: Get "http://10.1.0.7:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    )
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("INFO GET /healthz 200 in 2300ms", 5),
        ("level=info path=/healthz status=200 duration=1.4s", 3),
        ("INFO GET /other 200 in 2300ms", None),
        ("INFO GET /healthz 200 in 12ms", None),
        ("INFO GET /healthz 200 in 200s", None),
    ],
)
def test_a_timeout_is_above_what_the_answers_take(tmp_path: Path, words: str, expected: int | None) -> None:
    told = propose(tmp_path, shop(web=workload({**PORTS, "readinessProbe": http(8080)})), LATE + log(words))
    assert (
        told.value("spec.template.spec.containers.0.readinessProbe.timeoutSeconds") if told.changed else None
    ) == expected


@pytest.mark.parametrize(("old", "expected"), [(10, None), (45, 45)], ids=["hardly", "clearly"])
def test_a_little_more_patience_long_ago_is_no_cure(tmp_path: Path, old: int, expected: int | None) -> None:
    before = shop(web=workload({**PORTS, "livenessProbe": http(8080, initialDelaySeconds=old, periodSeconds=5)}))
    told = propose(tmp_path, shop(web=workload(SLOW)), refused(8080), before=[before])
    assert (told.value(f"{LIVENESS}.initialDelaySeconds") if told.changed else None) == expected


ABSENT = 'Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "0b": OCI runtime exec failed: exec failed: unable to start container process: exec: "{}": executable file not found in $PATH: unknown'


@pytest.mark.parametrize(
    ("program", "told", "expected"),
    [("redis-clii", "redis-clii", "redis-cli"), ("our-check", "our-check", None), ("redis-cli", "redis-clii", None)],
    ids=["slip", "unknown", "mended"],
)
def test_the_program_of_a_probe_is_one_that_exists(
    tmp_path: Path, program: str, told: str, expected: str | None
) -> None:
    box = {"readinessProbe": {"exec": {"command": [program, "ping"]}}}
    found = propose(tmp_path, shop(web=workload(box)), events(("Unhealthy", POD, ABSENT.format(told))))
    path = "spec.template.spec.containers.0.readinessProbe.exec.command.0"
    assert (found.value(path) if found.changed else None) == expected


@pytest.mark.parametrize("alone", [False, True])
def test_a_port_gets_the_name_back_that_others_ask_for(tmp_path: Path, alone: bool) -> None:
    probes = {"readinessProbe": {"httpGet": {"path": "/", "port": "http"}}}
    if not alone:
        probes["livenessProbe"] = {"httpGet": {"path": "/", "port": "http"}}
    files = shop(web=workload({"ports": [{"name": "web", "containerPort": 8080}], **probes}))
    told = propose(
        tmp_path,
        files,
        events(("Unhealthy", POD, 'Readiness probe errored: strconv.Atoi: parsing "http": invalid syntax')),
    )
    container = "spec.template.spec.containers.0"
    assert told.value(f"{container}.ports.0.name") == ("web" if alone else "http")
    assert told.value(f"{container}.readinessProbe.httpGet.port") == ("web" if alone else "http")


def test_an_http_probe_that_a_commit_has_just_added_is_taken_back(tmp_path: Path) -> None:
    ports = {"ports": [{"containerPort": 8085}]}
    now, old = shop(web=workload({**ports, "livenessProbe": http(8080)})), shop(web=workload(ports))
    told = propose(tmp_path, now, refused(8080), before=[old])
    assert told.actions[0] == "roll_back"
    assert "livenessProbe" not in told.changed["web/web.yaml"]
    assert told.outcomes[0].proposals[0].weakens


def test_a_new_probe_goes_to_a_port_that_speaks_http(tmp_path: Path) -> None:
    ports = {"ports": [{"containerPort": 8085, "name": "http"}]}
    now, old = shop(web=workload({**ports, "livenessProbe": http(8080)})), shop(web=workload(ports))
    told = propose(tmp_path, now, refused(8080), before=[old])
    assert told.value(f"{LIVENESS}.httpGet.port") == 8085
