"""Words that cannot be executed, and flags that a program does not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.remedies.small_repository import POD, events, log, propose, shop, workload

RUNC = "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
COMMAND = "spec.template.spec.containers.0.command"
ARGS = "spec.template.spec.containers.0.args"


def missing(word: str) -> str:
    why = f"stat {word}: no such file or directory" if word.startswith("/") else "executable file not found in $PATH"
    return events(("Failed", POD, f'{RUNC}exec: "{word}": {why}: unknown'))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("wge", "wget"), ("/bin/bahs", "/bin/bash"), ("pythn3", "python3"), ("/venv/bin/pythons", "/venv/bin/python"), ("ngnix", "nginx"), ("/bin/shh", "/bin/sh"), ("docker-entrypoint.hs", "docker-entrypoint.sh")],
)  # fmt: skip
def test_a_slip_in_a_common_program_is_corrected(tmp_path: Path, wrong: str, right: str) -> None:
    told = propose(tmp_path, shop(web=workload({"command": [wrong, "-c", "run"]})), missing(wrong))
    assert told.value(COMMAND) == [right, "-c", "run"]
    assert told.actions[0] == "fix_command"


def test_the_workloads_own_name_tells_its_program(tmp_path: Path) -> None:
    told = propose(
        tmp_path,
        shop(web=workload({"image": "example.com/ledger-server:1", "command": ["/srv/ledger-sever"]})),
        missing("/srv/ledger-sever"),
    )
    assert told.value(COMMAND) == ["/srv/ledger-server"]


def test_a_sibling_tells_the_program(tmp_path: Path) -> None:
    files = shop(
        web=workload({"command": ["/opt/run/frobnicat"]}),
        other=workload({"command": ["/opt/run/frobnicate"]}, name="other"),
    )
    assert propose(tmp_path, files, missing("/opt/run/frobnicat")).value(COMMAND) == ["/opt/run/frobnicate"]


def test_history_comes_first(tmp_path: Path) -> None:
    old, new = shop(web=workload({"command": ["/app/begin"]})), shop(web=workload({"command": ["/app/wgte"]}))
    assert propose(tmp_path, new, missing("/app/wgte"), before=[old]).value(COMMAND) == ["/app/begin"]


@pytest.mark.parametrize("wrong", ["bash", "/usr/bin/curl", "/app/frobnicate", "gp"])
def test_what_the_image_lacks_is_no_slip(tmp_path: Path, wrong: str) -> None:
    assert not propose(tmp_path, shop(web=workload({"command": [wrong]})), missing(wrong)).outcomes[0].proposals


def test_a_file_without_permission_is_the_images_fault(tmp_path: Path) -> None:
    text = events(("Failed", POD, f'{RUNC}exec: "/app/run.hs": permission denied: unknown'))
    assert not propose(tmp_path, shop(web=workload({"command": ["/app/run.hs"]})), text).outcomes[0].proposals


def test_a_command_mended_since_is_left_alone(tmp_path: Path) -> None:
    assert not propose(tmp_path, shop(web=workload({"command": ["wget"]})), missing("wge")).outcomes[0].proposals


def test_a_word_in_a_shells_line_is_corrected_in_place(tmp_path: Path) -> None:
    line = "mkdir -p /data && pyhton app.py --path pyhton-data"
    told = propose(tmp_path, shop(web=workload({"command": ["sh", "-c", line]})), log("sh: pyhton: not found"))
    assert told.value(COMMAND)[2] == "mkdir -p /data && python app.py --path pyhton-data"


def test_a_script_in_a_config_map_is_corrected(tmp_path: Path) -> None:
    script = "#!/bin/sh\nset -e\nkubctl get pods\n"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "scripts"}, "data": {"run.sh": script}}
    pod = {"volumes": [{"name": "scripts", "configMap": {"name": "scripts"}}]}
    told = propose(
        tmp_path,
        shop(web=workload(pod=pod), config=config),
        log("/scripts/run.sh: line 3: kubctl: command not found", "sh: kubctl: not found"),
    )
    assert told.value("data", "web/config.yaml")["run~sh".replace("~", ".")] == script.replace("kubctl", "kubectl")


@pytest.mark.parametrize(
    ("args", "said", "right"),
    [
        (
            ["--log-levl=info"],
            ("Error: unknown flag: --log-levl", "Flags:", "      --log-level string   level of logging"),
            ["--log-level=info"],
        ),
        (["--config.fiel=/etc/x.yml"], ("Error: unknown flag: --config.fiel",), ["--config.file=/etc/x.yml"]),
        (["-listen-adress", ":80"], ("flag provided but not defined: -listen-adress",), ["-listen-address", ":80"]),
        (["serve", "--verbos"], ("error: unrecognized arguments: --verbos",), ["serve", "--verbose"]),
        (["--leader-electoin"], ("unknown flag: --leader-electoin",), ["--leader-election"]),
    ],
)
def test_a_slip_in_a_flag_is_corrected(tmp_path: Path, args: list[str], said: Any, right: list[str]) -> None:
    told = propose(tmp_path, shop(web=workload({"args": args})), log(*said))
    assert told.value(ARGS) == right
    assert told.actions[0] == "fix_args"


@pytest.mark.parametrize("flag", ["--frobnicate", "--experimental-storage", "--v2"])
def test_a_flag_that_nobody_knows_is_left_alone(tmp_path: Path, flag: str) -> None:
    assert (
        not propose(tmp_path, shop(web=workload({"args": [flag]})), log(f"unknown flag: {flag}")).outcomes[0].proposals
    )


def test_a_flag_that_a_commit_added_is_taken_away(tmp_path: Path) -> None:
    old, new = shop(web=workload({"args": ["serve"]})), shop(web=workload({"args": ["serve", "--frobnicate"]}))
    told = propose(tmp_path, new, log("unknown flag: --frobnicate"), before=[old])
    assert told.value(ARGS) == ["serve"]


def test_a_word_that_only_moved_is_no_earlier_value(tmp_path: Path) -> None:
    old = shop(web=workload({"args": ["--a=1", "--b=2"]}))
    new = shop(web=workload({"args": ["--frobnicate", "--a=1", "--b=2"]}))
    told = propose(tmp_path, new, log("unknown flag: --frobnicate"), before=[old])
    assert not told.changed or told.value(ARGS) == ["--a=1", "--b=2"]


def test_a_whole_line_as_one_word_is_split(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=workload({"command": ["python app.py"]})), missing("python app.py"))
    assert told.value(COMMAND) == ["python", "app.py"]


def test_a_line_that_needs_a_shell_is_not_split(tmp_path: Path) -> None:
    assert not propose(
        tmp_path, shop(web=workload({"command": ["python app.py > out"]})), missing("python app.py > out")
    ).changed
