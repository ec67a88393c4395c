"""From a diagnosis to ranked, proved proposals, or to the reason why there are none."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.base import Value
from remediator.domain.change import Proposal
from remediator.domain.incident import Diagnosis
from remediator.domain.lifecycle import RemediationPlan
from remediator.gitops import Repository
from remediator.policy import Action, Category, Policies
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.older_values import earlier_values
from remediator.remedies.engine.prove import Unprovable, prove
from remediator.remedies.engine.registry import REMEDIES
from remediator.remedies.engine.targets import TargetMatches, targets_of

MAX_PROPOSALS = 3
SURE = 0.9
"""With a proposal of at least this score, what commits did as a whole is not asked any more."""


class AttemptedFix(Value):
    """One fix of one action, and what became of it."""

    action: str
    title: str
    score: float
    proposal: Proposal | None = None
    refusal: str = ""
    """Why it is no proposal; empty where it is one."""


def propose(diagnosis: Diagnosis, repository: Repository, policies: Policies) -> RemediationPlan:
    """Ask every action that the category considers; keep what can be proved."""
    category = policies.catalogue.by_id[diagnosis.category]
    targets = targets_of(diagnosis, repository)
    if diagnosis.severity == "info":
        return RemediationPlan(
            applications=targets.applications, root_cause=diagnosis.summary, reason=diagnosis.summary
        )
    tried = list(best_first(diagnosis, repository, policies, targets))
    ranked = _ranked([one.proposal for one in tried if one.proposal])
    refusals = [one.refusal for one in tried if one.refusal]
    reason = "" if ranked else _why_not(diagnosis, category, targets, refusals)
    return RemediationPlan(
        applications=_applications(targets, ranked),
        root_cause=_root_cause(diagnosis, ranked),
        proposals=ranked,
        reason=reason,
    )


def best_first(
    diagnosis: Diagnosis, repository: Repository, policies: Policies, targets: TargetMatches
) -> Iterator[AttemptedFix]:
    """Fixes by falling score, until there are as many proposals as a reviewer wants to see.

    Each proof renders, so what would not be shown is not proved; whole commits are taken back only where nothing
    surer was found.
    """
    cases = [
        RemedyContext(diagnosis, repository, policies, action, targets.matches)
        for action in considered(diagnosis, policies)
    ]
    known: set[tuple[str, ...]] = set()
    best = 0.0
    for part in ([c for c in cases if c.action.id != "roll_back"], [c for c in cases if c.action.id == "roll_back"]):
        if best >= SURE:
            return
        found: list[tuple[RemedyContext, Fix]] = []
        for case in part:
            try:
                found += [(case, fix) for fix in fixes(case)]
            except Unprovable as refusal:
                yield _refused(case, refusal)
        for case, fix in sorted(found, key=lambda pair: -pair[1].score):
            if fix.score <= 0 or len(known) >= MAX_PROPOSALS:
                continue
            tried = _try(case, fix)
            if tried.proposal:
                known.add(edits_of(tried.proposal))
                best = max(best, tried.proposal.score)
            yield tried


def attempts(
    diagnosis: Diagnosis, repository: Repository, policies: Policies, targets: TargetMatches
) -> Iterator[AttemptedFix]:
    """Every fix of every considered action, in the policy's order; one without a value is passed over."""
    for action in considered(diagnosis, policies):
        case = RemedyContext(diagnosis, repository, policies, action, targets.matches)
        try:
            yield from (_try(case, fix) for fix in fixes(case) if fix.score > 0)
        except Unprovable as refusal:
            yield _refused(case, refusal)


def _try(case: RemedyContext, fix: Fix) -> AttemptedFix:
    """Proved, or refused with its reason."""
    try:
        return AttemptedFix(action=case.action.id, title=fix.title, score=fix.score, proposal=prove(case, fix))
    except Unprovable as refusal:
        return AttemptedFix(action=case.action.id, title=fix.title, score=fix.score, refusal=str(refusal))


def _refused(case: RemedyContext, refusal: Unprovable) -> AttemptedFix:
    """An action whose remedy knows why there is nothing for it to do."""
    return AttemptedFix(action=case.action.id, title=case.action.title, score=0.0, refusal=str(refusal))


