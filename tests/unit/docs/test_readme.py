"""The README shows what the demo prints today; `--update-golden` rewrites its block."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
BLOCK = re.compile(r"(?s)(<!-- demo: begin -->\n```\n)(.*?)(```\n<!-- demo: end -->)")
SECONDS = re.compile(r"\(\d+\.\d\d s\)")


@pytest.mark.needs_tools("helm", "kubectl")
@pytest.mark.thorough
def test_the_readme_shows_what_the_demo_prints(tmp_path, request):
    demo = tmp_path / "build" / "demo"
    demo.parent.mkdir()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    make = [sys.executable, str(ROOT / "examples/make_repository.py"), str(demo)]
    subprocess.run(make, check=True, capture_output=True)
    run = [sys.executable, "-m", "remediator", "run", "--log", "examples/incidents/oom.txt", "--repo", "build/demo"]
    done = subprocess.run(
        run, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    printed = SECONDS.sub("(0.01 s)", done.stdout)
    text = README.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        README.write_text(BLOCK.sub(lambda block: block[1] + printed + block[3], text), encoding="utf-8")
    shown = BLOCK.search(README.read_text(encoding="utf-8"))
    assert shown is not None
    assert shown[2] == printed


@pytest.mark.thorough
def test_what_needs_a_person_says_what_the_leading_signal_advises(tmp_path):
    make = [sys.executable, str(ROOT / "examples/make_repository.py"), str(tmp_path / "demo")]
    subprocess.run(make, check=True, capture_output=True)
    log = str(ROOT / "examples/incidents/registry-credentials.txt")
    run = [sys.executable, "-m", "remediator", "run", "--log", log, "--repo", "demo"]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 3, done.stderr
    assert "renew the pull secret" in done.stdout
    assert "look there" not in done.stdout
