"""Whether the alerts of an incident, and others about its workloads, are over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from remediator.domain.lifecycle import Observation
from remediator.domain.settle import require_settled
from remediator.domain.sources import short
from remediator.domain.times import stamp
from remediator.errors import RemediatorError
from remediator.services.alertmanager.client import active, firing, label, subject_of, text_of
from remediator.transport.deadlines import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from remediator.domain.incident import Subject
    from remediator.domain.lifecycle import VerificationStatus
    from remediator.domain.ports import Clock
    from remediator.domain.sources import Rollout, Web

_RUNS_PODS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Job", "CronJob", "Pod"})


@dataclass
class AlertVerifier:
    """The `Verifier` port: the alerts of the incident, and others about its workloads, are over.

    All that fires is asked for once a look, which is at one moment.
    """

    name: str
    web: Web
    now: Clock
    settle: timedelta
    filters: Sequence[str] = ()
    receiver: str = ""
    cluster_of: Callable[[str], str] = lambda said: said
    """By what name incidents go on whose alerts say that cluster."""
    _known: SingleFlight[list[dict[str, Any]]] = field(default_factory=SingleFlight, repr=False)

    @property
    def promise(self) -> str:
        """See the port."""
        return "its alerts resolved"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """See the port."""
        at = stamp(self.now())
        wanted = {item.reason for item in rollout.diagnosis.evidence if item.channel == "alert"}
        places = [*rollout.subjects, *(e.subject for e in rollout.diagnosis.evidence if e.channel == "alert")]
        try:
            alerts = self._firing()
        except RemediatorError as error:
            return Observation(verifier=self.name, status="pending", summary=str(error), at=at)
        mine = [alert for alert in alerts if self._mine(alert, places, wanted)]
        facts = {} if wanted else {"neutral": "no alert told of this incident"}
        if not mine:
            calm = Observation(verifier=self.name, status="success", summary="no alert fires", at=at, facts=facts)
            return require_settled(calm, earlier, self.settle)
        worst = ([alert for alert in mine if active(alert)] or mine)[-1]
        began, what = str(worst.get("startsAt") or "")[:19] + "Z", label(worst, "alertname") or "an alert"
        sure = any(_is(subject_of(worst), place) for place in self._here(subject_of(worst), places))
        hidden = "" if active(worst) else _suppressed_by(worst)
        anew = sure and not hidden and bool(rollout.since) and began > rollout.since and what in wanted
        status: VerificationStatus = "failed" if anew else "pending"
        said = f"`{what}` fires{' again' if anew else ''} since {began}{hidden}: {short(text_of(worst), 160)}"
        return Observation(
            verifier=self.name, status=status, summary=said, at=at, link=_page(self.web, label(worst, "alertname"))
        )

    def forget(self) -> None:
        """See the port."""
        self._known.forget()

    def _mine(self, alert: Mapping[str, Any], places: Sequence[Subject], wanted: set[str]) -> bool:
        found = subject_of(alert)
        places = self._here(found, places)
        another = found.kind == "Node" and any(place.kind == "Node" for place in places)
        called = label(alert, "alertname") in wanted and not another
        near = called and any(_may_be(found, place) for place in places)
        return near or any(_is(found, place) for place in places)

    def _here(self, found: Subject, places: Sequence[Subject]) -> list[Subject]:
        """Those that are not in another cluster than the alert says: one Alertmanager may serve many."""
        names = {found.cluster, self.cluster_of(found.cluster)} if found.cluster else set()
        return [place for place in places if not (names and place.cluster) or place.cluster in names]

    def _firing(self) -> list[dict[str, Any]]:
        return self._known.ask("", lambda: firing(self.web, self.filters, self.receiver, suppressed=True))


def _is(found: Subject, place: Subject) -> bool:
    """Whether two subjects are one object, whichever of its kinds each was told by."""
    if "Node" in {found.kind, place.kind}:
        return found.kind == place.kind and bool(found.name) and found.name == place.name
    if found.namespace != place.namespace:
        return False
    return bool(found.name and found.name == place.name) or bool(found.pod and found.pod == place.pod)


def _may_be(found: Subject, place: Subject) -> bool:
    """Whether an alert of the incident's name can be its own: somewhere near, and not clearly another workload's."""
    if place.kind == "Node" or not place.namespace:
        return True
    if found.namespace and found.namespace != place.namespace:
        return False
    return not (found.kind in _RUNS_PODS and place.kind in _RUNS_PODS)


def _suppressed_by(alert: Mapping[str, Any]) -> str:
    """By what an alert is kept quiet, which ends nothing: whoever silences a fault has not mended it."""
    status = alert.get("status")
    told = [
        f"{word} by {short(', '.join(map(str, by)), 80)}"
        for key, word in (("silencedBy", "silenced"), ("inhibitedBy", "inhibited"), ("mutedBy", "muted"))
        if isinstance(status, dict) and isinstance(by := status.get(key), list) and by
    ]
    return f" ({'; '.join(told) or 'suppressed'})"


def _page(web: Web, name: str) -> str:
    """Where Alertmanager shows the alerts of a name: its own address, never one that an alert brings along."""
    return f"{web.base}/#/alerts?filter={quote(f'{{alertname={json.dumps(name)}}}')}"
