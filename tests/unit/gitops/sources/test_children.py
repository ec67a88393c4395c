"""What is started on an untrusted checkout: it ends with all that it started, within its memory, and sees no token."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from remediator.gitops.sources.tools import Limits, ToolFailed, Tools
from remediator.services.local.git import Git

TOKENS = {"GITHUB_TOKEN": "ghs-made-up", "REMEDIATOR_LOKI_TOKEN": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up"}


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("ends", ["sleep 60", "exit 0"], ids=["too slow", "left behind"])
def test_what_a_tool_has_started_ends_with_it(tmp_path: Path, ends: str) -> None:
    """kustomize starts helm; a helm that goes on alone would burn a processor for hours."""
    note = tmp_path / "child"
    helm = script(tmp_path / "helm", f"sleep 60 &\necho $! > {note}\n{ends}")
    try:
        Tools(helm).run_helm(["template"], tmp_path, Limits(seconds=1))
    except ToolFailed as error:
        assert error.late  # noqa: PT017 — the other case ends well
    child = int(note.read_text())
    for _ in range(50):
        if not is_alive(child):
            break
        time.sleep(0.05)
    assert not is_alive(child)


@pytest.mark.needs_tools("helm")
def test_a_template_that_repeats_a_text_without_end_is_refused(tmp_path: Path) -> None:
    files = {
        "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        "templates/web.yaml": '{{ $x := repeat 100000000 "0123456789" }}{{ $y := repeat 4 $x }}{{ len $y }}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(ToolFailed):
        Tools.find().run_helm(["template", "web", "."], tmp_path)


def test_git_sees_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "environment"
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "git", f"env > {note}")
    environ = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SSH_AUTH_SOCK": "/run/agent",
        **TOKENS,
    }
    monkeypatch.setenv("PATH", environ["PATH"])
    Git(tmp_path, environ=environ).ask("status")
    seen = dict(line.partition("=")[::2] for line in note.read_text().splitlines() if "=" in line)
    assert not TOKENS.keys() & seen.keys()
    assert seen["SSH_AUTH_SOCK"] == "/run/agent"
