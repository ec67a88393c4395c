"""The inputs of the action and its event, read once from the environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import Field

from remediator.domain.base import Value
from remediator.errors import ConfigError
from remediator.trigger import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

FailOn = Literal["never", "failure", "needs-person", "any"]


class Inputs(Value):
    """The action's inputs; empty means the default."""

    event: str
    payload: dict[str, Any] = Field(default_factory=dict, repr=False)
    mode: Mode = "auto"
    log_artifact: str = ""
    run_id: int = 0
    repository: str = ""
    """The repository of the run; empty: our own."""
    log_path: tuple[str, ...] = ()
    log_text: str = Field("", repr=False)
    source: str = ""
    workflows: tuple[str, ...] = ()
    """The workflows whose failed runs are read."""
    directory: Path = Path()
    dry_run: bool = False
    fail_on: FailOn = "failure"
    off: bool = False
    """The repository variable REMEDIATOR_OFF."""
    output: Path | None = None
    summary: Path | None = None
    temp: Path = Path("/tmp")  # noqa: S108 - only where no runner names one

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Inputs:
        """Return the inputs; ConfigError names the input that is not valid."""

        def value_of(name: str) -> str:
            return environ.get(f"REMEDIATOR_{name}", "").strip()

        mode, fail_on, run_id = value_of("MODE") or "auto", value_of("FAIL_ON") or "failure", value_of("RUN_ID") or "0"
        for name, text, choices in (("mode", mode, get_args(Mode)), ("fail-on", fail_on, get_args(FailOn))):
            if text not in choices:
                raise ConfigError(f"{name}: {text!r} is not one of {', '.join(choices)}")
        if not run_id.isdigit():
            raise ConfigError(f"run-id: {run_id!r} is no number: write digits only")
        return cls.model_validate(
            {
                "event": environ.get("GITHUB_EVENT_NAME", ""),
                "payload": _payload(environ.get("GITHUB_EVENT_PATH", "")),
                "mode": mode,
                "log_artifact": value_of("LOG_ARTIFACT"),
                "run_id": int(run_id),
                "repository": value_of("REPOSITORY"),
                "log_path": tuple(line.strip() for line in value_of("LOG_PATH").splitlines() if line.strip()),
                "log_text": environ.get("REMEDIATOR_LOG_TEXT", ""),
                "source": value_of("SOURCE"),
                "workflows": tuple(line.strip() for line in value_of("WORKFLOWS").splitlines() if line.strip()),
                "directory": Path(environ.get("GITHUB_WORKSPACE") or ".", value_of("WORKING_DIRECTORY")),
                "dry_run": value_of("DRY_RUN").lower() == "true",
                "fail_on": fail_on,
                "off": value_of("DISABLED").lower() in {"1", "true", "on", "yes"},
                "output": environ.get("GITHUB_OUTPUT") or None,
                "summary": environ.get("GITHUB_STEP_SUMMARY") or None,
                "temp": environ.get("RUNNER_TEMP") or "/tmp",  # noqa: S108 - as above
            }
        )


def _payload(path: str) -> dict[str, Any]:
    if not path:
        return {}
    try:
        payload = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"the event cannot be read: {error}", file=path) from error
    return payload if isinstance(payload, dict) else {}
