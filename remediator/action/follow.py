"""Bring a pull request's incident up to date from what people did on it, whoever told us, and however late.

An event is only a reason to look. What was handled is known from the incident's history and from our
reactions, so each approval, command, merge and close counts once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from remediator.action.outbox import Outbox
from remediator.action.words import GONE, HELP, Ask, call_for_people, explanation, gone, parse, reply, shared, verdict
from remediator.domain.life import Review, is_open
from remediator.errors import ConflictError, RemediatorError
from remediator.graph.limits import moment, stamp
from remediator.graph.nodes.verify_recovery import last_seen
from remediator.graph.state import chosen
from remediator.graph.together import swept
from remediator.report import status_comment
from remediator.report.markdown import code, prose
from remediator.services.github.conversation import unknown
from remediator.wiring import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.domain.life import Record
    from remediator.domain.ports import Clock, Forge
    from remediator.graph.drive import Driver, Result
    from remediator.graph.state import IncidentState
    from remediator.services.github.conversation import Activity, Conversation, Reaction, Said

log = logging.getLogger(__name__)

OFF = "remediator-off"
"""A label that stops everything on the pull request that bears it."""

NEEDS_HUMAN = "needs-human"
PREFIX = "remediator/"

_GRACE = timedelta(minutes=10)
"""So long a run may take to publish before a sweep believes it dead."""

_MOST_WORDS = 2_000
_TRIES = 5


@dataclass
class Follow:
    """Reads pull requests and answers the graph's interrupts with what it finds there."""

    driver: Driver
    forge: Forge
    conversation: Conversation
    now: Clock
    redact: Callable[[str], str] = str
    """Takes secrets out of people's words before they are stored."""
    known: Mapping[int, Activity] = field(default_factory=dict)
    """Pull requests that a sweep has read together; good for one look each."""
    outbox: Outbox | None = None
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
        if not _named(pull.branch, state["incident_id"]):
            self.conversation.stick(self.conversation.read(pull), shared(state))
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
        outbox = Outbox()

        def look(driver: Driver, record: Record) -> IncidentState:
            twin = replace(self, driver=driver, known=known, outbox=outbox)
            return twin._swept(record, verify=verify)  # noqa: SLF001 - a twin of ours

        return swept(self.driver, waiting, look, lambda: outbox.send(self.conversation))

    def _known_number(self, record: Record) -> int:
        """The number of an incident's pull request; 0 where there is none, or its state cannot be read."""
        try:
            pull = self.driver.state(record.incident_id)["pull_request"]
        except RemediatorError:
            return 0  # told when it is looked at
        return pull.number if pull else 0

    def _swept(self, record: Record, *, verify: bool) -> IncidentState:
        if record.held:
            return self.driver.revive(record.incident_id).state
        began = moment(record.opening)
        if began and self.now() - began < _GRACE:
            return self.driver.state(record.incident_id)  # somebody is at it
        pull = self._whole(record.incident_id)["pull_request"]
        looked = self._number(pull.number, record.incident_id) if pull and pull.number else None
        if looked and verify and (looked[0]["workflow_status"] == "verifying" == record.status or self._due(looked[0])):
            look = Review(kind="verify", at=stamp(self.now()))
            return self._resume(record.incident_id, look, looked[1]).state
        return self.driver.state(record.incident_id)

    def _due(self, state: IncidentState) -> bool:
        """Whether it was not seen for so long that it may have gone by itself."""
        seen, needed = moment(last_seen(state)), self.driver.limits.cleared_for
        waits = state["workflow_status"] == "awaiting_review"
        return waits and bool(needed and seen and self.now() - seen >= needed)

    def _whole(self, incident: str) -> IncidentState:
        """The incident's state, after finishing what a run has left half done; with it the word on the attempt before."""
        state = self.driver.state(incident)
        if not state["incident"].opening:
            return state
        result = self.driver.finish(incident)
        if result.error:
            raise result.error
        urls = [str(e["url"]) for e in result.state["user_feedback_history"] if e.get("url")]
        before = [url for url in dict.fromkeys(urls[:-1]) if url != urls[-1]]
        if before and (number := before[-1].rpartition("/")[2]).isdigit():
            self._tell(result.state, self.conversation.read(unknown(int(number))))
        return result.state

    def _follow(self, incident: str, activity: Activity) -> IncidentState:
        state, pull = self._whole(incident), activity.pull_request
        current = state["pull_request"]
        earlier = bool(current and current.number != pull.number)
        if pull.state == "open" or state["workflow_status"] != "awaiting_review" or earlier:
            if not _named(pull.branch, incident):  # what is said there is heard by the one that it was opened for
                self._tell(state, activity)
                return state
            for said in self._unanswered(activity, state):
                self.conversation.reply(activity, said, *_late(state, said))
            for said in self._new(activity, state):
                self._hear(incident, activity, said)
            self._merge_again(incident, activity)
            state = self.driver.state(incident)
            self._tell(state, activity)
            return state
        if pull.state == "merged":
            self.forge.merge(pull)  # finds it merged, and removes the branch
            review = Review(kind="merged", by=activity.by, commit=pull.merge_commit, at=stamp(self.now()))
        else:
            self.forge.close(pull)
            review = self._ended(activity)
        return self._resume(incident, review, activity).state

    def _tell(self, state: IncidentState, activity: Activity) -> None:
        """The status comment, once there is something to say; and what has gone by itself is closed with a word."""
        now, pull = stamp(self.now()), state["pull_request"]
        shown = activity.pull_request
        if pull and pull.number == shown.number:
            shown = shown.model_copy(update={"note": pull.note})
        if found := verdict(state, shown, now):
            body = status_comment(found, now=now)
            if self.outbox is None:
                self.conversation.stick(activity, body)
            else:
                self.outbox.put(state["incident_id"], activity, body)
        if state["workflow_status"] == "resolved" and activity.pull_request.state == "open":
            self.conversation.stick(activity, gone(state))
            self.forge.close(activity.pull_request)
        if found and state["workflow_status"] in {"needs_person", "unconfirmed"} and NEEDS_HUMAN not in activity.labels:
            # The label last: it is what says that people were called.
            self.conversation.stick(activity, call_for_people(state, activity.people))
            self.conversation.label(activity, NEEDS_HUMAN)

    def _new(self, activity: Activity, state: IncidentState) -> list[Said]:
        """What nobody has handled yet: commands, approvals, requests for changes."""
        return [said for said in _asking(activity) if (said.by, said.at) not in _heard(state)]

    def _unanswered(self, activity: Activity, state: IncidentState) -> list[Said]:
        """What was done by a run that died before it could say so."""
        heard = _heard(state)
        return [one for one in _asking(activity) if (one.by, one.at) in heard and one.review != "APPROVED"]

    def _hear(self, incident: str, activity: Activity, said: Said) -> None:
        ask = parse(said.body)
        if not self.conversation.may_command(said.by):
            if ask:
                self.conversation.react(said, "CONFUSED")
            return
        if ask:
            self.conversation.react(said, "EYES")
            text, reaction = self._obey(incident, ask, said, activity)
            self.driver.settle(incident)  # before the answer says that it is done
            if text:
                self.conversation.reply(activity, said, reply(said.id, text), reaction)
            else:
                self.conversation.react(said, reaction)
        elif said.review == "APPROVED":
            approved = Review(kind="approved", by=said.by, commit=said.commit, at=said.at, words=said.body)
            self._resume(incident, approved)
        else:
            text, reaction = self._revise(incident, said, said.body)
            self.driver.settle(incident)
            self.conversation.reply(activity, said, reply(said.id, text), reaction)

    def _merge_again(self, incident: str, activity: Activity) -> None:
        """What was approved is merged where the policy says so, until the forge has taken it over or has done it."""
        state, pull = self.driver.state(incident), activity.pull_request
        approved = state["user_approved_action"] and state["workflow_status"] == "awaiting_review"
        if not (self.driver.limits.merge_on_approval and approved) or activity.merges_itself or pull.state != "open":
            return
        merged = self.forge.merge_when_ready(pull)
        if merged.state == "merged":
            approvals = [entry for entry in state["user_feedback_history"] if entry.get("kind") == "approved"]
            by = str(approvals[-1].get("by", "")) if approvals else ""
            self._resume(
                incident, Review(kind="merged", by=by, commit=merged.merge_commit, at=stamp(self.now())), activity
            )

    def _obey(self, incident: str, ask: Ask, said: Said, activity: Activity) -> tuple[str, Reaction]:
        """Do it; what to answer, and whether it was done."""
        state = self.driver.state(incident)
        match ask.verb, state["workflow_status"]:
            case "help", _:
                return self._helped(activity, said)
            case "explain", _:
                return explanation(state), "ROCKET"
            case "use" | "retry", "awaiting_review":
                return self._revise(incident, said, f"{ask.verb} {ask.argument}".strip())
            case "set", "awaiting_review":
                return self._revise(incident, said, f"set {ask.argument}")
            case "close" | "ignore", "awaiting_review":
                return self._decline(incident, ask, said, activity)
            case "revert", "awaiting_review":
                return f"It is not merged: decline it with {code('/remediator close REASON')}.", "CONFUSED"
            case "revert", _ if state["incident"].merged:
                return self._take_back(incident, said)
            case "verify" | "confirm", "verifying":
                kind = "verify" if ask.verb == "verify" else "confirmed"
                review = Review(kind=kind, by=said.by, at=said.at, words=ask.verb)
                after = self._resume(incident, review, activity).state
                return f"{after['workflow_status']}: {prose(after['recovery_result'])}", "ROCKET"
            case _, status:
                return f"{code(ask.verb)} does not fit now: this incident is {code(status)}.", "CONFUSED"

    def _helped(self, activity: Activity, said: Said) -> tuple[str, Reaction]:
        """The whole table to whoever asks for it, and once to those who mistype."""
        asked = said.body.split()[1:2] in ([], ["help"])
        known = any(one.ours and HELP in one.body.replace("\r", "") for one in activity.said)
        if asked or not known:
            return HELP, "ROCKET" if asked else "CONFUSED"
        return "", "CONFUSED"

    def _decline(self, incident: str, ask: Ask, said: Said, activity: Activity) -> tuple[str, Reaction]:
        """Answered before it is recorded, since nobody looks at a declined incident again."""
        review = self._declined(ask, said)
        self.forge.close(activity.pull_request)
        self.conversation.reply(activity, said, reply(said.id, _closed(review)), "ROCKET")
        self._resume(incident, review)
        return _closed(review), "ROCKET"

    def _declined(self, ask: Ask, said: Said) -> Review:
        until = stamp((moment(said.at) or self.now()) + duration(ask.argument)) if ask.verb == "ignore" else ""
        words = f"ignored for {ask.argument}" if until else ask.argument
        return Review(kind="closed", by=said.by, words=words, at=said.at, until=until)

    def _ended(self, activity: Activity) -> Review:
        """Why it was closed: by a run that died before it was recorded, by a command, else as its closer said last."""
        if words := next((one.body for one in activity.said if one.ours and one.body.startswith(GONE)), ""):
            return Review(kind="cleared", words=words.split("\n", 1)[1].strip(), at=stamp(self.now()))
        for said in reversed(activity.said):
            ask = parse(said.body)
            if ask and ask.verb in {"close", "ignore"} and not said.edited and self.conversation.may_command(said.by):
                review = self._declined(ask, said)
                if not said.answered:
                    self.conversation.reply(activity, said, reply(said.id, _closed(review)), "ROCKET")
                return review
        return Review(kind="closed", by=activity.by, words=_last_words(activity), at=stamp(self.now()))

    def _take_back(self, incident: str, said: Said) -> tuple[str, Reaction]:
        review = Review(kind="revert", by=said.by, words="revert", at=said.at)
        result = self.driver.take_back(incident, review)
        now = result.state["pull_request"]
        if result.error or result.state["workflow_status"] != "awaiting_review" or now is None:
            return prose(str(result.error or result.state["incident"].reason)), "CONFUSED"
        return f"{now.url} takes it back.", "ROCKET"

    def _revise(self, incident: str, said: Said, words: str) -> tuple[str, Reaction]:
        review = Review(kind="changes_requested", by=said.by, words=words, commit=said.commit, at=said.at)
        result = self.driver.resume(incident, self._redacted(review))
        if not result.error and not result.state["incident"].reason:
            proposal = chosen(result.state)
            done = f"Now proposes: {prose(proposal.title)}" if proposal else "Revised"
            return f"{done} ({result.state['commit_hash'][:9]}).", "ROCKET"
        return prose(str(result.error or result.state["incident"].reason)), "CONFUSED"

    def _resume(self, incident: str, review: Review, activity: Activity | None = None) -> Result:
        """With an activity, what comes of it is told there before it is recorded: a verdict must not be lost between."""

        def told(state: IncidentState) -> None:
            if activity:
                self._tell(state, activity)

        result = self.driver.resume(incident, self._redacted(review), then=told)
        if result.error:
            raise result.error
        return result

    def _redacted(self, review: Review) -> Review:
        return review.model_copy(update={"words": self.redact(review.words)[:_MOST_WORDS]})


