"""The verifier over alerts: those of an incident, and others about its workloads, have ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from remediator.domain.lifecycle import MOMENTS, UNDECIDED, Observation
from remediator.domain.rhythm import SEVERAL, least_quiet
from remediator.domain.settle import require_settled
from remediator.domain.sources import short
from remediator.domain.times import stamp
from remediator.errors import RemediatorError
from remediator.services.alertmanager.client import active, firing, label, subject_of, text_of
from remediator.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.domain.incident import Subject
    from remediator.domain.lifecycle import VerificationStatus
    from remediator.domain.ports import Clock
    from remediator.domain.sources import Rollout, Web

ALERT_LAG = timedelta(minutes=30)
"""The time that an alert may go on after its cause has ended: rules look back, and wait before they end."""
_FRESH = timedelta(minutes=10)
"""Prometheus sends what fires about every minute; an alert that nobody has sent for so long proves no life."""
_LOOKS = "looks"
"""Fact of an observation: the number of calm looks one after another. What happens between two of them is not seen."""
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
    _all: SingleFlight[list[dict[str, Any]]] = field(default_factory=SingleFlight, repr=False)

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
            return self._calm(rollout, earlier, at, facts)
        worst = ([alert for alert in mine if active(alert)] or mine)[-1]
        began, alert_name = str(worst.get("startsAt") or "")[:19] + "Z", label(worst, "alertname") or "an alert"
        sure = any(_is(subject_of(worst), place) for place in self._here(subject_of(worst), places))
        hidden = "" if active(worst) else _suppressed_by(worst)
        its_own = sure and not hidden and bool(rollout.since) and alert_name in alert_names
        anew = its_own and began > rollout.since
        lasting = its_own and not anew and self._outlasts(rollout, at)
        status: VerificationStatus = "failed" if anew or lasting else "pending"
        how = " again" if anew else " on" if lasting else ""
        summary = f"`{alert_name}` fires{how} since {began}{hidden}: {short(text_of(worst), 160)}"
        return Observation(
            verifier=self.name, status=status, summary=summary, at=at, link=_page(self.web, label(worst, "alertname"))
        )

    def _calm(self, rollout: Rollout, earlier: Sequence[Observation], at: str, facts: dict[str, str]) -> Observation:
        """Return success where the alerts have ended for long enough, and whoever sends them is seen to live.

        Alertmanager drops an alert whose Prometheus has died, which looks like its end.
        """
        calm = Observation(verifier=self.name, status="success", summary="no alert fires", at=at, facts=facts)
        if "neutral" in facts:
            return calm
        try:
            sign = self._sign_of_life(rollout, at)
        except RemediatorError as error:
            return calm.model_copy(update={"status": "pending", "summary": str(error)})
        if not sign:
            summary = "no alert fires, and nothing shows that alerts are still evaluated: cannot tell (a Watchdog alert would show it)"
            return calm.model_copy(update={"status": "pending", "summary": summary, "facts": {UNDECIDED: "yes"}})
        looks = _calm_looks(earlier, self.name) + 1
        settled = require_settled(calm, earlier, least_quiet(self.settle, rollout.pause, rollout.diagnosis.category))
        settled = settled.model_copy(update={"facts": {**settled.facts, _LOOKS: str(looks), MOMENTS: "yes"}})
        if settled.status == "success" and self.settle and looks < SEVERAL:
            summary = f"{calm.summary}, in {looks} of {SEVERAL} looks"
            return settled.model_copy(
                update={"status": "pending", "summary": summary, "facts": {**settled.facts, UNDECIDED: "yes"}}
            )
        return settled

    def _sign_of_life(self, rollout: Rollout, at: str) -> bool:
        """Return True where any alert of the incident's cluster was sent of late: senders repeat what fires."""
        oldest, places = datetime.fromisoformat(at) - _FRESH, rollout.subjects
        return any(
            (sent := _sent(alert)) is not None and sent >= oldest and self._here(subject_of(alert), places)
            for alert in self._everything()
        )

    def _outlasts(self, rollout: Rollout, at: str) -> bool:
        """Return True where an alert fires on though the change arrived so long ago that it must have shown an effect."""
        if not rollout.arrived_at:
            return False
        due = datetime.fromisoformat(rollout.arrived_at) + max(
            least_quiet(self.settle, rollout.pause, rollout.diagnosis.category), ALERT_LAG
        )
        return datetime.fromisoformat(at) >= due

    def forget(self) -> None:
        """Drop the cached alerts."""
        self._alerts.forget()
        self._all.forget()

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

    def _everything(self) -> list[dict[str, Any]]:
        return self._all.ask("", lambda: firing(self.web, suppressed=True))

    def _firing(self) -> list[dict[str, Any]]:
        return self._alerts.ask("", lambda: firing(self.web, self.filters, self.receiver, suppressed=True))


def _sent(alert: Mapping[str, Any]) -> datetime | None:
    """Return the time at which an alert was sent last; None where the server does not say it."""
    try:
        sent = datetime.fromisoformat(str(alert.get("updatedAt") or ""))
    except ValueError:
        return None
    return sent if sent.tzinfo else None


def _calm_looks(earlier: Sequence[Observation], name: str) -> int:
    """Return how many looks of the verifier, up to the last one, saw no alert."""
    last = next((look for look in reversed(earlier) if look.verifier == name), None)
    return int(last.facts.get(_LOOKS, "0")) if last else 0


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
