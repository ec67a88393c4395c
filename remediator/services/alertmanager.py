"""Alertmanager's v2 API: which alerts fire now, and whether an incident's own have ended.

The list is a bare array; silenced alerts are in it unless left out; one matcher a `filter`; a matcher that cannot
be read is a 400 with a bare JSON string, a bad boolean an empty list.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from remediator.domain.asking import Once
from remediator.domain.life import Observation
from remediator.domain.outside import AnswerError, Reading, Workload, item_id, short, workload_of
from remediator.domain.steady import steady
from remediator.domain.times import stamp
from remediator.errors import ConfigError, RemediatorError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from remediator.domain.incident import Subject
    from remediator.domain.life import VerificationStatus
    from remediator.domain.outside import Parameters, Question, Rollout, Web
    from remediator.domain.ports import Clock

log = logging.getLogger(__name__)

_PATH = "/api/v2/alerts"
_TEXT = r'"(?:[^"\\]|\\.)*"'
_QUOTED = re.compile(_TEXT)
_MATCHER = re.compile(rf"([A-Za-z_:][\w:]*|{_TEXT})(=~|!~|!=|=)({_TEXT})")
_RUNS_PODS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Job", "CronJob", "Pod"})
_GROUP = re.compile(r"\{[^{}]*\}(?:/\{[^{}]*\})*(?:/\d+)?:\{[^{}]*\}")


def firing(
    web: Web, filters: Sequence[str] = (), receiver: str = "", *, suppressed: bool = False
) -> list[dict[str, Any]]:
    """Active alerts, oldest first; those that somebody silenced or something inhibits only where they are wanted."""
    also = "true" if suppressed else "false"
    asked: list[tuple[str, str]] = [("active", "true"), ("silenced", also), ("inhibited", also)]
    asked += [("filter", one) for one in filters]
    asked += [("receiver", receiver)] if receiver else []
    found = [alert for alert in _alerts(web, asked) if suppressed or _active(alert)]
    return sorted(found, key=lambda alert: str(alert.get("startsAt")))


def filters_of_group(key: str) -> list[str]:
    """The matchers of a webhook's `groupKey`, `{}/{severity=~"c|w"}:{alertname="X", namespace="shop"}`: routes, then group.

    None where it is no such key; values may hold whatever stands between the parts.
    """
    return [f"{name}{operator}{value}" for name, operator, value in _MATCHER.findall(key)]


def is_group(key: str) -> bool:
    """Whether a text has the shape of a `groupKey`."""
    bare = _QUOTED.sub('""', key)
    return _GROUP.fullmatch(bare) is not None


def of_dispatch(payload: Mapping[str, Any], webs: Sequence[Web] = ()) -> str:
    """The alerts of a `repository_dispatch` that fire, as a text for the evidence reader.

    Where the dispatch was too small for them they are asked for by their group. Where nobody can be asked those that it
    has must do; ConfigError where it has none.
    """
    message = _message(payload)
    group, alerts = _group(message), message.get("alerts")
    given = [one for one in alerts if isinstance(one, dict) and _fires(one)] if isinstance(alerts, list) else []
    if not message.get("truncatedAlerts") and isinstance(alerts, list):
        return document(given)
    if webs and group is not None:
        try:
            return document(_of_group(webs, group, re.escape(str(message.get("receiver") or ""))))
        except ServiceError as error:
            if not given:
                raise
            log.warning("%s", error)
    if not given:
        raise ConfigError("the alerts did not fit into the event: give REMEDIATOR_ALERTMANAGER_URL to ask for them")
    log.warning(
        "alerts of the group did not fit into the event, and nobody else tells them: only the %d in it are read",
        len(given),
    )
    return document(given)


def cluster_of_group(payload: Mapping[str, Any]) -> str:
    """The cluster that all alerts of a webhook's group are of; empty where it says none."""
    message = _message(payload)
    for labels in (message.get("groupLabels"), message.get("commonLabels")):
        if isinstance(labels, dict) and (said := _label({"labels": labels}, "cluster")):
            return said
    matchers = _MATCHER.findall(str(message.get("groupKey") or ""))
    return next((json.loads(text) for name, operator, text in matchers if (name, operator) == ("cluster", "=")), "")


