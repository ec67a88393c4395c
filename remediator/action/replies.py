"""The texts that Remediator posts on a pull request after its body: replies, status, calls for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.domain.review_commands import EFFECTS, ReviewCommand, parse_command
from remediator.graph.describe import incident_report
from remediator.graph.state import chosen, evidence_of
from remediator.report import Check, Event, Verdict
from remediator.report.markdown import code, marker, prose
from remediator.report.pull_request import model_section
from remediator.report.wording import clock, suggested_by
from remediator.trigger import COMMAND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.change import PullRequest
    from remediator.domain.lifecycle import HistoryEntry, Observation
    from remediator.graph.state import IncidentState
    from remediator.report.values import Outcome

HELP = "\n".join(
    [
        "| comment | effect |",
        "|---|---|",
        *(f"| `{COMMAND} {usage}` | {effect} |" for usage, effect in EFFECTS.items()),
        "",
        "Commands need write access to this repository.",
    ]
)

GONE = "<!-- remediator:gone "
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[a-z0-9._-]{1,100})?")


def parse(body: str) -> ReviewCommand | None:
    """Return the command on the first line of a comment; None for other comments, `help` for an unknown command."""
    first, argument = [*body.lstrip().split("\n", 1)[0].split(None, 1), "", ""][:2]
    if first != COMMAND:
        return None
    return parse_command(argument) or ReviewCommand(verb="help")


def reply(comment_id: str, text: str) -> str:
    """Return a reply with an invisible first line by which it is found again."""
    return f"{marker('reply', comment_id)}\n{text}\n"


def explanation(state: IncidentState) -> str:
    """Return the reasons for the option: cause, reason, history, policy, evidence, and the model's answer."""
    proposal = chosen(state)
    lines = [prose(state["root_cause"])] if state["root_cause"] else []
    if proposal:
        lines += [f"**{prose(proposal.title)}**: {prose(proposal.reason)}{suggested_by(proposal)}"]
        lines += [f"- {prose(text)}" for text in (*proposal.history[:5], *proposal.policy[:10])]
    lines += [
        f"- {code(item.id)} {prose(f'{item.source}:{item.line}', 200)} {prose(item.reason or item.text, 300)}"
        for item in evidence_of(state)[:10]
    ]
    if model_text := model_section(incident_report(state), 1_200):
        lines += ["", model_text]
    return "\n".join(lines) or "There is no more information than in the pull request."


_OUTCOMES: dict[str, Outcome] = {
    "awaiting_review": "review",
    "resolved": "recovered",
    "verifying": "waiting",
    "unconfirmed": "unconfirmed",
    "needs_person": "not_recovered",
    "failed": "not_recovered",
}


def verdict(state: IncidentState, pull: PullRequest, at: str) -> Verdict | None:
    """Return the status of a pull request; None while there is nothing to add to its body, or after it was declined."""
    now, incident = state["pull_request"], state["incident"]
    following = bool(now and now.number != pull.number) or bool(incident.held and incident.attempt > 1)
    outcome: Outcome | None = "not_recovered" if following else _OUTCOMES.get(state["workflow_status"])
    if outcome is None:
        return None
    next_step = f"the next attempt is {now.url}" if following and now else incident.reason
    if following and now is None:
        next_step = f"the next attempt is {incident.reason}"
    headline = state["recovery_result"]
    if outcome == "review":
        if incident.seen < 2 and not pull.note:
            return None
        headline = f"seen {incident.seen} times, last at {clock(incident.last_seen, at)}" if incident.seen > 1 else ""
        next_step = pull.note
    elif outcome == "waiting":
        next_step = "comment `/remediator verify` to check again, or `/remediator confirm` when it has recovered"
    history = [
        entry
        for entry in state["user_feedback_history"]
        if entry.get("at") and (entry.get("by") or entry.get("kind") != "verify")
    ]
    return Verdict(
        incident_id=state["incident_id"],
        outcome=outcome,
        headline=headline,
        checks=() if outcome == "review" else _checks(state["observations"]),
        next_step=next_step,
        deadline=incident.deadline if outcome == "waiting" else "",
        timeline=tuple(Event(at=entry["at"], text=_event(entry)) for entry in history[-20:]),
    )


def _checks(observations: Sequence[Observation]) -> tuple[Check, ...]:
    """Return the newest result of each verifier, and since when: a repeated result does not change the comment."""
    checks: dict[str, Check] = {}
    for observation in observations:
        check = checks.get(observation.verifier)
        if check is None or check.result != observation.summary:
            checks[observation.verifier] = Check(
                name=observation.verifier, result=observation.summary, since=observation.at, link=observation.link
            )
    return tuple(checks.values())


def call_for_people(state: IncidentState, people: Sequence[str]) -> str:
    """Return a new comment that asks the reviewers to take over; an edited comment would notify nobody."""
    mentions = " ".join(f"@{login}" for login in people if _LOGIN.fullmatch(login))
    why = prose(state["incident"].reason or state["recovery_result"] or "no other action is left to try", 500)
    return f"{marker('needs-human', state['incident_id'])}\n{f'{mentions} ' if mentions else ''}This needs a person: {why}\n"


def shared_note(state: IncidentState) -> str:
    """Return the note that a pull request is the fix of another incident too."""
    diagnosis = state["diagnosis"]
    cluster = f" (cluster {prose(diagnosis.subject.cluster, 60)})" if diagnosis and diagnosis.subject.cluster else ""
    summary = prose(diagnosis.summary, 300) if diagnosis else ""
    return (
        f"{marker('shared', state['incident_id'])}\nThis change is also the fix for incident {code(state['incident_id'])}"
        f"{cluster}: {summary}\n"
    )


def cleared_note(state: IncidentState) -> str:
    """Return the note on closing a pull request whose incident has cleared."""
    return f"{marker('gone', state['incident_id'])}\n{prose(state['recovery_result'], 600)}\n"


def _event(entry: HistoryEntry) -> str:
    by = f" by {entry['by']}" if entry.get("by") else ""
    return f"{entry.get('kind', '').replace('_', ' ')}{by}"
