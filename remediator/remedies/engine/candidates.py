"""Choose the actions that an incident calls for, collect the fixes of their remedies, and explain where none fits.

The policy says which signals an action ends and which actions a category allows, so that a new action or a new
category needs no change here.
"""

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
"""A proposal with at least this score makes it needless to look for whole commits to undo."""


def edits_of(proposal: Proposal) -> tuple[str, ...]:
    """Return a key that is equal for two proposals that make the same change."""
    return tuple(sorted(f"{e.op}{e.file}{e.document}{e.path}{e.inside}{e.value!r}" for e in proposal.edits))


def possible_actions(diagnosis: Diagnosis, policies: Policies) -> Iterator[Action]:
    """Yield the allowed actions that end a signal of the evidence, those of the leading category first."""
    signals = {evidence.signal for evidence in diagnosis.evidence}
    category_ids = list(dict.fromkeys((diagnosis.category, *(evidence.category for evidence in diagnosis.evidence))))
    names = dict.fromkeys(name for category in category_ids for name in policies.catalogue.by_id[category].actions)
    for name in names:
        action = policies.actions[name]
        ends = {end for end in action.ends if ":" not in end}
        categories = {end.partition(":")[2] for end in action.ends if ":" in end}
        if action.enabled and name in REMEDIES and (ends & signals or diagnosis.category in categories):
            yield action


def fixes(case: RemedyContext) -> Iterator[Fix]:
    """Yield the fixes of the action's remedy, each preceded by the older values that it accepts."""
    for fix in REMEDIES[case.action.id](case):
        yield from earlier_values(case, fix)
        yield fix


def affected(targets: TargetMatches, ranked: tuple[Proposal, ...]) -> tuple[str, ...]:
    """Return the culprit's Applications; where the fix is in another one (a policy, a shared base), that one."""
    lines = [line.partition(": ") for line in ranked[0].rendered] if ranked else []
    applications = [
        description.removeprefix("Application/").split()[0]
        for _, _, description in lines
        if description.startswith("Application/")
    ]
    changed = {name for name, _, _ in lines} | set(applications)
    if not changed or changed & set(targets.applications):
        return targets.applications
    return tuple(dict.fromkeys(applications or [name for name, _, _ in lines]))


def root_cause(diagnosis: Diagnosis, ranked: tuple[Proposal, ...]) -> str:
    """Return the summary with its citations, and the change in the history that explains it."""
    lead = ", ".join(evidence.id for evidence in diagnosis.evidence[:4])
    text = f"{diagnosis.summary} ({lead})" if lead else diagnosis.summary
    if ranked and ranked[0].history:
        text += f". {ranked[0].history[0]}"
    return f"{text}. Its log says: {diagnosis.last_words}" if diagnosis.last_words else text


def why_not(diagnosis: Diagnosis, policies: Policies, targets: TargetMatches, refusals: list[str]) -> str:
    """Return a reason that a person can act on: why the best fix was refused, else what to look at."""
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
    """Return what the leading signal says to look at, else what its category says."""
    lead = diagnosis.evidence[0].signal if diagnosis.evidence else ""
    if not lead and category.id == "unknown" and diagnosis.evidence:
        return f"No rule explains what {diagnosis.summary}"
    if diagnosis.last_words:
        return f"Its own log says: {diagnosis.last_words}. Nothing in the manifests was found to cause it."
    return next(
        (signal.abstain for signal in category.signals if signal.id == lead and signal.abstain), category.abstain
    )
