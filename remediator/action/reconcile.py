"""Bring a pull request's incident up to date from what people did on it, whoever told us, and however late.

An event is only a reason to look. What was handled is known from the incident's history and from our
reactions, so each approval, command, merge and close counts once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from remediator.action.replies import call_for_people, gone, shared, verdict
from remediator.action.review_comments import PREFIX, ReviewComments, made_for
from remediator.action.status_batch import StatusBatch
from remediator.domain.lifecycle import Review, is_open
from remediator.domain.times import moment, stamp
from remediator.errors import ConflictError, RemediatorError
from remediator.graph.nodes.verify_recovery import NOTHING_CONFIGURED, may_have_cleared
from remediator.graph.sweep import sweep_incidents
from remediator.report import status_comment
from remediator.services.github.conversation import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.domain.lifecycle import Record
    from remediator.domain.ports import Clock, Forge
    from remediator.graph.driver import Driver
    from remediator.graph.state import IncidentState
    from remediator.services.github.conversation import Activity, Conversation

log = logging.getLogger(__name__)

OFF = "remediator-off"
"""A label that stops everything on the pull request that bears it."""

NEEDS_HUMAN = "needs-human"

_GRACE = timedelta(minutes=10)
"""So long a run may take to publish before a sweep believes it dead."""

_TRIES = 5


@dataclass
class Reconciler:
    """Reads pull requests and answers the graph's interrupts with what it finds there."""

    driver: Driver
    forge: Forge
    conversation: Conversation
    now: Clock
    redact: Callable[[str], str] = str
    """Takes secrets out of people's words before they are stored."""
    known: Mapping[int, Activity] = field(default_factory=dict)
    """Pull requests that a sweep has read together; good for one look each."""
    outbox: StatusBatch | None = None
    """Where a sweep keeps what it will say, to say it all at once."""

    def number(self, number: int) -> IncidentState | None:
        """The incident of one pull request, brought up to date; None where it is not ours or is switched off."""
        looked = self._number(number)
        return looked[0] if looked else None

    def _number(self, number: int, only: str = "") -> tuple[IncidentState, Activity] | None:
        """All incidents of this pull request (`only` one of them); the state of the one that it was opened for."""
        said = ""
        for at in range(_TRIES):
            activity = self.known.get(number) if at == 0 else None
            activity = activity or self.conversation.read(unknown(number))
            records = _on_branch(activity.pull_request.branch, self.driver.records())
            if not records or OFF in activity.labels:
                return None
            try:
                states = [
                    self._follow(one.incident_id, activity) for one in records if not only or one.incident_id == only
                ]
            except ConflictError as error:
                log.info("%s; looking again", error)
                said = str(error)
                continue
            return (states[0], activity) if states else None
        raise ConflictError(f"#{number} cannot be brought up to date: {said}")

    def again(self, incident: str) -> IncidentState:
        """One more look at a merged incident, its pull request included."""
        record = next(one for one in self.driver.records() if one.incident_id == incident)
        return self._swept(record, verify=True)

    def recurred(self, state: IncidentState) -> None:
        """Say on the open pull request how often the incident was seen by now, or that it is another's too."""
        pull = state["pull_request"]
        if pull is None or not pull.number or state["workflow_status"] != "awaiting_review":
            return
        if not made_for(pull.branch, state["incident_id"]):
            self.conversation.upsert_comment(self.conversation.read(pull), shared(state))
        elif state["incident"].seen > 1:
            self._tell(state, self.conversation.read(pull))

    def sweep(self, *, verify: bool, application: str = "") -> dict[str, IncidentState | RemediatorError]:
        """All open incidents (of one Application) by id, written as one commit; the fault of one costs no other.

        `verify`: look again at merged ones.
        """
        waiting = [
            r for r in self.driver.records() if is_open(r) and (not application or application in r.applications)
        ]

        self.driver.memory.recall([record.incident_id for record in waiting])
        known = self.conversation.read_all([number for one in waiting if (number := self._known_number(one))])
        outbox = StatusBatch()

        def look(driver: Driver, record: Record) -> IncidentState:
            twin = replace(self, driver=driver, known=known, outbox=outbox)
            return twin._swept(record, verify=verify)  # noqa: SLF001 - a twin of ours

        return sweep_incidents(self.driver, waiting, look, lambda: outbox.send(self.conversation))

    def _known_number(self, record: Record) -> int:
        """The number of an incident's pull request; 0 where there is none, or its state cannot be read."""
        try:
            pull = self.driver.state(record.incident_id)["pull_request"]
        except RemediatorError:
            return 0  # told when it is looked at
        return pull.number if pull else 0

    def _swept(self, record: Record, *, verify: bool) -> IncidentState:
        if record.held:
            return self._told_before(self.driver.resume_queued(record.incident_id).state)
        began = moment(record.opening)
        if began and self.now() - began < _GRACE:
            return self.driver.state(record.incident_id)  # somebody is at it
        pull = self._whole(record.incident_id)["pull_request"]
        looked = self._number(pull.number, record.incident_id) if pull and pull.number else None
        if looked is None:
            return self.driver.state(record.incident_id)
        merged = looked[0]["workflow_status"] == "verifying" == record.status
        ends = moment(looked[0]["incident"].deadline)
        overdue = bool(merged and ends and self.now() >= ends)
        if overdue or (verify and (merged or may_have_cleared(looked[0], self.driver.limits, self.now()))):
            look = Review(kind="verify", at=stamp(self.now()))
            return self.hearing.resume(record.incident_id, look, looked[1]).state
        return self.driver.state(record.incident_id)

    def _whole(self, incident: str) -> IncidentState:
        """The incident's state, after finishing what a run has left half done; with it the word on the attempt before."""
        state = self.driver.state(incident)
        if not state["incident"].opening:
            return state
        result = self.driver.finish(incident)
        if result.error:
            raise result.error
        return self._told_before(result.state)

    def _told_before(self, state: IncidentState) -> IncidentState:
        """On the pull request of the attempt before, what follows it; nobody looks there again by itself."""
        urls = [str(e["url"]) for e in state["user_feedback_history"] if e.get("url")]
        now = state["pull_request"]
        before = [url for url in dict.fromkeys(urls) if not now or url != now.url]
        if state["incident"].attempt > 1 and before and (number := before[-1].rpartition("/")[2]).isdigit():
            self._tell(state, self.conversation.read(unknown(int(number))))
        return state

    def _follow(self, incident: str, activity: Activity) -> IncidentState:
        state, pull = self._whole(incident), activity.pull_request
        current = state["pull_request"]
        earlier = bool(current and current.number != pull.number)
        if pull.state == "open" or state["workflow_status"] != "awaiting_review" or earlier:
            if not self._hears(incident, pull.branch):
                self._tell(state, activity)
                return state
            self.hearing.all(incident, activity)
            state = self.driver.state(incident)
            self._tell(state, activity)
            return state
        if pull.state == "merged":
            if not made_for(pull.branch, incident):
                self._adopt(incident, pull.branch)
            self.forge.merge(pull)  # finds it merged, and removes the branch
            at = activity.merged_at or stamp(self.now())
            review = Review(kind="merged", by=activity.by, commit=pull.merge_commit, at=at)
        else:
            self.forge.close(pull)
            review = self.hearing.ended(incident, activity)
        return self.hearing.resume(incident, review, activity).state

    def _tell(self, state: IncidentState, activity: Activity) -> None:
        """The status comment, once there is something to say; and what has gone by itself is closed with a word."""
        now, pull = stamp(self.now()), state["pull_request"]
        shown = activity.pull_request
        if pull and pull.number == shown.number:
            shown = shown.model_copy(update={"note": pull.note})
        if found := verdict(state, shown, now):
            body = status_comment(found, now=now)
            if self.outbox is None:
                self.conversation.upsert_comment(activity, body)
            else:
                self.outbox.put(state["incident_id"], activity, body)
        if state["workflow_status"] == "resolved" and shown.state == "open" and not self._awaited(state, shown.branch):
            self.conversation.upsert_comment(activity, gone(state))
            self.forge.close(activity.pull_request)
        calls = state["workflow_status"] in {"needs_person", "unconfirmed"}
        if found and calls and NEEDS_HUMAN not in activity.labels and state["recovery_result"] != NOTHING_CONFIGURED:
            # The label last: it is what says that people were called.
            self.conversation.upsert_comment(activity, call_for_people(state, activity.people))
            self.conversation.label(activity, NEEDS_HUMAN)

    def _awaited(self, state: IncidentState, branch: str) -> bool:
        """Whether another incident still waits for this pull request, as far as this run knows."""
        there = [r.incident_id for r in _on_branch(branch, self.driver.records())]
        others = [self.driver.state(one) for one in there if one != state["incident_id"]]
        return any(one["workflow_status"] == "awaiting_review" for one in others)

    def _hears(self, incident: str, branch: str) -> bool:
        """Of several incidents one hears what is said: whose branch it is, or who still waits where that one is over."""
        there = [r.incident_id for r in _on_branch(branch, self.driver.records())]
        waiting = [one for one in there if self.driver.state(one)["workflow_status"] == "awaiting_review"]
        return incident == next(iter([*waiting, *there]), incident)

    def _adopt(self, incident: str, branch: str) -> None:
        owner = next((r.incident_id for r in _on_branch(branch, self.driver.records())), incident)
        if owner != incident and made_for(branch, owner):
            self.driver.adopt(incident, self.driver.state(owner))

    @property
    def hearing(self) -> ReviewComments:
        """Who reads what people said, and does it."""
        return ReviewComments(self.driver, self.forge, self.conversation, self.now, self.redact, self._tell)


def _on_branch(branch: str, records: Sequence[Record]) -> list[Record]:
    """Incidents whose pull request this is or was, the one that named it first: an earlier attempt's branch names it too."""
    named = branch.removeprefix(PREFIX).rpartition("-")[0] if branch.startswith(PREFIX) else ""
    there = [one for one in records if one.branch == branch or (named and one.incident_id == named)]
    return sorted(there, key=lambda one: one.incident_id != named)
