"""Argo CD's REST API with a read-only token.

`refresh=normal` makes it compare with the repository first and blocks meanwhile. Without `project` a missing
Application answers 403 like one that may not be seen. Errors are `{"error", "message", "code"}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from remediator.domain.sources import AnswerError, short
from remediator.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.domain.sources import Web

REFRESH_PATIENCE = 60.0
"""Seconds that a refresh may take; after that the Application is read without one."""


@dataclass
class ArgoApi:
    """Reads Applications; each is refreshed once per check."""

    web: Web
    namespace: str = ""
    project: str = ""
    refresh: bool = True
    _applications: SingleFlight[dict[str, Any] | None] = field(default_factory=SingleFlight, repr=False)

    def application(self, name: str) -> dict[str, Any] | None:
        """Return the Application as one check sees it; None where there is none."""
        return self._applications.ask(name, lambda: self._read(name))

    def forget(self) -> None:
        """Drop the cached Applications; the next check reads and refreshes them."""
        self._applications.forget()

    def sync(self, name: str, at: Mapping[str, Any]) -> None:
        """Apply the Application at these revisions; nothing is pruned. Only where the policy asks for it."""
        place = {"appNamespace": self.namespace} if self.namespace else {}
        place |= {"project": self.project} if self.project else {}
        body = {"name": name, **place, **at, "prune": False, "dryRun": False}
        self.web.post_json(f"/api/v1/applications/{quote(name, safe='')}/sync", body)

    def link(self, name: str) -> str:
        """Return the address of the Application's page."""
        place = f"{quote(self.namespace)}/{quote(name)}" if self.namespace else quote(name)
        return f"{self.web.base}/applications/{place}"

    def _read(self, name: str) -> dict[str, Any] | None:
        path = f"/api/v1/applications/{quote(name, safe='')}"
        parameters = [("appNamespace", self.namespace)] if self.namespace else []
        parameters += [("project", self.project)] if self.project else []
        try:
            try:
                refresh = [("refresh", "normal")] if self.refresh else []
                document = self.web.get(path, [*parameters, *refresh], patience=REFRESH_PATIENCE if refresh else 0)
            except AnswerError as error:
                if not self.refresh or error.status or not error.retryable:
                    raise
                document = self.web.get(path, parameters)
        except AnswerError as error:
            if error.status == 404:
                return None
            if error.status == 403 and not self.project:
                message = f"{error}; without `project` a missing Application answers the same"
                raise AnswerError(message, status=403, detail=error.detail) from error
            raise
        if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
            raise AnswerError(f"{self.web.name} answers with no Application: {short(str(document), 120)}", status=200)
        return document
