"""Bring a pull request's incident up to date with the reviews, commands and merges on it, however late they are read.

An event is only a reason to look. The incident's history and our reactions show what was handled, so that each
approval, command, merge and close counts once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from remediator.action.replies import call_for_people, cleared_note, shared_note, verdict
from remediator.action.review_comments import ReviewComments
from remediator.action.status_batch import StatusBatch
from remediator.domain.lifecycle import Review, is_open
from remediator.domain.times import moment, stamp
from remediator.errors import ConflictError, RemediatorError
from remediator.graph.nodes.verify_recovery import NOTHING_CONFIGURED, may_have_cleared
from remediator.graph.state import BRANCH_PREFIX, as_recorded, made_for
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
"""The label that stops all work on a pull request."""

NEEDS_HUMAN = "needs-human"

_GRACE = timedelta(minutes=10)
"""The time that a run may take to publish; after it a sweep assumes that the run was killed."""

_TRIES = 5


@dataclass
class Reconciler:
    """Reads pull requests and answers the graph's interrupts with what it finds there."""

    driver: Driver
    forge: Forge
    conversation: Conversation
    now: Clock
    redact: Callable[[str], str] = str
    """Removes secrets from comments before they are stored."""
    activities: Mapping[int, Activity] = field(default_factory=dict)
    """Pull requests that a sweep has read together; each is used for one look."""
    batch: StatusBatch | None = None
    """The batch to which a sweep adds its status comments, to post them together."""

    def number(self, number: int) -> IncidentState | None:
        """Bring the incident of one pull request up to date; None where it is not ours or is switched off."""
        result = self._number(number)
        return result[0] if result else None

    def _number(self, number: int, only: str = "") -> tuple[IncidentState, Activity] | None:
        """Bring all incidents of a pull request (`only` one of them) up to date; return the first one's state."""
        reason = ""
        for at in range(_TRIES):
            activity = self.activities.get(number) if at == 0 else None
            activity = activity or self.conversation.read(unknown(number))
            records = _on_branch(activity.pull_request.branch, self.driver.records())
            if not records or OFF in activity.labels:
                return None
            try:
                states = [
                    self._reconcile(record.incident_id, activity)
                    for record in records
                    if not only or record.incident_id == only
                ]
            except ConflictError as error:
                log.info("%s; looking again", error)
                reason = str(error)
                continue
            return (states[0], activity) if states else None
        raise ConflictError(f"#{number} cannot be brought up to date: {reason}")

    def look_again(self, incident: str) -> IncidentState:
        """Look again at a merged incident and its pull request."""
        record = next(record for record in self.driver.records() if record.incident_id == incident)
        return self._look(record, verify=True)

    def post_recurrence(self, state: IncidentState) -> None:
        """Post on the open pull request how often the incident was seen, or that it is the fix of another incident too."""
        pull = state["pull_request"]
        if pull is None or not pull.number or state["workflow_status"] != "awaiting_review":
            return
        if not made_for(pull.branch, state["incident_id"]):
            self.conversation.upsert_comment(self.conversation.read(pull), shared_note(state))
        elif state["incident"].seen > 1:
            self._post_status(state, self.conversation.read(pull))

    def sweep(self, *, verify: bool, application: str = "") -> dict[str, IncidentState | RemediatorError]:
        """Bring all open incidents (of one Application) up to date, written as one commit; an error of one costs no other.

        `verify`: look again at merged ones.
        """
        waiting = [
            r for r in self.driver.records() if is_open(r) and (not application or application in r.applications)
        ]

        self.driver.memory.recall([record.incident_id for record in waiting])
        activities = self.conversation.read_all(
            [number for record in waiting if (number := self._known_number(record))]
        )
        batch = StatusBatch()

        def look(driver: Driver, record: Record) -> IncidentState:
            twin = replace(self, driver=driver, activities=activities, batch=batch)
            return twin._look(record, verify=verify)  # noqa: SLF001 - a copy of this object

        return sweep_incidents(self.driver, waiting, look, lambda: batch.send(self.conversation))

    def _known_number(self, record: Record) -> int:
        """The number of an incident's pull request; 0 where there is none, or its state cannot be read."""
        try:
            pull = self.driver.state(record.incident_id)["pull_request"]
        except RemediatorError:
            return 0  # reported when the incident is looked at
        return pull.number if pull else 0

    def _look(self, record: Record, *, verify: bool) -> IncidentState:
        if record.held:
            return self._post_on_earlier(self.driver.resume_queued(record.incident_id).state)
        began = moment(record.opening)
        if began and self.now() - began < _GRACE:
            return self.driver.state(record.incident_id)  # another run is publishing it
        pull = self._finished_state(record.incident_id)["pull_request"]
        result = self._number(pull.number, record.incident_id) if pull and pull.number else None
        if result is None:
            return self.driver.state(record.incident_id)
        merged = result[0]["workflow_status"] == "verifying" == record.status
        ends = moment(result[0]["incident"].deadline)
        overdue = bool(merged and ends and self.now() >= ends)
        if overdue or (verify and (merged or may_have_cleared(result[0], self.driver.limits, self.now()))):
            look = Review(kind="verify", at=stamp(self.now()))
            return self.comments.resume(record.incident_id, look, result[1]).state
        return self.driver.state(record.incident_id)

    def _finished_state(self, incident: str) -> IncidentState:
        """Return the incident's state, after finishing the publication of a killed run and its note on the earlier attempt."""
        state = self.driver.state(incident)
        if not state["incident"].opening:
            return state
        result = self.driver.finish(incident)
        if result.error:
            raise result.error
        return self._post_on_earlier(result.state)

    def _post_on_earlier(self, state: IncidentState) -> IncidentState:
        """Post on the earlier attempt's pull request that another attempt follows; no later run reads it again."""
        urls = [entry["url"] for entry in state["user_feedback_history"] if entry.get("url")]
        now = state["pull_request"]
        earlier_urls = [url for url in dict.fromkeys(urls) if not now or url != now.url]
        if state["incident"].attempt > 1 and earlier_urls and (number := earlier_urls[-1].rpartition("/")[2]).isdigit():
            self._post_status(state, self.conversation.read(unknown(int(number))))
        return state

    def _reconcile(self, incident: str, activity: Activity) -> IncidentState:
        state, pull = self._finished_state(incident), activity.pull_request
        current = state["pull_request"]
        earlier = bool(current and current.number != pull.number)
        if pull.state == "open" or state["workflow_status"] != "awaiting_review" or earlier:
            if not self._takes_commands(incident, pull.branch):
                self._post_status(state, activity)
                return state
            self.comments.answer_all(incident, activity)
            state = self.driver.state(incident)
            self._post_status(state, activity)
            return state
        if pull.state == "merged":
            if not made_for(pull.branch, incident):
                self._adopt(incident, pull.branch)
            self.forge.merge(pull)  # it is merged already; this removes the branch
            at = activity.merged_at or stamp(self.now())
            review = Review(kind="merged", by=activity.by, commit=pull.merge_commit, at=at)
        else:
            self.forge.close(as_recorded(state, pull))
            review = self.comments.closing_review(incident, activity)
        return self.comments.resume(incident, review, activity).state

    def _post_status(self, state: IncidentState, activity: Activity) -> None:
        """Post the status comment where there is a status, close the pull request of a cleared incident, and call for people."""
        now, pull = stamp(self.now()), state["pull_request"]
        current = activity.pull_request
        if pull and pull.number == current.number:
            current = current.model_copy(update={"note": pull.note})
        if status := verdict(state, current, now):
            body = status_comment(status, now=now)
            if self.batch is None:
                self.conversation.upsert_comment(activity, body)
            else:
                self.batch.put(state["incident_id"], activity, body)
        if (
            state["workflow_status"] == "resolved"
            and current.state == "open"
            and not self._awaited(state, current.branch)
        ):
            self.conversation.upsert_comment(activity, cleared_note(state))
            self.forge.close(as_recorded(state, activity.pull_request))
        calls = state["workflow_status"] in {"needs_person", "unconfirmed"}
        if status and calls and NEEDS_HUMAN not in activity.labels and state["recovery_result"] != NOTHING_CONFIGURED:
            # Set the label last: it records that people were called.
            self.conversation.upsert_comment(activity, call_for_people(state, activity.people))
            self.conversation.label(activity, NEEDS_HUMAN)

    def _awaited(self, state: IncidentState, branch: str) -> bool:
        """Return whether another incident still waits for this pull request, as far as this run knows."""
        ids = [r.incident_id for r in _on_branch(branch, self.driver.records())]
        states = [self.driver.state(incident_id) for incident_id in ids if incident_id != state["incident_id"]]
        return any(state["workflow_status"] == "awaiting_review" for state in states)

    def _takes_commands(self, incident: str, branch: str) -> bool:
        """Return whether this incident takes the commands: the one of the branch does, or one that waits where that is over."""
        ids = [r.incident_id for r in _on_branch(branch, self.driver.records())]
        waiting = [
            incident_id for incident_id in ids if self.driver.state(incident_id)["workflow_status"] == "awaiting_review"
        ]
        return incident == next(iter([*waiting, *ids]), incident)

    def _adopt(self, incident: str, branch: str) -> None:
        owner = next((r.incident_id for r in _on_branch(branch, self.driver.records())), incident)
        if owner != incident and made_for(branch, owner):
            self.driver.adopt(incident, self.driver.state(owner))

    @property
    def comments(self) -> ReviewComments:
        """The handler of the review comments."""
        return ReviewComments(self.driver, self.forge, self.conversation, self.now, self.redact, self._post_status)


def _on_branch(branch: str, records: Sequence[Record]) -> list[Record]:
    """Return the incidents of this pull request, that of the branch's name first, also for an earlier attempt's branch."""
    owner_id = branch.removeprefix(BRANCH_PREFIX).rpartition("-")[0] if branch.startswith(BRANCH_PREFIX) else ""
    matching = [
        record for record in records if record.branch == branch or (owner_id and record.incident_id == owner_id)
    ]
    return sorted(matching, key=lambda record: record.incident_id != owner_id)
