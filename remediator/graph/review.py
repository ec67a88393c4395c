"""The review conversation: what each command of a reviewer means, when it is possible, and what it does.

Both faces run it. `action/review_comments.py` reads comments of a pull request and `commands/review.py` the command line;
they check who may speak and show the answer. The rules are here, so that a command has the same effect on both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import Review
from remediator.domain.times import duration, moment, stamp
from remediator.graph.state import as_recorded, chosen, made_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.domain.change import PullRequest
    from remediator.domain.ports import Clock, Forge
    from remediator.domain.review_commands import ReviewCommand
    from remediator.graph.driver import Driver, DriverResult
    from remediator.graph.state import IncidentState

_MOST_WORDS = 2_000
"""Characters of a reviewer's words that are stored."""

_REVISIONS = frozenset({"use", "set", "retry"})
_DECLINES = frozenset({"close", "ignore"})
_STATES = {"verifying": "it is merged", "rejected": "it was rejected", "needs_person": "it needs a person"}


@dataclass(frozen=True, kw_only=True)
class Reviewer:
    """The author of a command, and where and when it was given."""

    by: str
    at: str
    """RFC 3339, UTC."""
    ref: str = ""
    """The forge's id of the comment or review; empty on a terminal."""
    commit: str = ""
    """The head that was reviewed."""


@dataclass(frozen=True)
class ReviewAnswer:
    """The answer to a command, as raw text in which backticks mean code."""

    text: str
    done: bool = True
    result: DriverResult | None = None
    """The state after the command; None where the command was refused, so that nothing was recorded."""
    url: str = ""
    """The pull request that the command has opened."""


def _nothing(_value: object) -> None:
    """Do nothing: the face has no message to post before the command is recorded."""


