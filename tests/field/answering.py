"""What `remediator run --dry-run --json` answers to an incident: the command as a user calls it, without a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FieldAnswer:
    """The gravest incident's category and severity, every Application that is named, and all files as they would be."""

    category: str
    severity: str
    applications: tuple[str, ...]
    files: dict[str, str | None]
    calm: bool
    """Nothing but `info`: a person is told that there is nothing to do."""


def answer(inputs: list[Path], root: Path) -> FieldAnswer:
    """Run the command over the inputs and the checkout at `root`. Raises RuntimeError with its errors where it fails."""
    logs = [argument for path in inputs for argument in ("--log", str(path))]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", "remediator", "run", "--no-llm", *logs, "--repo", str(root), "--dry-run", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=Path(__file__).parents[2]
    )
    try:
        found = json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr[-2000:]}") from error
    files: dict[str, str | None] = {}
    for one in found:
        files |= one.get("git_changes") or {}
    first = found[0] if found else {}
    severities = {one.get("error_severity") for one in found}
    return FieldAnswer(
        first.get("error_category", ""),
        first.get("error_severity", ""),
        tuple(name.split("/")[-1] for one in found for name in one.get("affected_apps") or ()),
        files,
        calm=severities <= {"info"},
    )
