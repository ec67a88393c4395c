"""The environment, read once; nothing else looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from remediator.domain.base import Value

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(Value):
    """What the environment says; secrets as `SecretStr`, of which a local run has none."""

    github_actions: bool = False
    log_level: str = "warning"
    cluster: str = ""
    """Name of the cluster the logs come from; part of an incident's identity."""
    user: str = ""
    """Who answers on the command line, for the history."""
    environ: dict[str, str] = Field(default_factory=dict, repr=False, exclude=True)
    """Handed on to git and helm, which read their own variables from it; never stored."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Unset and empty mean the default."""
        on_github = environ.get("GITHUB_ACTIONS", "").lower() == "true"
        debug = environ.get("RUNNER_DEBUG") == "1"
        return cls(
            github_actions=on_github,
            log_level=environ.get("REMEDIATOR_LOG_LEVEL") or ("debug" if on_github and debug else "warning"),
            cluster=environ.get("REMEDIATOR_CLUSTER", ""),
            user=environ.get("GITHUB_ACTOR") or environ.get("USER") or environ.get("USERNAME") or "",
            environ=dict(environ),
        )
