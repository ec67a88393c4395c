"""What people said on a pull request: each command, approval and request for changes obeyed and answered once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.action.replies import GONE, HELP, explanation, parse, reply
from remediator.domain.lifecycle import Review
from remediator.domain.review_commands import ReviewCommand
from remediator.domain.times import duration, moment, stamp
from remediator.graph.state import chosen
from remediator.report.markdown import code, prose

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.domain.ports import Clock, Forge
    from remediator.graph.driver import Driver, DriverResult
    from remediator.graph.state import IncidentState
    from remediator.services.github.conversation import Activity, Conversation, PostedComment, Reaction

PREFIX = "remediator/"
_MOST_WORDS = 2_000


@dataclass(frozen=True)
class ReviewComments:
    """One incident's listener; `tell` says on a pull request what an incident has come to."""

    driver: Driver
    forge: Forge
    conversation: Conversation
    now: Clock
    redact: Callable[[str], str]
    tell: Callable[[IncidentState, Activity], None]

    def all(self, incident: str, activity: Activity) -> None:
        """Whatever has no answer yet, in order."""
        state = self.driver.state(incident)
        heard = {entry.get("ref") or (entry.get("by"), entry.get("at")) for entry in state["user_feedback_history"]}
        for said in _asking(activity):
            if said.id not in heard and (said.by, said.at) not in heard:
                self._hear(incident, activity, said)
            elif said.review != "APPROVED":  # done by a run that died before it could say so
                self.conversation.reply(activity, said, *_late(state, said))
        self._merge_again(incident, activity)

    def _hear(self, incident: str, activity: Activity, said: PostedComment) -> None:
        ask = parse(said.body)
        if not self.conversation.may_command(said.by):
            if ask:
                self.conversation.react(said, "CONFUSED")
            return
        if ask:
            self.conversation.react(said, "EYES")
            text, reaction = self._obey(incident, ask, said, activity)
            self.driver.record_now(incident)  # before the answer says that it is done
            if text:
                self.conversation.reply(activity, said, reply(said.id, text), reaction)
            else:
                self.conversation.react(said, reaction)
        elif said.review == "APPROVED":
            approved = Review(kind="approved", by=said.by, commit=said.commit, at=said.at, words=said.body, ref=said.id)
            self.resume(incident, approved)
        else:
            text, reaction = self._revise(incident, said, said.body)
            self.driver.record_now(incident)
            self.conversation.reply(activity, said, reply(said.id, text), reaction)

    def _merge_again(self, incident: str, activity: Activity) -> None:
        """What was approved is merged where the policy says so, until the forge has taken it over or has done it."""
        state, pull = self.driver.state(incident), activity.pull_request
        approved = state["user_approved_action"] and state["workflow_status"] == "awaiting_review"
        if not (self.driver.limits.merge_on_approval and approved) or activity.merges_itself or pull.state != "open":
            return
        known = state["pull_request"]
        if known is None or known.head != pull.head:
            return  # what was approved is not what is there now
        merged = self.forge.merge_when_ready(pull)
        if merged.state == "merged":
            approvals = [entry for entry in state["user_feedback_history"] if entry.get("kind") == "approved"]
            by = approvals[-1].get("by", "") if approvals else ""
            self.resume(
                incident, Review(kind="merged", by=by, commit=merged.merge_commit, at=stamp(self.now())), activity
            )

    def _obey(self, incident: str, ask: ReviewCommand, said: PostedComment, activity: Activity) -> tuple[str, Reaction]:
        """Do it; what to answer, and whether it was done."""
        state = self.driver.state(incident)
        if ask.verb not in {"help", "explain", "revert"} and (elsewhere := _elsewhere(state, activity)):
            return elsewhere, "CONFUSED"
        match ask.verb, state["workflow_status"]:
            case "help", _:
                return self._helped(activity, said)
            case "explain", _:
                return explanation(state), "ROCKET"
            case "use" | "retry" | "set", "awaiting_review" if not made_for(activity.pull_request.branch, incident):
                return "It was opened for another incident, which is over: merge it, or close it.", "CONFUSED"
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
                review = Review(kind=kind, by=said.by, at=said.at, words=ask.verb, ref=said.id)
                after = self.resume(incident, review, activity).state
                return f"{after['workflow_status']}: {prose(after['recovery_result'])}", "ROCKET"
            case _, status:
                return f"{code(ask.verb)} does not fit now: this incident is {code(status)}.", "CONFUSED"

    def _helped(self, activity: Activity, said: PostedComment) -> tuple[str, Reaction]:
        """The whole table to whoever asks for it, and once to those who mistype."""
        asked = said.body.split()[1:2] in ([], ["help"])
        known = any(one.ours and HELP in one.body.replace("\r", "") for one in activity.comments)
        if asked or not known:
            return HELP, "ROCKET" if asked else "CONFUSED"
        return "", "CONFUSED"

    def _decline(
        self, incident: str, ask: ReviewCommand, said: PostedComment, activity: Activity
    ) -> tuple[str, Reaction]:
        """Answered before it is recorded, since nobody looks at a declined incident again."""
        review = self._declined(ask, said)
        self.forge.close(activity.pull_request)
        self.conversation.reply(activity, said, reply(said.id, _closed(review)), "ROCKET")
        self.resume(incident, review)
        return _closed(review), "ROCKET"

    def _declined(self, ask: ReviewCommand, said: PostedComment) -> Review:
        until = stamp((moment(said.at) or self.now()) + duration(ask.argument)) if ask.verb == "ignore" else ""
        words = f"ignored for {ask.argument}" if until else ask.argument
        return Review(kind="closed", by=said.by, words=words, at=said.at, until=until, ref=said.id)

    def ended(self, incident: str, activity: Activity) -> Review:
        """Why it was closed: by a run that died before it was recorded, by a command, else as its closer said last."""
        if words := next(
            (one.body for one in activity.comments if one.ours and one.body.startswith(f"{GONE}{incident} ")), ""
        ):
            return Review(kind="cleared", words=words.split("\n", 1)[1].strip(), at=stamp(self.now()))
        for said in reversed(activity.comments):
            ask = parse(said.body)
            if ask and ask.verb in {"close", "ignore"} and not said.edited and self.conversation.may_command(said.by):
                review = self._declined(ask, said)
                if not said.handled:
                    self.conversation.reply(activity, said, reply(said.id, _closed(review)), "ROCKET")
                return review
        return Review(kind="closed", by=activity.by, words=_last_words(activity), at=stamp(self.now()))

    def _take_back(self, incident: str, said: PostedComment) -> tuple[str, Reaction]:
        review = Review(kind="revert", by=said.by, words="revert", at=said.at, ref=said.id)
        result = self.driver.revert(incident, review)
        now = result.state["pull_request"]
        if result.error or result.state["workflow_status"] != "awaiting_review" or now is None:
            return prose(str(result.error or result.state["incident"].reason)), "CONFUSED"
        return f"{now.url} takes it back.", "ROCKET"

    def _revise(self, incident: str, said: PostedComment, words: str) -> tuple[str, Reaction]:
        review = Review(kind="changes_requested", by=said.by, words=words, commit=said.commit, at=said.at, ref=said.id)
        result = self.driver.resume(incident, self._redacted(review))
        if not result.error and not result.state["incident"].reason:
            proposal = chosen(result.state)
            done = f"Now proposes: {prose(proposal.title)}" if proposal else "Revised"
            return f"{done} ({result.state['commit_hash'][:9]}).", "ROCKET"
        return prose(str(result.error or result.state["incident"].reason)), "CONFUSED"

    def resume(self, incident: str, review: Review, activity: Activity | None = None) -> DriverResult:
        """Resume an incident; an activity is told the outcome before it is recorded, so that no verdict is lost between."""

        def told(state: IncidentState) -> None:
            if activity:
                self.tell(state, activity)

        result = self.driver.resume(incident, self._redacted(review), then=told)
        if result.error:
            after = self.driver.state(incident)
            if activity and after["workflow_status"] == "needs_person":
                self.tell(after, activity)  # it is recorded as that, so that no sweep would say it
            raise result.error
        return result

    def _redacted(self, review: Review) -> Review:
        return review.model_copy(update={"words": self.redact(review.words)[:_MOST_WORDS]})


