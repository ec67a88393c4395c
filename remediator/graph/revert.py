"""The proposal that reverts a merged change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.change import Edit, Proposal
from remediator.domain.lifecycle import TAKE_BACK, Base
from remediator.errors import PolicyViolation
from remediator.gitops.takeback import revert_text
from remediator.graph.merged_change import read
from remediator.graph.state import all_changes, chosen

if TYPE_CHECKING:
    from remediator.domain.ports import Forge
    from remediator.graph.state import IncidentState


REVERT_REASON = "A person asked for the revert."


def revert_proposal(state: IncidentState, forge: Forge) -> tuple[Proposal, ...]:
    """Return the proposal that restores the files as they were before the merge and keeps later changes.

    PolicyViolation where a later change is on the same line.
    """
    pull, proposal = state["pull_request"], chosen(state)
    if pull is None or proposal is None:
        return ()
    original, head = Base(branch=pull.base, commit=state["incident"].base_commit), forge.base(pull.base)
    edits = []
    for path, text in all_changes(state).items():
        try:
            content = revert_text(
                read(forge, original, path), text.encode() if text is not None else None, read(forge, head, path)
            )
        except ValueError as error:
            raise PolicyViolation(f"{path} {error}: revert it by hand") from error
        op = "remove" if content is None else "write"
        edits.append(Edit(op=op, file=path, value=None if content is None else content.decode()))
    return (
        Proposal(
            id=TAKE_BACK,
            action=TAKE_BACK,
            title=f"revert: {proposal.title}",
            reason=REVERT_REASON
            if state["incident"].noted == "revert"
            else "It was merged and did not end the incident.",
            evidence_ids=proposal.evidence_ids,
            places=proposal.places,
            edits=tuple(edits),
            risk="low",
            policy=("reverts the merged change; no auto-merge",),
        ),
    )