def _closed(review: Review) -> str:
    return f"Closed; quiet until {review.until}." if review.until else "Closed; the reason is remembered."


def _asking(activity: Activity) -> list[Said]:
    """What asks for something and has no answer; edited words may not be what was said."""
    return [
        said
        for said in activity.said
        if not (said.ours or said.bot or said.edited or said.answered)
        and (parse(said.body) or said.review in {"APPROVED", "CHANGES_REQUESTED"})
    ]


def _heard(state: IncidentState) -> set[tuple[object, object]]:
    return {(entry.get("by"), entry.get("at")) for entry in state["user_feedback_history"]}


def _late(state: IncidentState, said: Said) -> tuple[str, Reaction]:
    """The answer to what was done, as the state tells it."""
    why, proposal = state["incident"].reason, chosen(state)
    if state["workflow_status"] == "awaiting_review":
        done = f"Now proposes: {prose(proposal.title)} ({state['commit_hash'][:9]})." if proposal else "Noted."
        return reply(said.id, prose(why) if why else done), "CONFUSED" if why else "ROCKET"
    return reply(said.id, f"Noted: this incident is {code(state['workflow_status'])}."), "ROCKET"


def _named(branch: str, incident: str) -> bool:
    return branch.removeprefix(PREFIX).rpartition("-")[0] == incident


def _on_branch(branch: str, records: Sequence[Record]) -> list[Record]:
    """Incidents whose pull request this is or was, the one that named it first: an earlier attempt's branch names it too."""
    named = branch.removeprefix(PREFIX).rpartition("-")[0] if branch.startswith(PREFIX) else ""
    there = [one for one in records if one.branch == branch or (named and one.incident_id == named)]
    return sorted(there, key=lambda one: one.incident_id != named)


def _last_words(activity: Activity) -> str:
    """What the one who closed it said last, as the reason that is remembered."""
    spoken = [one.body for one in activity.said if one.by == activity.by and not one.bot and not parse(one.body)]
    return " ".join(spoken[-1].split())[:500] if spoken else ""
