"""Which actions an incident calls for, what their remedies would do, and what to tell where none fits."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.change import Proposal
from remediator.domain.incident import Diagnosis
from remediator.policy import Action, Category, Policies
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.older_values import earlier_values
from remediator.remedies.engine.targets import TargetMatches
from remediator.remedies.registry import REMEDIES

MAX_PROPOSALS = 3
SURE = 0.9
"""With a proposal of at least this score, what commits did as a whole is not asked any more."""


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


def affected(targets: TargetMatches, ranked: tuple[Proposal, ...]) -> tuple[str, ...]:
    """Those of the culprit; where the fault lies in another one (a policy, a shared base), that one."""
    lines = [line.partition(": ") for line in ranked[0].rendered] if ranked else []
    named = [rest.removeprefix("Application/").split()[0] for _, _, rest in lines if rest.startswith("Application/")]
    changed = {name for name, _, _ in lines} | set(named)
    if not changed or changed & set(targets.applications):
        return targets.applications
    return tuple(dict.fromkeys(named or [name for name, _, _ in lines]))


def root_cause(diagnosis: Diagnosis, ranked: tuple[Proposal, ...]) -> str:
    """The summary with its citations, and what the history adds."""
    lead = ", ".join(one.id for one in diagnosis.evidence[:4])
    text = f"{diagnosis.summary} ({lead})" if lead else diagnosis.summary
    if ranked and ranked[0].history:
        text += f". {ranked[0].history[0]}"
    return text


def why_not(diagnosis: Diagnosis, policies: Policies, targets: TargetMatches, refusals: list[str]) -> str:
    """The reason a person can act on: what was tried, else what the category says to look at."""
    advice = _advice(diagnosis, policies.catalogue.by_id[diagnosis.category])
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
