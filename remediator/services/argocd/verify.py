"""The verifier over Argo CD: every affected Application has the merge, and is healthy with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.domain.lifecycle import ARRIVED, AWAITED, Observation
from remediator.domain.rhythm import least_quiet
from remediator.domain.settle import require_settled
from remediator.domain.times import stamp
from remediator.domain.visibility import is_shown_by_pods
from remediator.errors import RemediatorError
from remediator.services.argocd.sync_state import (
    Application,
    Contains,
    MergedRevision,
    SyncVerdict,
    compared,
    judge,
    parent_of,
    waits_for_parent,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from remediator.domain.ports import Clock
    from remediator.domain.sources import Rollout

Fetch = Callable[[str], Application | None]
_ORDER = {"failed": 0, "pending": 1, "success": 2}


@dataclass
class ArgoVerifier:
    """The `Verifier` port; `fetch` reads through the REST API or through the cluster's custom resources."""

    name: str
    fetch: Fetch
    now: Clock
    contains: Contains
    ours: Callable[[str], bool]
    settle: timedelta
    link: Callable[[str], str] = lambda _name: ""
    anew: Callable[[], None] = lambda: None
    """Drops what `fetch` has cached."""
    sync: Callable[[str, Mapping[str, Any]], None] | None = None
    """Syncs an Application that waits for it, at the compared revisions; None: the policy leaves that to people."""
    _requested: set[str] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def promise(self) -> str:
        """The condition that holds on success."""
        return "Argo CD synced to the merge, and Healthy"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Check all affected Applications once."""
        at = stamp(self.now())
        commit = rollout.pull_request.merge_commit
        if not rollout.applications or not commit:
            neutral = {"neutral": "no Application is named"}
            return Observation(verifier=self.name, status="success", summary="no Application", at=at, facts=neutral)
        merge = MergedRevision(commit, rollout.merged_at, self.contains, self.ours)
        requested = {
            mark for look in earlier if look.verifier == self.name for mark in look.facts.get("synced", "").split()
        }
        judged = [(name, self._judge(name, merge)) for name in rollout.applications]
        judged = [(name, self._synced(name, verdict, merge, requested)) for name, verdict in judged]
        judged.sort(key=lambda pair: _ORDER[pair[1].status])
        worst = judged[0][1].status
        summary = "; ".join(verdict.summary for _, verdict in judged if verdict.status == worst)
        facts = {"synced": " ".join(sorted(requested))} if requested else {}
        facts[ARRIVED if all(verdict.arrived for _, verdict in judged) else AWAITED] = "yes"
        if worst == "success" and not is_shown_by_pods(rollout.diagnosis):
            facts["neutral"] = "Argo CD never showed it"
        link = self.link(judged[0][0])
        observation = Observation(verifier=self.name, status=worst, summary=summary, at=at, link=link, facts=facts)
        changed = max((verdict.health_since for _, verdict in judged), default="")
        return require_settled(
            observation, earlier, least_quiet(self.settle, rollout.pause, rollout.diagnosis.category), changed
        )

    def forget(self) -> None:
        """Drop the cached Applications."""
        self.anew()

    def _judge(self, name: str, merge: MergedRevision) -> SyncVerdict:
        try:
            app = self.fetch(name)
            if app is not None and (parent := parent_of(app)):
                waits = waits_for_parent(name, self._parent(parent), merge)
                if waits:
                    return SyncVerdict("pending", f"`{name}`: {waits}")
            return judge(name, app, merge)
        except RemediatorError as error:
            return SyncVerdict("pending", str(error))

    def _synced(self, name: str, judged: SyncVerdict, merge: MergedRevision, requested: set[str]) -> SyncVerdict:
        """Sync an Application that waits for it, once per merge, where the policy says so; record the request."""
        if not judged.waits_for_sync or self.sync is None:
            return judged
        mark = f"{name}@{merge.commit}"
        with self._lock:  # several incidents of one merge are looked at side by side
            requested_before = mark in requested or mark in self._requested
            self._requested.add(mark)
        if requested_before:
            requested.add(mark)
            return SyncVerdict("pending", f"`{name}` was synced on the policy's behalf, and is not Synced yet")
        try:
            self.sync(name, compared(self.fetch(name) or {}))
        except RemediatorError as error:
            with self._lock:
                self._requested.discard(mark)
            return SyncVerdict("pending", f"{judged.summary}; it could not be requested: {error}")
        requested.add(mark)
        return SyncVerdict("pending", f"`{name}` is being synced to `{merge.commit[:7]}` on the policy's behalf")

    def _parent(self, name: str) -> Application | None:
        """Return the parent where it is readable: the label that names it may mean something else."""
        try:
            return self.fetch(name)
        except RemediatorError:
            return None