@dataclass(frozen=True)
class ReviewConversation:
    """Carries out the commands of reviewers on incidents."""

    driver: Driver
    forge: Forge
    now: Clock
    redact: Callable[[str], str]
    usage: Callable[[str, str], str]
    """Maps an incident's id and a command such as `use 2` to the text that a reviewer writes on this face."""

    def answer(
        self,
        incident: str,
        command: ReviewCommand,
        reviewer: Reviewer,
        pull: PullRequest | None,
        *,
        before_record: Callable[[IncidentState], object] = _nothing,
        before_close: Callable[[Review], object] = _nothing,
    ) -> ReviewAnswer:
        """Carry out a command, or return the reason why it is not possible.

        `before_record` and `before_close` post a result before it is recorded: no later run reads an ended incident.
        """
        state = self.driver.state(incident)
        if reason := self.refusal(state, command, pull):
            return ReviewAnswer(reason, done=False)
        if command.verb in _REVISIONS:
            return self.revise(incident, f"{command.verb} {command.argument}".strip(), reviewer)
        if command.verb in _DECLINES:
            review = self.decline_review(command, reviewer)
            if state["workflow_status"] == "needs_person":
                before_close(review)
                return _ended(self.driver.end(incident, self.redacted(review)), review)
            if pull:
                self.forge.close(as_recorded(state, pull))
            before_close(review)
            return _ended(self.driver.resume(incident, self.redacted(review)), review)
        if command.verb == "revert":
            return self._revert(incident, reviewer)
        kind = "verify" if command.verb == "verify" else "confirmed"
        result = self.driver.resume(incident, self._review(kind, reviewer, command.verb), then=before_record)
        status = result.state["workflow_status"]
        return ReviewAnswer(f"{status}: {result.state['recovery_result']}", result.error is None, result)

    def refusal(self, state: IncidentState, command: ReviewCommand, pull: PullRequest | None) -> str:
        """Return the reason why a command is not possible in this state; empty where it is."""
        status, verb = state["workflow_status"], command.verb
        words = status.replace("_", " ")
        match verb, status:
            case "revert", "awaiting_review":
                return f"it is not merged: decline it with `{self.usage(state['incident_id'], 'close REASON')}`"
            case "revert", _:
                return "" if state["incident"].merged else "there is no merged change to revert"
            case "verify" | "confirm", _:
                return "" if status == "verifying" else f"it is not being verified ({words}): nothing to {verb}"
            case "close", "needs_person":
                return ""
        if status != "awaiting_review":
            return status_reason(status)
        if pull and pull.state == "merged":
            return f"it was merged meanwhile: `{self.usage(state['incident_id'], 'revert')}` reverts it"
        if verb in _REVISIONS and pull and not made_for(pull.branch, state["incident_id"]):
            return "it was opened for another incident, which is over: merge it, or close it"
        return self._missing_option(state, command) if verb == "use" else ""

    def _missing_option(self, state: IncidentState, command: ReviewCommand) -> str:
        options = len(state["proposals"])
        if 1 <= int(command.argument) <= options:
            return ""
        if options == 1:
            return f"this incident has only one option; decline it with `{self.usage(state['incident_id'], 'close REASON')}`"
        return f"there is no option {command.argument}, only 1 to {options}"

    def revise(self, incident: str, words: str, reviewer: Reviewer) -> ReviewAnswer:
        """Build the change again as the words ask; the answer has the reason where they ask for nothing possible."""
        result = self.driver.resume(incident, self._review("changes_requested", reviewer, words))
        if result.error or result.state["incident"].reason:
            return ReviewAnswer(str(result.error or result.state["incident"].reason), False, result)
        return ReviewAnswer(proposed(result.state), result=result)

    def approve(self, incident: str, reviewer: Reviewer, words: str) -> DriverResult:
        """Record an approval; the forge or a person merges."""
        return self.driver.resume(incident, self._review("approved", reviewer, words))

    def merge(self, incident: str, reviewer: Reviewer, pull: PullRequest) -> DriverResult:
        """Merge the pull request at once, as an approval on a terminal does, and record the merge."""
        merged = self.forge.merge(pull)
        return self.driver.resume(
            incident, Review(kind="merged", by=reviewer.by, commit=merged.merge_commit, at=reviewer.at)
        )

    def _revert(self, incident: str, reviewer: Reviewer) -> ReviewAnswer:
        result = self.driver.revert(incident, self._review("revert", reviewer, "revert"))
        pull = result.state["pull_request"]
        if result.error or result.state["workflow_status"] != "awaiting_review" or pull is None:
            return ReviewAnswer(str(result.error or result.state["incident"].reason), False, result)
        return ReviewAnswer("The revert is proposed.", result=result, url=pull.url)

    def decline_review(self, command: ReviewCommand, reviewer: Reviewer) -> Review:
        """Return the review of a `close` or `ignore`; the quiet time of `ignore` begins when it was given."""
        until = ""
        if command.verb == "ignore":
            until = stamp((moment(reviewer.at) or self.now()) + duration(command.argument))
        words = f"ignored for {command.argument}" if until else command.argument
        return Review(kind="closed", by=reviewer.by, words=words, at=reviewer.at, until=until, ref=reviewer.ref)

    def _review(self, kind: str, reviewer: Reviewer, words: str) -> Review:
        facts = {"kind": kind, "by": reviewer.by, "words": words, "at": reviewer.at, "ref": reviewer.ref}
        commit = reviewer.commit if kind in {"approved", "changes_requested"} else ""
        return self.redacted(Review.model_validate({**facts, "commit": commit}))

    def redacted(self, review: Review) -> Review:
        """Return the review without secrets in its words, and with a bounded length."""
        return review.model_copy(update={"words": self.redact(review.words)[:_MOST_WORDS]})


def status_reason(status: str) -> str:
    """Return why an incident with this status takes no decision on its pull request."""
    return _STATES.get(status, f"it is {status.replace('_', ' ')}")


def proposed(state: IncidentState) -> str:
    """Return the answer to a revision that was built."""
    proposal = chosen(state)
    title = f"Now proposes: {proposal.title}" if proposal else "Revised"
    return f"{title} ({state['commit_hash'][:9]})."


def closed(review: Review) -> str:
    """Return the answer to a `close` or `ignore`."""
    return f"Closed; quiet until {review.until}." if review.until else "Closed; the reason is recorded."


def _ended(result: DriverResult, review: Review) -> ReviewAnswer:
    return ReviewAnswer(closed(review), result.error is None, result)
