"""Decide between hypotheses: the best that can be proved is proposed, near ones are options, or none is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from remediator.domain.change import Proposal
from remediator.domain.incident import Diagnosis
from remediator.domain.lifecycle import RemediationPlan
from remediator.gitops import Repository
from remediator.judgement.contradictions import ended_contradiction
from remediator.judgement.generators.registry import STAGES
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.observed import with_observed
from remediator.judgement.reproduction import rendered_here
from remediator.judgement.revisions import absent_revision
from remediator.judgement.siblings import with_siblings
from remediator.judgement.testimony import objection
from remediator.judgement.weighing import UNKNOWN, Weighed, weigh
from remediator.policy import Policies
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.candidates import MAX_PROPOSALS, SURE, affected, edits_of, root_cause, why_not
from remediator.remedies.engine.prove import prove
from remediator.remedies.engine.refusals import live_object_in_the_way
from remediator.remedies.engine.targets import targets_of
from remediator.remedies.engine.unprovable import UnconfirmedWord, Unprovable

PROPOSABLE = 0.6
"""Below this probability a hypothesis is named to the person, never proposed. Remedies' own ratings are exempt."""

UNPROVED = 0.88
"""A place that no rendering proves is never surer than this, so that a proved one goes first."""

CONTRADICTED = "contradiction"
"""Stands for the relation of a fix whose log's word is confirmed by a contradiction that the change ends."""

UNDONE_HARDENING = 0.7
"""A fix that lowers a protection is rated no higher, so that one that keeps it goes first."""


@dataclass(frozen=True)
class Tried:
    """A weighed hypothesis, and the proposal that it amounts to or the reason why it is none."""

    weighed: Weighed
    proposal: Proposal | None = None
    refusal: str = ""
    weak: bool = False
    """The hypothesis is too unlikely to be proved; `explain` shows it, the reason for people does not."""


def decide(diagnosis: Diagnosis, repository: Repository, policies: Policies) -> RemediationPlan:
    """Return ranked, proved proposals for an incident, or the reason why there are none."""
    inquiry = Inquiry(diagnosis, repository, policies, with_observed(targets_of(diagnosis, repository), diagnosis))
    if diagnosis.severity == "info":
        return RemediationPlan(
            applications=inquiry.targets.applications, root_cause=diagnosis.summary, reason=diagnosis.summary
        )
    attempts = list(try_all(inquiry))
    ranked = _ranked(item.proposal for item in attempts if item.proposal)
    refusals = [item.refusal for item in attempts if item.refusal and not item.weak]
    if not ranked and (reason := live_object_in_the_way(inquiry.context("roll_back"))):
        refusals[:0] = [reason]
    if ranked and ranked[0].on_request:
        refusals[:0] = [_only_on_request(ranked[0])]
        ranked = ()
    return RemediationPlan(
        applications=affected(inquiry.targets, ranked) or _readers_of_change(repository, ranked),
        root_cause=root_cause(diagnosis, ranked),
        proposals=ranked,
        reason="" if ranked else why_not(diagnosis, policies, inquiry.targets, refusals),
        category=_category(diagnosis, policies, attempts, ranked),
    )


def _category(diagnosis: Diagnosis, policies: Policies, attempts: list[Tried], ranked: tuple[Proposal, ...]) -> str:
    """Return the kind of a fault that no signal knows: what the proposed change's cause leads to, else what it reads like."""
    if diagnosis.category != UNKNOWN:
        return ""
    first = edits_of(ranked[0]) if ranked else ()
    causes = (item.weighed.hypothesis for item in attempts if item.proposal and edits_of(item.proposal) == first)
    predicted = next((cause.predicts for cause in causes if cause.predicts), ())
    known = [name for name in predicted if name in policies.catalogue.by_id and name != UNKNOWN]
    return diagnosis.resembles if diagnosis.resembles in known or not known else known[0]


def _readers_of_change(repository: Repository, ranked: tuple[Proposal, ...]) -> tuple[str, ...]:
    """Return the Applications that the first proposal changes or that read what it changes, where rendering shows none."""
    files = dict.fromkeys(edit.file for edit in ranked[0].edits) if ranked else ()
    names = [app.name for app in repository.applications if app.file in files]
    names = names or [app.name for file in files for app in repository.feeds.readers(file)]
    return tuple(dict.fromkeys(names))