def _message(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = payload.get("payload", payload.get("body", payload))
    return inner if isinstance(inner, dict) else payload


def _group(message: Mapping[str, Any]) -> list[str] | None:
    """The matchers of a message's group: by its key, else by its labels, whose texts a template may have made numbers."""
    key, labels = str(message.get("groupKey") or ""), message.get("groupLabels")
    if is_group(key):
        return filters_of_group(key)
    if key or not isinstance(labels, dict) or not (labels or message.get("receiver")):
        return None
    texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in labels.items()}
    return [f"{name}={json.dumps(text)}" for name, text in texts.items()]


def _of_group(webs: Sequence[Web], filters: Sequence[str], receiver: str) -> list[dict[str, Any]]:
    """From all that answer: one of several may be down, or know nothing of the group."""
    found: dict[str, dict[str, Any]] = {}
    errors: list[ServiceError] = []
    for web in webs:
        try:
            found |= {json.dumps(alert["labels"], sort_keys=True): alert for alert in firing(web, filters, receiver)}
        except ServiceError as error:
            errors.append(error)
    if errors and len(errors) == len(webs):
        raise errors[0]
    for silent in errors:
        log.warning("%s", silent)
    return list(found.values())


def _fires(alert: Mapping[str, Any]) -> bool:
    """A group that fires may hold alerts that are over; the API's own alerts say more than a word."""
    return _active(alert) if isinstance(alert.get("status"), dict) else alert.get("status") != "resolved"


@dataclass
class AlertSource:
    """The `Source` port; a question about workloads keeps those alerts that name one of them."""

    name: str
    web: Web
    filters: Sequence[str] = ()
    receiver: str = ""

    def read(self, question: Question) -> Reading:
        """See the port."""
        alerts = firing(self.web, self.filters, self.receiver)
        if question.workloads:
            alerts = [alert for alert in alerts if any(_names(alert, one) for one in question.workloads)]
        ids = {item_id(str(a.get("fingerprint")), str(a.get("startsAt"))): a for a in alerts}
        kept = [alert for one, alert in ids.items() if one not in question.handled]
        return Reading(
            texts=((self.name, document(kept)),) if kept else (),
            items=len(kept),
            ids=tuple(ids),
            workloads=tuple(dict.fromkeys(found for alert in kept if (found := workload_of_alert(alert)))),
        )


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
    _known: Once[list[dict[str, Any]]] = field(default_factory=Once, repr=False)

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
            return steady(calm, earlier, self.settle)
        worst = ([alert for alert in mine if _active(alert)] or mine)[-1]
        began, what = str(worst.get("startsAt") or "")[:19] + "Z", _label(worst, "alertname") or "an alert"
        sure = any(_is(subject_of(worst), place) for place in self._here(subject_of(worst), places))
        hidden = "" if _active(worst) else _suppressed_by(worst)
        anew = sure and not hidden and bool(rollout.since) and began > rollout.since and what in wanted
        status: VerificationStatus = "failed" if anew else "pending"
        said = f"`{what}` fires{' again' if anew else ''} since {began}{hidden}: {short(_text(worst), 160)}"
        return Observation(
            verifier=self.name, status=status, summary=said, at=at, link=_page(self.web, _label(worst, "alertname"))
        )

    def forget(self) -> None:
        """See the port."""
        self._known.forget()

    def _mine(self, alert: Mapping[str, Any], places: Sequence[Subject], wanted: set[str]) -> bool:
        found = subject_of(alert)
        places = self._here(found, places)
        another = found.kind == "Node" and any(place.kind == "Node" for place in places)
        called = _label(alert, "alertname") in wanted and not another
        near = called and any(_may_be(found, place) for place in places)
        return near or any(_is(found, place) for place in places)

    def _here(self, found: Subject, places: Sequence[Subject]) -> list[Subject]:
        """Those that are not in another cluster than the alert says: one Alertmanager may serve many."""
        names = {found.cluster, self.cluster_of(found.cluster)} if found.cluster else set()
        return [place for place in places if not (names and place.cluster) or place.cluster in names]

    def _firing(self) -> list[dict[str, Any]]:
        return self._known.ask("", lambda: firing(self.web, self.filters, self.receiver, suppressed=True))