def edits_of(proposal: Proposal) -> tuple[str, ...]:
    """The same for two proposals that come to the same change."""
    return tuple(sorted(f"{e.op}{e.file}{e.document}{e.path}{e.inside}{e.value!r}" for e in proposal.edits))


def considered(diagnosis: Diagnosis, policies: Policies) -> Iterator[Action]:
    """Actions of the categories in the evidence, the leading one's first, that end a signal which is there."""
    signals = {one.signal for one in diagnosis.evidence}
    present = list(dict.fromkeys((diagnosis.category, *(one.category for one in diagnosis.evidence))))
    names = dict.fromkeys(name for category in present for name in policies.catalogue.by_id[category].actions)
    for name in names:
        action = policies.actions[name]
        ends = {end for end in action.ends if ":" not in end}
        categories = {end.partition(":")[2] for end in action.ends if ":" in end}
        if action.enabled and name in REMEDIES and (ends & signals or diagnosis.category in categories):
            yield action


def fixes(case: RemedyContext) -> Iterator[Fix]:
    """What the remedy of this action proposes, each fix preceded by the older values that would do."""
    for fix in REMEDIES[case.action.id](case):
        yield from earlier_values(case, fix)
        yield fix


def _ranked(proposals: list[Proposal]) -> tuple[Proposal, ...]:
    """Best first, equal edits once; ids made unique."""
    by_edits: dict[tuple[str, ...], Proposal] = {}
    for proposal in sorted(proposals, key=lambda one: -one.score):
        by_edits.setdefault(edits_of(proposal), proposal)
    seen: dict[str, int] = {}
    ranked = []
    for proposal in list(by_edits.values())[:MAX_PROPOSALS]:
        seen[proposal.action] = seen.get(proposal.action, 0) + 1
        count = seen[proposal.action]
        ranked.append(proposal if count == 1 else proposal.model_copy(update={"id": f"{proposal.action}#{count}"}))
    return tuple(ranked)


def _applications(targets: TargetMatches, ranked: tuple[Proposal, ...]) -> tuple[str, ...]:
    """Those of the culprit; where the fault lies in another one (a policy, a shared base), that one."""
    lines = [line.partition(": ") for line in ranked[0].rendered] if ranked else []
    named = [rest.removeprefix("Application/").split()[0] for _, _, rest in lines if rest.startswith("Application/")]
    changed = {name for name, _, _ in lines} | set(named)
    if not changed or changed & set(targets.applications):
        return targets.applications
    return tuple(dict.fromkeys(named or [name for name, _, _ in lines]))


def _root_cause(diagnosis: Diagnosis, ranked: tuple[Proposal, ...]) -> str:
    """The summary with its citations, and what the history adds."""
    lead = ", ".join(one.id for one in diagnosis.evidence[:4])
    text = f"{diagnosis.summary} ({lead})" if lead else diagnosis.summary
    if ranked and ranked[0].history:
        text += f". {ranked[0].history[0]}"
    return text


def _why_not(diagnosis: Diagnosis, category: Category, targets: TargetMatches, refusals: list[str]) -> str:
    """The reason a person can act on: what was tried, else what the category says to look at."""
    advice = _advice(diagnosis, category)
    if targets.doubt:
        return f"{targets.doubt}. Nothing was changed."
    if refusals:
        return f"{refusals[0]}. {advice}".strip()
    if not targets.applications:
        name = diagnosis.subject.name or diagnosis.subject.pod or diagnosis.subject.application
        if name:
            return f"{name} is not managed by this repository. {advice}".strip()
    subject = diagnosis.subject
    if subject.kind in ("Service", "Host") and all(match.manifest.name != subject.name for match in targets.matches):
        return f"{subject.name} is defined nowhere in this repository. {advice}".strip()
    return advice or "No allowed action fits the evidence."


def _advice(diagnosis: Diagnosis, category: Category) -> str:
    """What the leading signal says to look at, else what its category says."""
    lead = diagnosis.evidence[0].signal if diagnosis.evidence else ""
    return next((one.abstain for one in category.signals if one.id == lead and one.abstain), category.abstain)