def try_all(inquiry: Inquiry) -> Iterator[Tried]:
    """Yield hypotheses by falling probability, stage by stage, each proved or refused.

    Each proof renders, so what would not be shown is not proved, and a later stage is asked only while nothing is sure.
    """
    proposed_edits: set[tuple[str, ...]] = set()
    best = 0.0
    for stage in STAGES:
        if best >= SURE:
            return
        weighed = [weigh(hypothesis, inquiry) for generator in stage for hypothesis in generator(inquiry)]
        for item in sorted(weighed, key=lambda item: -item.probability):
            if item.hypothesis.fix is None:
                yield Tried(item, refusal=item.hypothesis.cause)
                continue
            if len(proposed_edits) >= MAX_PROPOSALS:
                continue
            attempts = _try(inquiry, item)
            if attempts.proposal and not attempts.proposal.on_request:
                proposed_edits.add(edits_of(attempts.proposal))
                best = max(best, attempts.proposal.score)
            yield attempts


def _try(inquiry: Inquiry, item: Weighed) -> Tried:
    hypothesis = item.hypothesis
    if "remedy_score" not in hypothesis.features and item.probability < PROPOSABLE:
        return Tried(item, refusal=f"{hypothesis.cause} (not sure enough to propose)", weak=True)
    if hypothesis.fix is None:
        return Tried(item, refusal=hypothesis.cause)
    try:
        proposal = _proved(inquiry, hypothesis, item.probability)
        reason = objection(inquiry, hypothesis, proposal)
    except UnconfirmedWord as refusal:
        reason = str(refusal)
        confirmed = replace(hypothesis, fix=replace(hypothesis.fix, relation=CONTRADICTED))
        try:
            proposal = _proved(inquiry, confirmed, item.probability)
        except Unprovable:
            return Tried(item, refusal=reason)
    except Unprovable as refusal:
        return Tried(item, refusal=str(refusal))
    if reason and not _ends_contradiction(inquiry, proposal):
        return Tried(item, refusal=reason)
    if reason := absent_revision(inquiry, proposal) or _renders_already(inquiry, hypothesis):
        return Tried(item, refusal=reason)
    return Tried(item, proposal=proposal)


def _renders_already(inquiry: Inquiry, hypothesis: Hypothesis) -> str:
    """Return why no change is taken back for a failure of rendering that this checkout does not have; empty where it has it."""
    if not hypothesis.fix or not (hypothesis.fix.rollback or hypothesis.action == "roll_back"):
        return ""
    application = rendered_here(inquiry.diagnosis, inquiry.repository, inquiry.applications)
    if application is None:
        return ""
    return (
        f"{hypothesis.fix.title}: {application.name} renders here, so this checkout no longer has the reported failure"
    )


def _ends_contradiction(inquiry: Inquiry, proposal: Proposal) -> bool:
    """Return True where the repository contradicts itself without the change: that confirms what a log alone says."""
    after = inquiry.repository.with_changes(changes(proposal.edits, inquiry.repository.read))
    return ended_contradiction(inquiry, after, inquiry.repository.difference(after)) is not None


def _proved(inquiry: Inquiry, hypothesis: Hypothesis, probability: float) -> Proposal:
    if hypothesis.fix is None:
        raise Unprovable(hypothesis.cause)
    context = inquiry.context(hypothesis.action)
    try:
        proposal = prove(context, with_siblings(hypothesis.fix))
    except Unprovable:
        proposal = prove(context, hypothesis.fix)  # a sibling that cannot be located is no reason to leave the fault
    proved = any(place.proof != "unproved" for place in proposal.places)
    score = probability if proved else min(probability, UNPROVED)
    if proposal.weakens and proposal.risk == "high":
        score = min(score, UNDONE_HARDENING)
    return proposal.model_copy(update={"score": round(score, 3)})


def _only_on_request(proposal: Proposal) -> str:
    """Return the reason why nothing is proposed where all that would help lowers a protection."""
    return f"{proposal.title} would end it, but {proposal.weakens[0]}; a person must decide that"


def _ranked(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Return the best first and what a person must ask for last, equal edits once, with ids made unique."""
    by_edits: dict[tuple[str, ...], Proposal] = {}
    for proposal in sorted(proposals, key=lambda proposal: (proposal.on_request, -proposal.score)):
        by_edits.setdefault(edits_of(proposal), proposal)
    counts: dict[str, int] = {}
    ranked = []
    for proposal in list(by_edits.values())[:MAX_PROPOSALS]:
        counts[proposal.action] = counts.get(proposal.action, 0) + 1
        count = counts[proposal.action]
        ranked.append(proposal if count == 1 else proposal.model_copy(update={"id": f"{proposal.action}#{count}"}))
    return tuple(ranked)