def document(alerts: Iterable[Mapping[str, Any]]) -> str:
    """The alerts as the API's own array; where an alert comes from is put among what is kept of it."""
    shown = []
    for alert in alerts:
        notes = _notes(alert)
        if alert.get("generatorURL"):
            notes.setdefault("generator_url", alert["generatorURL"])
        shown.append({**alert, "annotations": notes})
    return json.dumps(shown, indent=1) + "\n"


def subject_of(alert: Mapping[str, Any]) -> Subject:
    """Whom an alert is about, read as the evidence reader does: what made an incident must be known again."""
    from remediator.evidence.formats.alerts import subject_of_alert

    labels = alert.get("labels")
    said = {str(key): str(text) for key, text in labels.items()} if isinstance(labels, dict) else {}
    return subject_of_alert(said, _text(alert))


def workload_of_alert(alert: Mapping[str, Any]) -> Workload | None:
    """The object in trouble, where it is one of a namespace; a Node's `namespace` is the exporter's."""
    subject = subject_of(alert)
    return None if subject.kind in {"Node", "Application"} else workload_of(subject)


def _names(alert: Mapping[str, Any], wanted: Workload) -> bool:
    found = subject_of(alert)
    if found.namespace != wanted.namespace or found.kind == "Node":
        return False
    return not wanted.name or found.name == wanted.name or bool(found.pod and found.pod == wanted.pod)


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


def _alerts(web: Web, asked: Parameters) -> list[dict[str, Any]]:
    document = web.get(_PATH, asked)
    if not isinstance(document, list) or not all(
        isinstance(alert, dict) and isinstance(alert.get("labels"), dict) for alert in document
    ):
        raise AnswerError(f"{web.name} answers with no list of alerts: {short(str(document), 120)}", status=200)
    return [{**alert, "annotations": _notes(alert)} for alert in document]


def _notes(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Its annotations; what somebody wrote in their place as one text is its description."""
    notes = alert.get("annotations")
    if isinstance(notes, str) and notes:
        return {"description": notes}
    return dict(notes) if isinstance(notes, dict) else {}


def _active(alert: Mapping[str, Any]) -> bool:
    """Once more here: a server that does not know a parameter ignores it."""
    status = alert.get("status")
    return not isinstance(status, dict) or status.get("state") in {None, "active", "unprocessed"}


def _suppressed_by(alert: Mapping[str, Any]) -> str:
    """By what an alert is kept quiet, which ends nothing: whoever silences a fault has not mended it."""
    status = alert.get("status")
    told = [
        f"{word} by {short(', '.join(map(str, by)), 80)}"
        for key, word in (("silencedBy", "silenced"), ("inhibitedBy", "inhibited"), ("mutedBy", "muted"))
        if isinstance(status, dict) and isinstance(by := status.get(key), list) and by
    ]
    return f" ({'; '.join(told) or 'suppressed'})"


def _label(alert: Mapping[str, Any], name: str) -> str:
    labels = alert.get("labels")
    return str(labels.get(name) or "") if isinstance(labels, dict) else ""


def _text(alert: Mapping[str, Any]) -> str:
    notes = _notes(alert)
    return str(notes.get("description") or notes.get("summary") or notes.get("message") or "no description")


def _page(web: Web, name: str) -> str:
    """Where Alertmanager shows the alerts of a name: its own address, never one that an alert brings along."""
    return f"{web.base}/#/alerts?filter={quote(f'{{alertname={json.dumps(name)}}}')}"
