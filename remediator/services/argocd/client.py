"""Argo CD's REST API with a read-only token.

`refresh=normal` makes it compare with the repository first and blocks meanwhile. Without `project` a missing
Application answers 403 like one that may not be seen. Errors are `{"error", "message", "code"}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from remediator.domain.sources import AnswerError, short
from remediator.transport.deadlines import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.domain.sources import Web

REFRESH_PATIENCE = 60.0
"""Seconds that a refresh may take; after that the Application is read as it stands."""


@dataclass
class ArgoApi:
    """Reads Applications; each is refreshed once a look."""

    web: Web
    namespace: str = ""
    project: str = ""
    refresh: bool = True
    _known: SingleFlight[dict[str, Any] | None] = field(default_factory=SingleFlight, repr=False)

    def application(self, name: str) -> dict[str, Any] | None:
        """The Application as one look sees it; None where there is none."""
        return self._known.ask(name, lambda: self._read(name))

    def forget(self) -> None:
        """Read, and refresh, anew."""
        self._known.forget()

    def sync(self, name: str, at: Mapping[str, Any]) -> None:
        """Apply the Application at these revisions; nothing is pruned. Only where the policy asks for it."""
        place = {"appNamespace": self.namespace} if self.namespace else {}
        place |= {"project": self.project} if self.project else {}
        body = {"name": name, **place, **at, "prune": False, "dryRun": False}
        self.web.post_json(f"/api/v1/applications/{quote(name, safe='')}/sync", body)

    def link(self, name: str) -> str:
        """Its page."""
        place = f"{quote(self.namespace)}/{quote(name)}" if self.namespace else quote(name)
        return f"{self.web.base}/applications/{place}"

    def _read(self, name: str) -> dict[str, Any] | None:
        path = f"/api/v1/applications/{quote(name, safe='')}"
        asked = [("appNamespace", self.namespace)] if self.namespace else []
        asked += [("project", self.project)] if self.project else []
        try:
            try:
                refresh = [("refresh", "normal")] if self.refresh else []
                found = self.web.get(path, [*asked, *refresh], patience=REFRESH_PATIENCE if refresh else 0)
            except AnswerError as error:
                if not self.refresh or error.status or not error.retryable:
                    raise
                found = self.web.get(path, asked)
        except AnswerError as error:
            if error.status == 404:
                return None
            if error.status == 403 and not self.project:
                said = f"{error}; without `project` a missing Application answers the same"
                raise AnswerError(said, status=403, detail=error.detail) from error
            raise
        if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
            raise AnswerError(f"{self.web.name} answers with no Application: {short(str(found), 120)}", status=200)
        return found
