"""How an investigation comes out: the model's tried changes beside the rules' proposals.

A model can hold a rule back and never widens what a rule may do. What nothing of ours confirms is a draft, and where
the rules are sure of another change, theirs stays the one that is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from remediator.domain.change import Proposal
from remediator.domain.investigation import Ending
from remediator.domain.lifecycle import RemediationPlan
from remediator.judgement.model.conclusion import Conclusion
from remediator.judgement.model.confirm import confirmation
from remediator.judgement.model.question import rule_id
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.trial import TriedChange
from remediator.remedies.engine.candidates import SURE, edits_of

Proposes = Literal["off", "draft", "open"]
CALM = frozenset({"info", "unknown"})


@dataclass(frozen=True)
class _Option:
    """A tried change that was concluded, with what confirms it."""

    proposal: Proposal
    confirmed: str


def ending(
    conclusion: Conclusion | None,
    tried: Mapping[str, TriedChange],
    plan: RemediationPlan,
    scene: Scene,
    proposes: Proposes,
    model: str,
) -> Ending:
    """Return what is proposed and how, and what is told of the model."""
    if conclusion is None or not conclusion.told:
        return _untold(conclusion, plan)
    proposed = {rule_id(number): proposal for number, proposal in enumerate(plan.proposals, 1)}
    options = [
        _Option(proposed[name], "the rules propose it")
        if name in proposed
        else _option(tried[name], conclusion, scene, model)
        for name in conclusion.tried
    ]
    note = _note(conclusion)
    if not options:
        result = _nothing_to_change(conclusion, plan, model)
    elif plan.proposals and _same(options[0].proposal, plan.proposals[0]):
        agreed = plan.proposals[0].model_copy(
            update={"policy": (*plan.proposals[0].policy, f"{model} tried the same change")}
        )
        result = Ending(proposals=(agreed, *plan.proposals[1:]), note=f"It agrees with the rules.\n{note}")
    elif plan.proposals:
        result = _disagreement(options, plan, proposes, model, note)
    else:
        result = _alone(options, plan, proposes, model, note, conclusion)
    category = conclusion.category if conclusion.category not in (*CALM, scene.inquiry.diagnosis.category) else ""
    known = scene.inquiry.policies.catalogue.by_id
    severity = known[category].severity if category in known else ""
    return result.model_copy(
        update={"category": category, "severity": severity, "dropped": conclusion.dropped, "note": result.note or note}
    )


def _option(tried: TriedChange, conclusion: Conclusion, scene: Scene, model: str) -> _Option:
    confirmed = confirmation(tried, conclusion.cites, scene) if tried.seen else ""
    cited = [name for name in conclusion.cites if name.startswith("E")] or list(conclusion.cites)
    ids = tuple(name for name in cited if any(item.id == name for item in scene.inquiry.diagnosis.evidence))
    basis = f"confirmed: {confirmed}" if confirmed else "not confirmed by a rule"
    proposal = tried.proposal.model_copy(
        update={
            "reason": f"{conclusion.cause} ({', '.join(conclusion.cites[:6])})",
            "evidence_ids": ids or tried.proposal.evidence_ids,
            "policy": (*tried.proposal.policy, f"proposed by {model}, tried by rendering, {basis}"),
        }
    )
    return _Option(proposal, confirmed)


def _untold(conclusion: Conclusion | None, plan: RemediationPlan) -> Ending:
    if conclusion is None:
        return Ending(proposals=plan.proposals, reason=plan.reason, note="It came to no conclusion.")
    words = f"It cannot tell: {conclusion.why}" if conclusion.why else "It cannot tell."
    look = f"\nLook at: {conclusion.look_at}" if conclusion.look_at else ""
    return Ending(proposals=plan.proposals, reason=plan.reason, note=f"{words}{look}")


def _nothing_to_change(conclusion: Conclusion, plan: RemediationPlan, model: str) -> Ending:
    """Return the ending where the model finds that no change of the repository is right."""
    cited = ", ".join(conclusion.cites[:6])
    if not plan.proposals:
        reason = f"{plan.reason} {model} finds: {conclusion.cause} ({cited})".strip()
        return Ending(proposals=(), reason=reason)
    first = plan.proposals[0]
    why = f"the rules would {first.title}; {model} finds that no change of the repository ends it: {conclusion.cause} ({cited})"
    if first.score >= SURE:
        return Ending(proposals=plan.proposals, draft=why)
    return Ending(proposals=(), reason=f"Nothing was changed: {why}")


def _alone(
    options: list[_Option], plan: RemediationPlan, proposes: Proposes, model: str, note: str, conclusion: Conclusion
) -> Ending:
    """Return the ending where the rules propose nothing: the model's change, as a draft where nothing confirms it."""
    if proposes == "off":
        told = "; ".join(option.proposal.title for option in options)
        return Ending(
            proposals=(), reason=f"{plan.reason} {model} would {told} (model.proposes: off)".strip(), note=note
        )
    best = sorted(options[:1], key=lambda option: not option.confirmed) + options[1:]
    draft = (
        ""
        if best[0].confirmed and proposes == "open"
        else f"proposed by {model}, tried by rendering, not confirmed by a rule"
    )
    if best[0].confirmed and proposes == "draft":
        draft = f"proposed by {model}, tried by rendering; {best[0].confirmed} (model.proposes: draft)"
    return Ending(
        proposals=tuple(option.proposal for option in best), draft=draft, note=note, root_cause=_root_cause(conclusion)
    )


def _disagreement(options: list[_Option], plan: RemediationPlan, proposes: Proposes, model: str, note: str) -> Ending:
    """Return the ending where rules and model want different changes: a draft with both as options."""
    known = {edits_of(proposal) for proposal in plan.proposals}
    mine = [option for option in options if edits_of(option.proposal) not in known] if proposes != "off" else []
    rules = plan.proposals
    best = options[0]
    chosen_by_rules = next((proposal for proposal in rules if _same(best.proposal, proposal)), None)
    ours = [chosen_by_rules] if chosen_by_rules else [option.proposal for option in mine]
    backed = best.confirmed or chosen_by_rules is not None
    leads = bool(backed) and rules[0].score < SURE and proposes != "off"
    ordered = [*ours, *rules, *(option.proposal for option in mine)] if leads else [*rules, *ours]
    unique = tuple({proposal.id: proposal for proposal in ordered}.values())
    why = f"the rules would {rules[0].title}, {model} would {best.proposal.title}"
    basis = f"; {best.confirmed}" if best.confirmed else ""
    basis += " (model.proposes: off)" if proposes == "off" else ""
    return Ending(proposals=unique, draft=f"rules and model disagree: {why}{basis}", note=note)


def _same(one: Proposal, other: Proposal) -> bool:
    """Return whether two proposals make the same change, by their edits or by what they render."""
    return edits_of(one) == edits_of(other) or (bool(one.rendered) and sorted(one.rendered) == sorted(other.rendered))


def _root_cause(conclusion: Conclusion) -> str:
    return f"{conclusion.cause} ({', '.join(conclusion.cites[:6])})"


def _note(conclusion: Conclusion) -> str:
    lines = [f"{conclusion.cause} ({', '.join(conclusion.cites[:8])}; confidence {conclusion.confidence:.0%})"]
    if conclusion.confirm:
        lines.append(f"What would confirm it: {conclusion.confirm}")
    if conclusion.dropped:
        lines.append(f"Dropped: {conclusion.dropped} claims that cite nothing that exists.")
    return "\n".join(lines)
