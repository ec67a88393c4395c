"""Start and resume incidents: one graph invocation and one write of the checkpoint each.

The graph stops before each publication. The state is written first, then the change is published, so that a run that
is killed in between leaves a state from which the next run continues. When another run has written first, the write
fails with ConflictError, and the decision is made again on the new state.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from langgraph.types import Command
from langsmith.run_helpers import tracing_context

from remediator.domain.lifecycle import Incident, Record, Review
from remediator.domain.times import stamp
from remediator.errors import ConfigError, ConflictError, PolicyViolation, RemediatorError
from remediator.graph.admission import Admission
from remediator.graph.identity import IncidentStart, Quiet, SeenAgain, UnfinishedPublication, decide
from remediator.graph.nodes.commit_changes import join_pull_request, queue_change
from remediator.graph.nodes.get_user_feedback import seen_again, take_note
from remediator.graph.state import IncidentState, history_entry, initial_state, made_for, record, remember

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph

    from remediator.domain.change import PullRequest
    from remediator.domain.lifecycle import Case, HistoryEntry, SecondReading
    from remediator.domain.ports import Clock
    from remediator.graph.checkpoint_port import CheckpointPort
    from remediator.graph.limits import RunLimits

log = logging.getLogger(__name__)
_TRIES = 50
_PUBLISHING_NODE = "commit_changes"
"""The node before which each flow stops until its change may be published."""


@dataclass(frozen=True)
class DriverResult:
    """The state of one incident after an invocation; complete even where a step failed."""

    state: IncidentState
    error: RemediatorError | None = None
    quiet_until: str = ""


@dataclass
class Driver:
    """Runs the compiled graph, one thread for each incident. With `preview` it ignores earlier decisions and writes nothing."""

    graph: CompiledStateGraph[Any, Any, Any, Any]
    memory: CheckpointPort
    limits: RunLimits
    now: Clock
    admission: Admission = field(default_factory=Admission)
    preview: bool = False
    last: IncidentState = field(default_factory=IncidentState)
    """The newest state, for the report on an invocation that failed."""

    def records(self) -> list[Record]:
        """Return all known incidents; fields that a newer release added are ignored."""
        fields = Record.model_fields
        heads = self.memory.records()
        return [Record.model_validate({k: v for k, v in head.items() if k in fields}) for head in heads if head]

    def start(self, case: Case) -> DriverResult:
        """Handle one incident of the logs: start a new thread, count a sighting of an open incident, or stay quiet."""
        counted = ""
        for _ in range(_TRIES):
            decision = decide(case.fingerprint, self.records(), self.now(), self.limits, case)
            if self.preview:
                decision = _as_if_new(decision)
            try:
                match decision:
                    case Quiet(record=stored, until=until):
                        return DriverResult(self.state(stored.incident_id), quiet_until=until)
                    case UnfinishedPublication(record=stored):
                        result = self.finish(stored.incident_id)
                        if result.error is None:
                            continue  # then count this sighting
                    case SeenAgain(record=stored) if stored.incident_id == counted:
                        return DriverResult(self.state(counted))
                    case SeenAgain(record=stored) if stored.held:
                        result = self.resume_queued(stored.incident_id, seen_at=case.read_at)
                    case SeenAgain(record=stored):
                        sighting = Review(kind="seen", at=case.read_at)
                        result = self._invoke(stored.incident_id, Command(resume=sighting))
                    case IncidentStart(incident_id=thread, incident=incident, earlier=earlier):
                        earlier_id = earlier.incident_id if earlier else thread if incident.seen > 1 else ""
                        start = initial_state(thread, incident, _history(earlier))
                        start["second"] = self._earlier_answer(earlier_id) if earlier_id else None
                        result = self._invoke(thread, start)
                        counted = thread if result.state["pull_request"] else ""  # recorded before it was published
                self._flush(result)
            except ConflictError as error:
                log.info("%s; looking again", error)
                continue
            return result
        raise ConflictError(f"incident {case.fingerprint[:12]} was changed by other runs {_TRIES} times: run again")

    def _earlier_answer(self, incident_id: str) -> SecondReading | None:
        """Return the model's answer to an earlier occurrence of the incident. It is checked again, and nothing is shown unchecked."""
        try:
            answer = self.graph.get_state(_config(incident_id)).values.get("second")
        except RemediatorError as error:  # an unreadable earlier document costs one more question, not the incident
            log.info("%s: its earlier answer cannot be read: %s", incident_id, error)
            return None
        return (
            answer.model_copy(update={"note": "", "category": "", "dropped": 0}) if answer and answer.answer else None
        )

    def resume(
        self, incident_id: str, review: Review, *, then: Callable[[IncidentState], object] | None = None
    ) -> DriverResult:
        """Answer the interrupt; ConflictError when another run was first, and the caller then reads again.

        `then` posts the new state before it is recorded: a run that is killed in between posts it twice, never not at all.
        """
        if self.state(incident_id)["incident"].opening and (publication := self.finish(incident_id)).error:
            return publication
        result = self._invoke(incident_id, Command(resume=review))
        if then and result.error is None:
            try:
                then(result.state)
            except BaseException:
                self.memory.forget(incident_id)
                raise
        self._flush(result)
        return result

    def record_now(self, incident_id: str) -> None:
        """Record this incident now, although a sweep records the others together at its end."""
        self.memory.flush(f"Record {incident_id}", [incident_id])

    def finish(self, incident_id: str) -> DriverResult:
        """Publish the change of a run that was killed before it could; every step that it made is found again."""
        result = self._advance(incident_id, self._stream(incident_id, None))
        self._flush(result)
        return result

    def resume_queued(self, incident_id: str, *, seen_at: str = "") -> DriverResult:
        """Continue a queued incident from its stored proposals, since its log may be gone."""
        state = self.state(incident_id)
        ready = self.prepare_queued(incident_id, seen_at=seen_at) if state["incident"].held else DriverResult(state)
        result = self._advance(incident_id, ready)
        self._flush(result)
        return result

    def prepare_queued(self, incident_id: str, *, seen_at: str = "") -> DriverResult:
        """Bring a queued incident to the stop before its publication; `resume_queued` continues from there."""
        state = self.state(incident_id)
        incident = seen_again(state["incident"], seen_at) if seen_at else state["incident"]
        free = IncidentState(incident=incident.model_copy(update={"held": "", "reason": "", "noted": ""}))
        self._write_as(incident_id, free, "analyze_root_cause")
        return self._stream(incident_id, None)

    def queue(self, incident_id: str, why: str) -> DriverResult:
        """Queue a change that is ready to be published."""
        self._write_as(incident_id, queue_change(self.state(incident_id), why), _PUBLISHING_NODE)
        return self._stream(incident_id, None)

    def revert(self, incident_id: str, review: Review) -> DriverResult:
        """Propose to revert the merged change, also of an incident that has ended."""
        state = self.state(incident_id)
        if not state["incident"].merged or state["workflow_status"] == "awaiting_review":
            raise ConfigError(f"{incident_id} has no merged change that could be taken back")
        self._write_as(incident_id, take_note(state, review), "get_user_feedback")
        result = self._advance(incident_id, self._stream(incident_id, None))
        self._flush(result)
        return result

    def end(self, incident_id: str, review: Review) -> DriverResult:
        """Close an incident that needs a person: its flow is over, so that the end is added to its state."""
        state = self.state(incident_id)
        ended = IncidentState(
            workflow_status="rejected",
            incident=state["incident"].model_copy(update={"reason": review.words}),
            user_recognition=review.words,
            user_feedback_history=remember(
                state, kind="closed", by=review.by, words=review.words, at=review.at, ref=review.ref
            ),
        )
        self._write_as(incident_id, ended, "final_feedback")
        result = DriverResult(cast("IncidentState", {**state, **ended}))
        self._flush(result)
        return result

    def state(self, incident_id: str) -> IncidentState:
        """Return the stored state; ConfigError for an unknown id."""
        values = self.graph.get_state(_config(incident_id)).values
        if not values:
            raise ConfigError(f"no incident {incident_id} is known here: see `remediator list`")
        return cast("IncidentState", values)

    def _write_as(self, thread: str, update: IncidentState, node: str) -> None:
        """Write an update as if the node had returned it; the routing then chooses the next node."""
        with tracing_context(enabled=False):
            self.graph.update_state(_config(thread), cast("dict[str, Any]", update), as_node=node)

    def _invoke(self, thread: str, payload: Any) -> DriverResult:
        return self._advance(thread, self._stream(thread, payload))

    def _advance(self, thread: str, result: DriverResult) -> DriverResult:
        """Continue past the stop before each publication: record that it begins, then publish.

        A run that is killed while it publishes therefore leaves its whole state, and the next one continues.
        """
        while result.error is None and not self.preview and self.ready_to_publish(thread):
            pull, why = result.state["pull_request"], ""
            if pull and not pull.head:
                if shared := self.same_change(thread):
                    self._write_as(thread, join_pull_request(result.state, shared, stamp(self.now())), _PUBLISHING_NODE)
                    result = self._stream(thread, None)
                    continue
                why = self.memory.claim([thread], f"Open {thread}", self.admission.refusal).get(thread, "")
            result = self.queue(thread, why) if why else self._stream(thread, None)
        if isinstance(result.error, (ConflictError, PolicyViolation)):
            self._end_as_needs_person(thread, result)
        return result

    def adopt(self, incident_id: str, owner: IncidentState) -> None:
        """Copy the change of a shared pull request into this incident, so that it records the change that was merged."""
        state, owner_pull = self.state(incident_id), owner["pull_request"]
        pull = state["pull_request"]
        if pull is None or owner_pull is None or state["git_changes"] == owner["git_changes"]:
            return
        chosen = {"chosen": owner["incident"].chosen, "base_commit": owner["incident"].base_commit}
        update = IncidentState(
            git_changes=owner["git_changes"],
            commit_message=owner["commit_message"],
            commit_hash=owner["commit_hash"],
            proposals=owner["proposals"],
            suggested_actions=owner["suggested_actions"],
            pull_request=pull.model_copy(update={"head": owner_pull.head, "title": owner_pull.title}),
            incident=state["incident"].model_copy(update=chosen),
        )
        self._write_as(incident_id, update, _PUBLISHING_NODE)
        self._stream(incident_id, None)

    def same_change(self, thread: str) -> PullRequest | None:
        """Return the open pull request that another incident has opened for the same change."""
        change = record(thread, dict(self.state(thread))).change
        twins = [
            record_ for record_ in self.records() if record_.change == change and record_.status == "awaiting_review"
        ]
        for twin in twins:
            pull = self.state(twin.incident_id)["pull_request"]
            original = pull and made_for(pull.branch, twin.incident_id)
            if twin.incident_id != thread and pull and pull.head and original:
                return pull
        return None

    def ready_to_publish(self, thread: str) -> bool:
        """Return whether a change is ready to be published."""
        return self.graph.get_state(_config(thread)).next == (_PUBLISHING_NODE,)

    def _end_as_needs_person(self, thread: str, result: DriverResult) -> None:
        """End an incident whose change cannot be published as one that needs a person, so that sweeps do not repeat it."""
        values = self.graph.get_state(_config(thread)).values
        if self.preview or not values or not values["incident"].opening:
            return
        state = cast("IncidentState", values)
        update = {"opening": "", "reason": str(result.error)}
        ended = IncidentState(
            workflow_status="needs_person",
            pull_request=None,
            incident=state["incident"].model_copy(update=update),
            user_feedback_history=remember(state, kind="ended", outcome="needs_person", words=str(result.error)),
        )
        self._write_as(thread, ended, "final_feedback")
        self.record_now(thread)

    def _stream(self, thread: str, payload: Any) -> DriverResult:
        """Run the graph up to the next stop, interrupt or end."""
        config = _config(thread)
        self.last = cast("IncidentState", payload if isinstance(payload, dict) else self.state(thread))
        stops = [] if self.preview else [_PUBLISHING_NODE]
        try:
            with tracing_context(
                enabled=False
            ):  # whatever the environment says: no incident is sent to a tracing service
                for values in self.graph.stream(
                    payload, config, stream_mode="values", durability="exit", interrupt_before=stops
                ):
                    fields = {key: value for key, value in values.items() if key != "__interrupt__"}
                    self.last = cast("IncidentState", {**self.last, **fields})
        except RemediatorError as error:
            self.memory.forget(thread)
            state = self.last.copy()
            state["workflow_status"] = "needs_person" if isinstance(error, PolicyViolation) else "failed"
            state["incident"] = state["incident"].model_copy(update={"reason": str(error)})
            return DriverResult(state, error)
        except BaseException:
            self.memory.forget(thread)
            raise
        return DriverResult(self.last)

    def _flush(self, result: DriverResult) -> None:
        if not self.preview and result.error is None:
            self.memory.flush(f"Record {result.state['incident_id']}: {result.state['workflow_status']}")


def _as_if_new(decision: IncidentStart | UnfinishedPublication | SeenAgain | Quiet) -> IncidentStart:
    """Return the decision to start, whatever was decided before: a preview shows the proposal of today."""
    if isinstance(decision, IncidentStart):
        return decision
    stored = decision.record
    identity = stored.model_dump(include={"fingerprint", "about", "names", "generation"})
    incident = Incident(**identity, seen=stored.seen + 1)
    return IncidentStart(incident_id=stored.incident_id, incident=incident)


def _history(earlier: Record | None) -> list[HistoryEntry]:
    if earlier is None:
        return []
    return [
        history_entry(
            kind="earlier",
            incident_id=earlier.incident_id,
            outcome=earlier.status,
            action=earlier.action,
            words=earlier.reason,
        )
    ]


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}