def made_for(branch: str, incident: str) -> bool:
    """Whether a branch was made for this incident."""
    return branch.rpartition("-")[0] == f"{PREFIX}{incident}"


def _elsewhere(state: IncidentState, activity: Activity) -> str:
    """Where a command belongs that was said on an earlier attempt's pull request."""
    now = state["pull_request"]
    if now is None or now.number in {0, activity.pull_request.number}:
        return ""
    return f"This incident has gone on: say it on {now.url}."


def _closed(review: Review) -> str:
    return f"Closed; quiet until {review.until}." if review.until else "Closed; the reason is remembered."


def _asking(activity: Activity) -> list[PostedComment]:
    """What asks for something and has no answer; edited words may not be what was said."""
    return [
        said
        for said in activity.comments
        if not (said.ours or said.bot or said.edited or said.handled)
        and (parse(said.body) or said.review in {"APPROVED", "CHANGES_REQUESTED"})
    ]


def _late(state: IncidentState, said: PostedComment) -> tuple[str, Reaction]:
    """The answer to what was done, as the state tells it."""
    why, proposal = state["incident"].reason, chosen(state)
    if state["workflow_status"] == "awaiting_review":
        done = f"Now proposes: {prose(proposal.title)} ({state['commit_hash'][:9]})." if proposal else "Noted."
        return reply(said.id, prose(why) if why else done), "CONFUSED" if why else "ROCKET"
    return reply(said.id, f"Noted: this incident is {code(state['workflow_status'])}."), "ROCKET"


def _last_words(activity: Activity) -> str:
    """What the one who closed it said last, as the reason that is remembered."""
    spoken = [
        one.body
        for one in activity.comments
        if one.by and one.by == activity.by and not one.bot and not parse(one.body)
    ]
    return " ".join(spoken[-1].split())[:500] if spoken else ""
