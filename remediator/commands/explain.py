"""`remediator explain`: the reasons for the diagnosis of an incident, and the result of every action considered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, find, open_services, tell_notes
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
    """Print the reasons; nothing is changed."""
    if bool(args.id) == bool(args.log):
        raise ConfigError("give either an incident id or --log FILE")
    services = open_services(args, dry_run=True)
    if args.id:
        state = services.driver.state(find(services, args.id).incident_id)
        diagnoses, second = [stored] if (stored := state["diagnosis"]) else [], state.get("second")
    else:
        second = None
        diagnoses = [case.diagnosis for case in services.logs.cases()]
        tell_notes(services)
    repository = services.planner.repository
    for diagnosis in diagnoses:
        print("\n".join(_lines(diagnosis, repository, services.policies)))
    if second and second.note:
        print("\n".join(_model_lines(second)))
    return 0


def _model_lines(second: SecondReading) -> Iterator[str]:
    """Yield the answer of the model, which is advice only."""
    from remediator.report.markdown import one_line

    origin = ", from an earlier occurrence" if second.recalled else ""
    yield f"  model    {one_line(second.model)} (prompt {second.prompt or 'unknown'}{origin}); the rules' answer above stands"
    for line in second.note.splitlines()[:20]:
        yield f"           {one_line(line)[:300]}"


def _lines(diagnosis: Diagnosis, repository: Repository, policies: Policies) -> Iterator[str]:
    from remediator.remedies.engine.targets import targets_of

    yield f"{diagnosis.category} · {diagnosis.severity} — {diagnosis.summary}"
    yield f"  about    {_describe(diagnosis.subject)}"
    for victim in diagnosis.victims[:5]:
        yield f"  victim   {_describe(victim)}"
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
    for item in diagnosis.evidence:
        if item.signal not in owners:
            continue
        category, signal = owners[item.signal]
        first = item.text.splitlines()[0][:110] if item.text else item.reason
        weight = f"{signal.role}, {category.id} {category.priority}, weight {signal.weight:g}"
        yield f"  {item.id:<8} {item.signal} ({weight}) {item.source}:{item.line} {first}"


def _hypotheses(inquiry: Inquiry) -> Iterator[str]:
    """Yield every hypothesis with its probability, the rows that made it, and its result."""
    from remediator.judgement.decide import decide, try_all
    from remediator.remedies.engine.candidates import edits_of, possible_actions

    plan = decide(inquiry.diagnosis, inquiry.repository, inquiry.policies)
    options = {edits_of(proposal): (number, proposal) for number, proposal in enumerate(plan.proposals, 1)}
    for action in _disabled(inquiry.diagnosis, inquiry.policies):
        yield f"  action   {action}: disabled by policy"
    attempts = list(try_all(inquiry))
    for item in attempts:
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
    for name in sorted(silent - {item.weighed.hypothesis.rule for item in attempts}):
        yield f"  action   {name}: has nothing to propose here"


def _disabled(diagnosis: Diagnosis, policies: Policies) -> list[str]:
    from remediator.remedies.engine.candidates import possible_actions

    considered_ids = [action.id for action in possible_actions(diagnosis, _all_enabled(policies))]
    return [name for name in considered_ids if not policies.actions[name].enabled]


def _rank(proposal: Proposal, option: tuple[int, Proposal] | None) -> str:
    """Return the number of the option that this proposal became."""
    if option is None:
        return "; not among the options"
    number, listed = option
    duplicate = (
        ""
        if (listed.action, listed.title) == (proposal.action, proposal.title)
        else f", the same edit as {listed.action}"
    )
    return f"; {'proposed' if number == 1 else f'option {number}'}{duplicate}"


def _all_enabled(policies: Policies) -> Policies:
    """Return the policies with every action enabled, to find the actions that only the policy disables."""
    actions = {name: action.model_copy(update={"enabled": True}) for name, action in policies.actions.items()}
    return policies.model_copy(update={"actions": actions})


def _proof(proposal: Proposal) -> str:
    """Return the proof of its places; of several places, the weakest proof."""
    from remediator.report.wording import PROOFS

    ways = [place.proof for place in proposal.places]
    return next((words for way, words in reversed(PROOFS.items()) if way in ways), "checked against the guardrails")


def _describe(subject: Subject) -> str:
    parts = (
        ("application", subject.application),
        ("namespace", subject.namespace),
        ("container", subject.container),
        ("node", subject.node),
    )
    label = f"{subject.kind}/{subject.name}" if subject.name else subject.pod or "no single object"
    return label + "".join(f", {name} {value}" for name, value in parts if value)
