"""Turn a proposal into files, a commit message and a pull request."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from remediator.domain.change import PullRequest
from remediator.domain.lifecycle import TAKE_BACK
from remediator.domain.times import stamp
from remediator.errors import PolicyViolation, RemediatorError
from remediator.graph.describe import incident_report
from remediator.graph.revert import revert_proposal
from remediator.graph.state import IncidentState, chosen
from remediator.report import commit_message, pull_request
from remediator.report.wording import times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.change import Proposal
    from remediator.domain.lifecycle import Base, Incident
    from remediator.domain.ports import Clock, Forge, Planner, Verifier
    from remediator.graph.limits import RunLimits

USE = re.compile(r"(?:/remediator\s+)?use\s+#?(\d+)", re.IGNORECASE)
SET = re.compile(r"(?:/remediator\s+)?set\s+(?P<path>[^\s=]+)\s*=\s*(?P<value>\S.*)", re.IGNORECASE)
_STALE = "a revert contains whole files, which may be outdated now, so it is not built again: close this pull request instead"
_RETRY = re.compile(r"(?:/remediator\s+)?retry", re.IGNORECASE)


def generate_action(
    state: IncidentState,
    *,
    planner: Planner,
    forge: Forge,
    limits: RunLimits,
    now: Clock,
    verifiers: Sequence[Verifier] = (),
) -> IncidentState:
    """Apply the chosen proposal to the text of the base; the guardrails judge the final difference.

    The best proposal comes first, then the next one that was neither tried nor refused; in a review, only the one
    that the reviewer asked for. `incident.reason` is empty exactly when there is something to commit.
    """
    reviewing = state["workflow_status"] == "awaiting_review"
    merged = state
    state = {**state, "incident": _start_round(state)}
    candidates, reason = _asked(state, limits, planner) if reviewing else _untried(state, limits)
    if not reviewing and 1 < state["incident"].attempt <= limits.attempts and state["incident"].noted != "revert":
        candidates, outdated = _fitting((*_next_step(merged, planner, forge), *candidates), state, planner, forge)
        reason = reason or outdated
    if not candidates and not reviewing:
        candidates, refusal = _revert(merged, forge, limits)
        reason = refusal or reason
    for proposal in candidates:
        try:
            tracked = planner.tracked(state["affected_apps"], [edit.file for edit in proposal.edits])
            base = forge.base(tracked)
            changes = _changes(proposal, base, planner, forge)
        except (RemediatorError, FileNotFoundError, ValueError) as error:
            reason = reason or f"{proposal.title}: {error}"
            continue
        promises = [verifier.promise for verifier in verifiers]
        if reviewing:
            state = {**state, "incident": _count_round(state["incident"])}
        return _worded(state, proposal, base, changes, forge, stamp(now()), promises)
    incident = state["incident"].model_copy(update={"reason": reason})
    if reviewing:
        return IncidentState(incident=incident)
    if incident.merged:  # the merged change stays in the state, so that a person can still ask for its revert
        return IncidentState(incident=incident, workflow_status="needs_person")
    return IncidentState(incident=incident, git_changes={}, commit_message="", workflow_status="needs_person")


def _fitting(
    candidates: tuple[Proposal, ...], state: IncidentState, planner: Planner, forge: Forge
) -> tuple[tuple[Proposal, ...], str]:
    """Return the options whose places still read as they were located, and why the first other one is left out."""
    fitting, reason = [], ""
    for proposal in candidates:
        try:
            base = forge.base(planner.tracked(state["affected_apps"], [edit.file for edit in proposal.edits]))
            why = planner.outdated(proposal, partial(forge.read, base))
        except RemediatorError as error:
            why = str(error)
        if why:
            reason = reason or f"{proposal.title}: {why}"
        else:
            fitting.append(proposal)
    return tuple(fitting), reason


def _next_step(merged: IncidentState, planner: Planner, forge: Forge) -> tuple[Proposal, ...]:
    """Return the merged change with a larger amount, where its verification failed and an amount is what it raised."""
    failed = chosen(merged)
    if failed is None or failed.id == TAKE_BACK or merged["verification_status"] != "failed":
        return ()
    try:
        base = forge.base(planner.tracked(merged["affected_apps"], [edit.file for edit in failed.edits]))
        larger = planner.next_step(failed, partial(forge.read, base))
    except (RemediatorError, FileNotFoundError):
        return ()
    return (larger,) if larger is not None else ()


def _revert(merged: IncidentState, forge: Forge, limits: RunLimits) -> tuple[tuple[Proposal, ...], str]:
    """Return the revert of the merged change, once: where no proposal remains, or where a person asks for it."""
    incident = merged["incident"]
    requested = incident.noted == "revert"
    if not incident.merged or incident.chosen == TAKE_BACK or (incident.attempt >= limits.attempts and not requested):
        return (), ""
    try:
        return revert_proposal(merged, forge), ""
    except RemediatorError as error:
        return (), str(error)


def _count_round(incident: Incident) -> Incident:
    """Count a round; only a revision that was built counts, so that a typing error costs none."""
    return incident.model_copy(update={"rounds": incident.rounds + 1})


def _start_round(state: IncidentState) -> Incident:
    """Return the incident at the start of this round: after a failed verification, the next attempt."""
    incident = state["incident"].model_copy(update={"reason": ""})
    reviewing = state["workflow_status"] == "awaiting_review"
    if not reviewing and state["verification_status"] == "failed" and incident.chosen:
        tried_ids = (*incident.tried, incident.chosen)
        fresh = {"tried": tried_ids, "attempt": incident.attempt + 1, "rounds": 0, "deadline": ""}
        return incident.model_copy(update=fresh)
    return incident


def _untried(state: IncidentState, limits: RunLimits) -> tuple[tuple[Proposal, ...], str]:
    """Return the proposals to try in order, or the reason why there are none."""
    incident = state["incident"]
    if incident.attempt > limits.attempts:
        return (), f"{limits.attempts} attempts did not end it"
    if incident.noted == "revert":
        return (), "there is no merged change to revert"
    untried = tuple(
        proposal
        for proposal in state["proposals"]
        if proposal.id not in (*incident.tried, TAKE_BACK) and not proposal.on_request
    )
    return untried, "" if untried else "every allowed action was tried and did not help"


def _asked(state: IncidentState, limits: RunLimits, planner: Planner) -> tuple[tuple[Proposal, ...], str]:
    """Return the proposal that the reviewer asks for, or the reason why there is none; the pull request then stays unchanged."""
    incident, proposals, words = state["incident"], state["proposals"], state["user_recognition"].strip()
    if incident.rounds >= limits.rounds:
        return (), (
            f"changes were made {times(limits.rounds)}, as often as `guardrails.max_feedback_rounds` allows:"
            " approve, reject, or edit the branch by hand"
        )
    if _RETRY.fullmatch(words) and incident.chosen == TAKE_BACK:
        return (), _STALE
    if _RETRY.fullmatch(words):
        return tuple(proposal for proposal in proposals if proposal.id == incident.chosen), ""
    if setting := SET.fullmatch(words):
        return _set(state, setting["path"], setting["value"].strip(), planner)
    use = USE.fullmatch(words)
    if use is None:
        return (), (
            f"this is no command, so nothing changed: your words are in the history; the commands are `use N`"
            f" (1 to {len(proposals)}), `set PATH=VALUE` and `retry`"
        )
    if not 1 <= int(use[1]) <= len(proposals):
        return (), f"there is no option {use[1]}, only 1 to {len(proposals)}"
    option = proposals[int(use[1]) - 1]
    return ((), _STALE) if option.id == TAKE_BACK else ((option,), "")


def _set(state: IncidentState, path: str, value: str, planner: Planner) -> tuple[tuple[Proposal, ...], str]:
    """Return the present proposal with another value at one of its places, or the reason why this is not allowed."""
    proposal = chosen(state)
    if proposal is None:
        return (), "there is no change whose value could be set"
    try:
        return (planner.with_value(proposal, path, value),), ""
    except RemediatorError as error:
        return (), str(error)


def _changes(proposal: Proposal, base: Base, planner: Planner, forge: Forge) -> dict[str, str | None]:
    """Apply the proposal's edits to the base; PolicyViolation where the guardrails object."""
    new = planner.edit(proposal.edits, lambda path: forge.read(base, path))
    old = {path: _before(base, path, forge) for path in new}
    new = {path: content for path, content in new.items() if content != old[path]}
    if not new:
        raise PolicyViolation(f"{base.branch or 'the repository'} already contains the proposed change")
    if objections := planner.objections(old, new):
        raise PolicyViolation("; ".join(objections))
    return {path: None if content is None else _text(path, content) for path, content in new.items()}


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PolicyViolation(f"{path} is not UTF-8 text") from error


