"""The verifier over alerts: those of an incident, and others about its workloads, have ended."""

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
from remediator.transport.single_flight import SingleFlight

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
    cluster_of: Callable[[str], str] = lambda cluster: cluster
    """Maps an alert's cluster to the cluster's name in incidents."""
    _alerts: SingleFlight[list[dict[str, Any]]] = field(default_factory=SingleFlight, repr=False)

    @property
    def promise(self) -> str:
        """The condition that holds on success."""
        return "its alerts resolved"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Check the firing alerts once."""
        at = stamp(self.now())
        alert_names = {item.reason for item in rollout.diagnosis.evidence if item.channel == "alert"}
        places = [*rollout.subjects, *(e.subject for e in rollout.diagnosis.evidence if e.channel == "alert")]
        try:
            alerts = self._firing()
        except RemediatorError as error:
            return Observation(verifier=self.name, status="pending", summary=str(error), at=at)
        mine = [alert for alert in alerts if self._mine(alert, places, alert_names)]
        facts = {} if alert_names else {"neutral": "no alert told of this incident"}
        if not mine:
            calm = Observation(verifier=self.name, status="success", summary="no alert fires", at=at, facts=facts)
            return require_settled(calm, earlier, self.settle)
        worst = ([alert for alert in mine if active(alert)] or mine)[-1]
        began, alert_name = str(worst.get("startsAt") or "")[:19] + "Z", label(worst, "alertname") or "an alert"
        sure = any(_is(subject_of(worst), place) for place in self._here(subject_of(worst), places))
        hidden = "" if active(worst) else _suppressed_by(worst)
        anew = sure and not hidden and bool(rollout.since) and began > rollout.since and alert_name in alert_names
        status: VerificationStatus = "failed" if anew else "pending"
        summary = f"`{alert_name}` fires{' again' if anew else ''} since {began}{hidden}: {short(text_of(worst), 160)}"
        return Observation(
            verifier=self.name, status=status, summary=summary, at=at, link=_page(self.web, label(worst, "alertname"))
        )

    def forget(self) -> None:
        """Drop the cached alerts."""
        self._alerts.forget()

    def _mine(self, alert: Mapping[str, Any], places: Sequence[Subject], alert_names: set[str]) -> bool:
        subject = subject_of(alert)
        places = self._here(subject, places)
        another = subject.kind == "Node" and any(place.kind == "Node" for place in places)
        same_name = label(alert, "alertname") in alert_names and not another
        near = same_name and any(_may_be(subject, place) for place in places)
        return near or any(_is(subject, place) for place in places)

    def _here(self, subject: Subject, places: Sequence[Subject]) -> list[Subject]:
        """Return the places that are not in another cluster than the alert: one Alertmanager may serve many."""
        names = {subject.cluster, self.cluster_of(subject.cluster)} if subject.cluster else set()
        return [place for place in places if not (names and place.cluster) or place.cluster in names]

    def _firing(self) -> list[dict[str, Any]]:
        return self._alerts.ask("", lambda: firing(self.web, self.filters, self.receiver, suppressed=True))


def _is(subject: Subject, place: Subject) -> bool:
    """Return whether two subjects are one object, whichever of its kinds names each."""
    if "Node" in {subject.kind, place.kind}:
        return subject.kind == place.kind and bool(subject.name) and subject.name == place.name
    if subject.namespace != place.namespace:
        return False
    return bool(subject.name and subject.name == place.name) or bool(subject.pod and subject.pod == place.pod)


def _may_be(subject: Subject, place: Subject) -> bool:
    """Return whether an alert of the incident's name can be its own: near, and not clearly another workload's."""
    if place.kind == "Node" or not place.namespace:
        return True
    if subject.namespace and subject.namespace != place.namespace:
        return False
    return not (subject.kind in _RUNS_PODS and place.kind in _RUNS_PODS)


def _suppressed_by(alert: Mapping[str, Any]) -> str:
    """Return what suppresses an alert; a silence ends nothing, so a suppressed alert still counts."""
    status = alert.get("status")
    reasons = [
        f"{word} by {short(', '.join(map(str, by)), 80)}"
        for key, word in (("silencedBy", "silenced"), ("inhibitedBy", "inhibited"), ("mutedBy", "muted"))
        if isinstance(status, dict) and isinstance(by := status.get(key), list) and by
    ]
    return f" ({'; '.join(reasons) or 'suppressed'})"


def _page(web: Web, name: str) -> str:
    """Return Alertmanager's page of an alert name: the configured address, never one that an alert brings along."""
    return f"{web.base}/#/alerts?filter={quote(f'{{alertname={json.dumps(name)}}}')}"
