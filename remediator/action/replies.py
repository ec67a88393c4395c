"""What people may ask for on a pull request, read from their words: parsed by a table, never evaluated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.domain.review_commands import ReviewCommand, parse_command
from remediator.graph.describe import incident_report
from remediator.graph.state import chosen
from remediator.report import Check, Event, Verdict
from remediator.report.markdown import code, marker, prose
from remediator.report.pull_request import model_section
from remediator.report.wording import clock, suggested_by
from remediator.trigger import COMMAND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.change import PullRequest
    from remediator.domain.lifecycle import Observation
    from remediator.graph.state import IncidentState
    from remediator.report.values import Outcome

HELP = """\
| comment | what it does |
|---|---|
| `/remediator use N` | propose option N instead, in this pull request |
| `/remediator set PATH=VALUE` | propose another value at a place of this change, inside the policy's bounds |
| `/remediator retry` | build the same option anew on the base as it is now |
| `/remediator explain` | say why this option, with its evidence |
| `/remediator verify` | after the merge: look again whether the incident is over |
| `/remediator confirm` | after the merge: say that it is over |
| `/remediator revert` | after the merge: a pull request that takes the change back |
| `/remediator ignore DURATION` | decline, and stay quiet for so long (`12h`, `7d`) |
| `/remediator close REASON` | decline; the reason is remembered |

Only people who can write to this repository are obeyed."""

GONE = "<!-- remediator:gone "
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:/[a-z0-9._-]{1,100})?")


def parse(body: str) -> ReviewCommand | None:
    """The command on the first line of a comment; None where it is none, `help` where it is not understood."""
    first, rest = [*body.lstrip().split("\n", 1)[0].split(None, 1), "", ""][:2]
    if first != COMMAND:
        return None
    return parse_command(rest) or ReviewCommand(verb="help")


def reply(said: str, text: str) -> str:
    """An answer, with an invisible first line by which it is found again."""
    return f"{marker('reply', said)}\n{text}\n"


def explanation(state: IncidentState) -> str:
    """Why this option: the cause, the reason, what its history and the policy say, and what a model said beside it."""
    proposal = chosen(state)
    lines = [prose(state["root_cause"])] if state["root_cause"] else []
    if proposal:
        lines += [f"**{prose(proposal.title)}**: {prose(proposal.reason)}{suggested_by(proposal)}"]
        lines += [f"- {prose(text)}" for text in (*proposal.history[:5], *proposal.policy[:10])]
    lines += [
        f"- {code(one.id)} {prose(f'{one.source}:{one.line}', 200)} {prose(one.reason or one.text, 300)}"
        for one in state["evidence"][:10]
    ]
    if said := model_section(incident_report(state), 1_200):
        lines += ["", said]
    return "\n".join(lines) or "Nothing is known beyond what the pull request says."


_OUTCOMES: dict[str, Outcome] = {
    "awaiting_review": "review",
    "resolved": "recovered",
    "verifying": "waiting",
    "unconfirmed": "unconfirmed",
    "needs_person": "not_recovered",
    "failed": "not_recovered",
}


def verdict(state: IncidentState, pull: PullRequest, at: str) -> Verdict | None:
    """What is said about a pull request; None while there is nothing to add to its text, or it was declined."""
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
        next_step = "comment `/remediator verify` to look again, or `/remediator confirm` if it is over"
    history = [e for e in state["user_feedback_history"] if e.get("at") and (e.get("by") or e.get("kind") != "verify")]
    return Verdict(
        incident_id=state["incident_id"],
        outcome=outcome,
        headline=headline,
        checks=() if outcome == "review" else _checks(state["observations"]),
        next_step=next_step,
        deadline=incident.deadline if outcome == "waiting" else "",
        timeline=tuple(Event(at=str(one["at"]), text=_event(one)) for one in history[-20:]),
    )


def _checks(observations: Sequence[Observation]) -> tuple[Check, ...]:
    """The newest word of each verifier, and since when it says so: what only repeats itself changes no comment."""
    said: dict[str, Check] = {}
    for one in observations:
        before = said.get(one.verifier)
        if before is None or before.result != one.summary:
            said[one.verifier] = Check(name=one.verifier, result=one.summary, since=one.at, link=one.link)
    return tuple(said.values())


def call_for_people(state: IncidentState, people: Sequence[str]) -> str:
    """A comment of its own, since an edit notifies nobody: those who reviewed or merged are asked to take over."""
    who = " ".join(f"@{login}" for login in people if _LOGIN.fullmatch(login))
    why = prose(state["incident"].reason or state["recovery_result"] or "nothing more is tried", 500)
    return f"{marker('needs-human', state['incident_id'])}\n{f'{who} ' if who else ''}This needs a person: {why}\n"


def shared(state: IncidentState) -> str:
    """That a pull request ends another incident too."""
    diagnosis = state["diagnosis"]
    cluster = f" (cluster {prose(diagnosis.subject.cluster, 60)})" if diagnosis and diagnosis.subject.cluster else ""
    summary = prose(diagnosis.summary, 300) if diagnosis else ""
    return (
        f"{marker('shared', state['incident_id'])}\nThe same change answers incident {code(state['incident_id'])}"
        f"{cluster} too: {summary}\n"
    )


def gone(state: IncidentState) -> str:
    """Why a pull request is closed that nobody needs any more."""
    return f"{marker('gone', state['incident_id'])}\n{prose(state['recovery_result'], 600)}\n"


def _event(entry: dict[str, object]) -> str:
    by = f" by {entry['by']}" if entry.get("by") else ""
    return f"{str(entry.get('kind', '')).replace('_', ' ')}{by}"
