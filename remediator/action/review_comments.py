"""The comments and reviews on a pull request: each command, approval and request for changes is answered once.

An id that is in the incident's history was carried out already, so that only its answer may be missing; our last reaction
on a comment shows that it was answered. Edited comments are ignored: people may have written something else first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from remediator.action.replies import GONE, HELP, explanation, parse, reply
from remediator.domain.lifecycle import Review
from remediator.domain.times import stamp
from remediator.graph.review import ReviewConversation, Reviewer, closed, proposed
from remediator.graph.state import chosen
from remediator.report.markdown import code, prose

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.domain.ports import Clock, Forge
    from remediator.domain.review_commands import ReviewCommand
    from remediator.graph.driver import Driver, DriverResult
    from remediator.graph.state import IncidentState
    from remediator.services.github.conversation import Activity, Conversation, PostedComment, Reaction

_RECORDED_FIRST = frozenset({"use", "set", "retry", "revert"})
"""Commands whose error is an answer; an error of the others ends the run, and the next one tries again."""


@dataclass(frozen=True)
class ReviewComments:
    """Answers the comments on one pull request; `post_status` posts the status of an incident there."""

    driver: Driver
    forge: Forge
    conversation: Conversation
    now: Clock
    redact: Callable[[str], str]
    post_status: Callable[[IncidentState, Activity], None]

    @cached_property
    def review(self) -> ReviewConversation:
        """The review conversation that both faces run."""
        return ReviewConversation(
            self.driver, self.forge, self.now, self.redact, lambda _incident, words: f"/remediator {words}"
        )

    def answer_all(self, incident: str, activity: Activity) -> None:
        """Answer every comment and review without an answer, in order."""
        history = self.driver.state(incident)["user_feedback_history"]
        recorded = {entry.get("ref") or (entry.get("by"), entry.get("at")) for entry in history}
        for comment in _unanswered(activity):
            if comment.id not in recorded and (comment.by, comment.at) not in recorded:
                self._answer(incident, activity, comment)
            elif comment.review != "APPROVED":  # carried out by a run that was killed before its answer
                self.conversation.reply(activity, comment, *_late_answer(self.driver.state(incident), comment))
        self._merge_approved(incident, activity)

    def _answer(self, incident: str, activity: Activity, comment: PostedComment) -> None:
        command = parse(comment.body)
        if not self.conversation.may_command(comment.by):
            if command:
                self.conversation.react(comment, "CONFUSED")
            return
        if comment.review == "APPROVED" and not command:
            result = self.review.approve(incident, _reviewer(comment), comment.body)
            self._raise_error(incident, result)
            return
        if command:
            self.conversation.react(comment, "EYES")
            text, reaction = self._carry_out(incident, command, comment, activity)
        else:
            answer = self.review.revise(incident, comment.body, _reviewer(comment))
            text, reaction = prose(answer.text), "ROCKET" if answer.done else "CONFUSED"
        self.driver.record_now(incident)  # before the answer says that it is done
        if text:
            self.conversation.reply(activity, comment, reply(comment.id, text), reaction)
        else:
            self.conversation.react(comment, reaction)

    def _merge_approved(self, incident: str, activity: Activity) -> None:
        """Merge an approved pull request where the policy says so, until the forge has merged it or will do so."""
        state, pull = self.driver.state(incident), activity.pull_request
        approved = state["user_approved_action"] and state["workflow_status"] == "awaiting_review"
        if not (self.driver.limits.merge_on_approval and approved) or activity.merges_itself or pull.state != "open":
            return
        stored = state["pull_request"]
        if stored is None or stored.head != pull.head:
            return  # another head was approved
        merged = self.forge.merge_when_ready(pull)
        if merged.state == "merged":
            approvals = [entry for entry in state["user_feedback_history"] if entry.get("kind") == "approved"]
            by = approvals[-1].get("by", "") if approvals else ""
            review = Review(kind="merged", by=by, commit=merged.merge_commit, at=stamp(self.now()))
            self.resume(incident, review, activity)

    def _carry_out(
        self, incident: str, command: ReviewCommand, comment: PostedComment, activity: Activity
    ) -> tuple[str, Reaction]:
        """Carry out a command; return the text of the answer and the reaction."""
        state = self.driver.state(incident)
        if command.verb not in {"help", "explain", "revert"} and (newer := _newer_pull_request(state, activity)):
            return newer, "CONFUSED"
        if command.verb == "help":
            return self._help(activity, comment)
        if command.verb == "explain":
            return explanation(state), "ROCKET"
        answer = self.review.answer(
            incident,
            command,
            _reviewer(comment),
            activity.pull_request,
            before_record=lambda after: self.post_status(after, activity),
            before_close=lambda review: self._reply_closed(activity, comment, review),
        )
        if answer.result is None:
            return f"{code(command.verb)} is not possible now: {prose(answer.text)}.", "CONFUSED"
        if command.verb not in _RECORDED_FIRST:
            self._raise_error(incident, answer.result, activity)
        if command.verb in {"close", "ignore"}:
            return answer.text, "ROCKET"
        text = f"{answer.url} reverts it." if answer.url else prose(answer.text)
        return text, "ROCKET" if answer.done else "CONFUSED"

    def _help(self, activity: Activity, comment: PostedComment) -> tuple[str, Reaction]:
        """Return the table of commands for a `help`, and once on a pull request for an unknown command."""
        requested = comment.body.split()[1:2] in ([], ["help"])
        posted = any(other.ours and HELP in other.body.replace("\r", "") for other in activity.comments)
        if requested or not posted:
            return HELP, "ROCKET" if requested else "CONFUSED"
        return "", "CONFUSED"

    def _reply_closed(self, activity: Activity, comment: PostedComment, review: Review) -> None:
        self.conversation.reply(activity, comment, reply(comment.id, closed(review)), "ROCKET")

    def closing_review(self, incident: str, activity: Activity) -> Review:
        """Return why a pull request was closed: by a killed run, by a command, else the last comment of its closer."""
        note = f"{GONE}{incident} "
        if cleared := next((one.body for one in activity.comments if one.ours and one.body.startswith(note)), ""):
            return Review(kind="cleared", words=cleared.split("\n", 1)[1].strip(), at=stamp(self.now()))
        for comment in reversed(activity.comments):
            command = parse(comment.body)
            declines = command is not None and command.verb in {"close", "ignore"} and not comment.edited
            if command and declines and self.conversation.may_command(comment.by):
                review = self.review.decline_review(command, _reviewer(comment))
                if not comment.handled:
                    self._reply_closed(activity, comment, review)
                return review
        return Review(kind="closed", by=activity.by, words=_last_comment(activity), at=stamp(self.now()))

    def resume(self, incident: str, review: Review, activity: Activity) -> DriverResult:
        """Resume the incident; its status is posted before it is recorded, so that a killed run does not lose it."""
        result = self.driver.resume(
            incident, self.review.redacted(review), then=lambda state: self.post_status(state, activity)
        )
        self._raise_error(incident, result, activity)
        return result

    def _raise_error(self, incident: str, result: DriverResult, activity: Activity | None = None) -> None:
        if result.error is None:
            return
        state = self.driver.state(incident)
        if activity and state["workflow_status"] == "needs_person":
            self.post_status(state, activity)  # it is recorded already, so that no sweep would post it
        raise result.error


def _reviewer(comment: PostedComment) -> Reviewer:
    return Reviewer(by=comment.by, at=comment.at, ref=comment.id, commit=comment.commit)


def _newer_pull_request(state: IncidentState, activity: Activity) -> str:
    """Return the answer to a command on an earlier attempt's pull request; empty on the present one."""
    pull = state["pull_request"]
    if pull is None or pull.number in {0, activity.pull_request.number}:
        return ""
    return f"This incident has a newer pull request: comment on {pull.url}."


def _unanswered(activity: Activity) -> list[PostedComment]:
    """Return the commands and reviews without an answer; edited ones are left out."""
    return [
        comment
        for comment in activity.comments
        if not (comment.ours or comment.bot or comment.edited or comment.handled)
        and (parse(comment.body) or comment.review in {"APPROVED", "CHANGES_REQUESTED"})
    ]


def _late_answer(state: IncidentState, comment: PostedComment) -> tuple[str, Reaction]:
    """Return the answer to a command that an earlier run carried out, from the state."""
    reason = state["incident"].reason
    if state["workflow_status"] != "awaiting_review":
        return reply(comment.id, f"Done: this incident is {code(state['workflow_status'])}."), "ROCKET"
    text = reason or (proposed(state) if chosen(state) else "Done.")
    return reply(comment.id, prose(text)), "CONFUSED" if reason else "ROCKET"


def _last_comment(activity: Activity) -> str:
    """Return the last comment of the person who closed the pull request, as the reason for the history."""
    bodies = [
        comment.body
        for comment in activity.comments
        if comment.by and comment.by == activity.by and not comment.bot and not parse(comment.body)
    ]
    return " ".join(bodies[-1].split())[:500] if bodies else ""