def _before(base: Base, path: str, forge: Forge) -> bytes | None:
    try:
        return forge.read(base, path)
    except FileNotFoundError:
        return None


def _worded(
    state: IncidentState,
    proposal: Proposal,
    base: Base,
    changes: dict[str, str | None],
    forge: Forge,
    at: str,
    promises: Sequence[str],
) -> IncidentState:
    start = {"chosen": proposal.id, "base_commit": base.commit, "merged": False}
    incident = state["incident"].model_copy(update=start)
    alternatives = tuple(option for option in state["proposals"] if option.id != proposal.id)
    proposals = state["proposals"] if proposal in state["proposals"] else (*alternatives, proposal)
    state = {**state, "proposals": proposals}
    report = incident_report(
        {**state, "incident": incident},
        base=base,
        changes=changes,
        read=partial(forge.read, base),
        reply_by=forge.answered_by,
        promises=promises,
    )
    title, body = pull_request(report)
    earlier = state["pull_request"]
    pull = PullRequest(branch=report.branch, base=base.branch, title=title, body=body)
    if earlier and earlier.branch == pull.branch:
        pull = earlier.model_copy(update={"title": title, "body": body, "base": base.branch})
    if not pull.head:
        incident = incident.model_copy(update={"opening": at})
    return IncidentState(
        git_changes={path: text for path, text in changes.items() if text is not None},
        commit_message=commit_message(report),
        pull_request=pull,
        proposals=proposals,
        suggested_actions=[option.action for option in proposals],
        incident=incident,
        user_approved_action="",
        verification_status="pending",
    )
