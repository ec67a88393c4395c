"""`remediator explain`: why an incident is what it is said to be, and what became of every action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, find, services, tell_notes
from remediator.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from remediator.domain.change import Proposal
    from remediator.domain.incident import Diagnosis, Subject
    from remediator.domain.lifecycle import SecondReading
    from remediator.gitops import Repository
    from remediator.judgement.inquiry import Inquiry
    from remediator.policy import Policies


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("explain", help="why: signals, objects, every action considered and its outcome")
    parser.add_argument("id", nargs="?", metavar="ID", help="incident id, or the start of it")
    parser.add_argument("--log", action="append", metavar="FILE", help="instead of an id: logs, `-` for standard input")
    add_repo(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the reasoning; nothing is changed."""
    if bool(args.id) == bool(args.log):
        raise ConfigError("give either an incident id or --log FILE")
    found = services(args, dry_run=True)
    if args.id:
        state = found.driver.state(find(found, args.id).incident_id)
        diagnoses, second = [known] if (known := state["diagnosis"]) else [], state.get("second")
    else:
        second = None
        diagnoses = [case.diagnosis for case in found.logs.cases()]
        tell_notes(found)
    repository = found.workshop.repository
    for diagnosis in diagnoses:
        print("\n".join(_lines(diagnosis, repository, found.policies)))
    if second and second.note:
        print("\n".join(_said(second)))
    return 0


def _said(second: SecondReading) -> Iterator[str]:
    """What a model said of it, as words that bind nobody."""
    from remediator.report.markdown import one_line

    again = ", answered when it was here before" if second.recalled else ""
    yield f"  model    {one_line(second.model)} (prompt {second.prompt or 'unknown'}{again}); the rules' answer above stands"
    for line in second.note.splitlines()[:20]:
        yield f"           {one_line(line)[:300]}"


def _lines(diagnosis: Diagnosis, repository: Repository, policies: Policies) -> Iterator[str]:
    from remediator.remedies.engine.targets import targets_of

    yield f"{diagnosis.category} · {diagnosis.severity} — {diagnosis.summary}"
    yield f"  about    {_named(diagnosis.subject)}"
    for victim in diagnosis.victims[:5]:
        yield f"  victim   {_named(victim)}"
    yield from _signals(diagnosis, policies)
    from remediator.judgement.inquiry import Inquiry
    from remediator.judgement.observed import with_observed

    targets = with_observed(targets_of(diagnosis, repository), diagnosis)
    for match in targets.matches:
        manifest = match.manifest
        yield f"  object   {manifest.kind}/{manifest.name} of {match.application.name} ({match.why}; {match.score:.2f}) in {manifest.file}"
    if targets.doubt:
        yield f"  doubt    {targets.doubt}"
    if not targets.matches and not targets.doubt:
        yield "  object   none in this repository"
    yield from _hypotheses(Inquiry(diagnosis, repository, policies, targets))


def _signals(diagnosis: Diagnosis, policies: Policies) -> Iterator[str]:
    owners = policies.catalogue.signal_owner
    for one in diagnosis.evidence:
        if one.signal not in owners:
            continue
        category, signal = owners[one.signal]
        first = one.text.splitlines()[0][:110] if one.text else one.reason
        weight = f"{signal.role}, {category.id} {category.priority}, weight {signal.weight:g}"
        yield f"  {one.id:<8} {one.signal} ({weight}) {one.source}:{one.line} {first}"


def _hypotheses(inquiry: Inquiry) -> Iterator[str]:
    """Every hypothesis with its probability, the rows that made it, and what became of it."""
    from remediator.judgement.decide import decide, try_all
    from remediator.remedies.engine.candidates import edits_of, possible_actions

    plan = decide(inquiry.diagnosis, inquiry.repository, inquiry.policies)
    options = {edits_of(proposal): (number, proposal) for number, proposal in enumerate(plan.proposals, 1)}
    for action in _disabled(inquiry.diagnosis, inquiry.policies):
        yield f"  action   {action}: disabled by policy"
    tried = list(try_all(inquiry))
    for item in tried:
        hypothesis = item.weighed.hypothesis
        outcome = item.refusal
        if item.proposal:
            outcome = _proof(item.proposal) + _rank(item.proposal, options.get(edits_of(item.proposal)))
        title = hypothesis.fix.title if hypothesis.fix else "nothing to propose"
        label = "action" if hypothesis.generator in ("remedies", "changes") else hypothesis.generator.rstrip("s")
        yield f"  {label:<8} {hypothesis.rule}: {title} ({item.weighed.probability:.2f}) — {outcome}"
        rows = [f"{name} {value:+.1f}" for name, value in item.weighed.rows if value]
        yield f"           {', '.join(rows) or 'no observation speaks for or against it'}"
    silent = {action.id for action in possible_actions(inquiry.diagnosis, inquiry.policies)}
    for name in sorted(silent - {item.weighed.hypothesis.rule for item in tried}):
        yield f"  action   {name}: has nothing to propose here"


def _disabled(diagnosis: Diagnosis, policies: Policies) -> list[str]:
    from remediator.remedies.engine.candidates import possible_actions

    considered_ids = [action.id for action in possible_actions(diagnosis, _all_enabled(policies))]
    return [name for name in considered_ids if not policies.actions[name].enabled]


def _rank(proposal: Proposal, option: tuple[int, Proposal] | None) -> str:
    """Which of the options it became that a reviewer is shown."""
    if option is None:
        return "; not among the options"
    number, shown = option
    same = (
        "" if (shown.action, shown.title) == (proposal.action, proposal.title) else f", the same edit as {shown.action}"
    )
    return f"; {'proposed' if number == 1 else f'option {number}'}{same}"


def _all_enabled(policies: Policies) -> Policies:
    """To see which actions only the policy keeps out."""
    actions = {name: action.model_copy(update={"enabled": True}) for name, action in policies.actions.items()}
    return policies.model_copy(update={"actions": actions})


def _proof(proposal: Proposal) -> str:
    """How its places are known; of several the weakest."""
    from remediator.report.wording import PROOFS

    ways = [place.proof for place in proposal.places]
    return next((words for way, words in reversed(PROOFS.items()) if way in ways), "checked against the guardrails")


def _named(subject: Subject) -> str:
    parts = (
        ("application", subject.application),
        ("namespace", subject.namespace),
        ("container", subject.container),
        ("node", subject.node),
    )
    what = f"{subject.kind}/{subject.name}" if subject.name else subject.pod or "nobody in particular"
    return what + "".join(f", {name} {value}" for name, value in parts if value)
