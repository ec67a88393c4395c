"""The verifier: every affected Application has the merge, and is healthy with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.domain.lifecycle import ARRIVED, AWAITED, Observation
from remediator.domain.settle import require_settled
from remediator.domain.times import stamp
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
    """Makes `fetch` ask again."""
    sync: Callable[[str, Mapping[str, Any]], None] | None = None
    """Applies an Application that waits for it, at what was compared; None: the policy leaves that to people."""
    _asked: set[str] = field(default_factory=set, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def promise(self) -> str:
        """See the port."""
        return "Argo CD synced to the merge, and Healthy"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """See the port."""
        at = stamp(self.now())
        commit = rollout.pull_request.merge_commit
        if not rollout.applications or not commit:
            neutral = {"neutral": "no Application is named"}
            return Observation(verifier=self.name, status="success", summary="no Application", at=at, facts=neutral)
        merge = MergedRevision(commit, rollout.merged_at, self.contains, self.ours)
        asked = {one for look in earlier if look.verifier == self.name for one in look.facts.get("synced", "").split()}
        judged = [(name, self._judge(name, merge)) for name in rollout.applications]
        judged = [(name, self._synced(name, one, merge, asked)) for name, one in judged]
        judged.sort(key=lambda one: _ORDER[one[1].status])
        worst = judged[0][1].status
        said = "; ".join(one.said for _, one in judged if one.status == worst)
        facts = {"synced": " ".join(sorted(asked))} if asked else {}
        facts[ARRIVED if all(one.arrived for _, one in judged) else AWAITED] = "yes"
        link = self.link(judged[0][0])
        seen = Observation(verifier=self.name, status=worst, summary=said, at=at, link=link, facts=facts)
        return require_settled(seen, earlier, self.settle)

    def forget(self) -> None:
        """See the port."""
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

    def _synced(self, name: str, judged: SyncVerdict, merge: MergedRevision, asked: set[str]) -> SyncVerdict:
        """Where the policy says so an Application that waits is synced, once a merge; what is asked for is noted."""
        if not judged.waits_for_sync or self.sync is None:
            return judged
        mark = f"{name}@{merge.commit}"
        with self._lock:  # several incidents of one merge are looked at side by side
            known = mark in asked or mark in self._asked
            self._asked.add(mark)
        if known:
            asked.add(mark)
            return SyncVerdict("pending", f"`{name}` was synced on the policy's behalf, and is not Synced yet")
        try:
            self.sync(name, compared(self.fetch(name) or {}))
        except RemediatorError as error:
            with self._lock:
                self._asked.discard(mark)
            return SyncVerdict("pending", f"{judged.said}; it could not be asked for: {error}")
        asked.add(mark)
        return SyncVerdict("pending", f"`{name}` is being synced to `{merge.commit[:7]}` on the policy's behalf")

    def _parent(self, name: str) -> Application | None:
        """The parent where it can be seen: the label that names it may mean something else."""
        try:
            return self.fetch(name)
        except RemediatorError:
            return None
