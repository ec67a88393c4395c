"""`approve`, `reject`, `feedback`, `verify`: answer a pull request from the terminal."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from remediator.commands import explain, faults
from remediator.commands.catch_up import catch_up
from remediator.commands.shared import add_repo, command, exit_code, find, in_words, open_services, report_of
from remediator.domain.review_commands import ReviewCommand, missing_argument, parse_command
from remediator.errors import ConfigError, RemediatorError

if TYPE_CHECKING:
    from remediator.domain.change import PullRequest
    from remediator.domain.lifecycle import Record, Review
    from remediator.graph.driver import DriverResult
    from remediator.wiring import Services

_COMMAND = re.compile(r"/remediator(?:\s+|$)", re.IGNORECASE)

HELP = """\
remediator feedback ID …
  use N             propose option N instead, on the same branch
  set PATH=VALUE    propose another value at a place of this change, inside the policy's bounds
  retry             build the same option anew on the base as it is now
  explain           say why this option, with its evidence
  verify            after the merge: look again whether the incident is over
  confirm           after the merge: say that it is over
  revert            after the merge: propose to take the change back
  ignore DURATION   decline, and stay quiet for so long (12h, 7d)
  close REASON      decline; the reason is remembered
Other words are kept for the history.
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = subparsers.add_parser("approve", help="merge an incident's branch locally and verify")
    parser.add_argument("--push", nargs="?", const="origin", default="", metavar="REMOTE", help="push the merged base")
    _finish(parser, approve)
    parser = subparsers.add_parser(
        "reject", help="decline a change, or end what needs a person; the reason is remembered"
    )
    parser.add_argument("--reason", required=True, help="why, for the history")
    _finish(parser, reject)
    parser = subparsers.add_parser(
        "feedback", help="what a comment on the pull request can ask (`use 2`, `revert`, `help`)"
    )
    _finish(parser, feedback)
    parser.add_argument("words", nargs="+", help="`help` lists them; other words are for the history")
    parser = subparsers.add_parser("verify", help="look once more whether an incident is over")
    _finish(parser, verify)


def _finish(parser: argparse.ArgumentParser, handler: object) -> None:
    parser.add_argument("id", metavar="ID", help="incident id, or the start of it")
    add_repo(parser)
    parser.set_defaults(handler=handler)


def approve(args: argparse.Namespace) -> int:
    """Merge, then resume the graph with the merge."""
    services = open_services(args, push=args.push)
    record, pull = _awaiting(services, args.id, "approve")
    merged = services.forge.merge(pull)
    return _tell(services, _resume(services, record, "merged", commit=merged.merge_commit))


def reject(args: argparse.Namespace) -> int:
    """Close, then resume the graph with the reason."""
    if not args.reason.strip():
        raise ConfigError("give a reason: it is what the history, and whoever meets this next, is told")
    services = open_services(args)
    if (waiting := find(services, args.id)).status == "needs_person":
        review = _review(services, "closed", words=args.reason.strip())
        return _tell(services, services.driver.end(waiting.incident_id, review))
    record, pull = _awaiting(services, args.id, "reject")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: revert the merge instead")
    services.forge.close(pull)
    return _tell(services, _resume(services, record, "closed", words=args.reason))


def feedback(args: argparse.Namespace) -> int:
    """Do what the words ask for, as a comment on a pull request would; other words are a reviewer's."""
    words = _COMMAND.sub("", " ".join(args.words).strip(), count=1)
    if not words:
        raise ConfigError("say what you want: `use N`, `retry`, `confirm`, or words for the history; `help` lists them")
    ask = parse_command("confirm" if words.lower() == "confirmed" else words)
    if needs := missing_argument(words):
        raise ConfigError(needs)
    match ask:
        case ReviewCommand(verb="help"):
            print(HELP, end="")
            return 0
        case ReviewCommand(verb="explain"):
            return explain.run(argparse.Namespace(**{**vars(args), "log": None}))
        case ReviewCommand(verb="verify"):
            return verify(args)
        case ReviewCommand(verb="confirm"):
            return _confirm(args, words)
        case ReviewCommand(verb="revert"):
            return _take_back(args)
        case ReviewCommand(verb="close" | "ignore"):
            return _decline(args, ask)
    services = open_services(args)
    record, pull = _awaiting(services, args.id, "give feedback on")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: it can no longer change")
    _refuse_unknown_option(services, record.incident_id, words)
    _refuse_value(services, record.incident_id, words)
    result = _resume(services, record, "changes_requested", words=words)
    code = _tell(services, result)
    refused = (
        ask is not None and result.state["workflow_status"] == "awaiting_review" and result.state["incident"].reason
    )
    return code or (ConfigError.exit_code if refused else 0)


def _confirm(args: argparse.Namespace, words: str) -> int:
    services = open_services(args)
    record = find(services, args.id)
    if record.status != "verifying":
        raise ConfigError(f"{record.incident_id} is not being verified ({in_words(record.status)}): nothing to confirm")
    return _tell(services, _resume(services, record, "confirmed", words=words))


def _take_back(args: argparse.Namespace) -> int:
    services = open_services(args)
    record = find(services, args.id)
    if record.status == "awaiting_review":
        raise ConfigError(
            f"{record.incident_id} is not merged: decline it with"
            f" `{command(services, f'reject {record.incident_id} --reason …')}`"
        )
    return _tell(
        services, services.driver.revert(record.incident_id, _review(services, "revert", words="revert")), "proposed"
    )


def _decline(args: argparse.Namespace, ask: ReviewCommand) -> int:
    """Close, with a reason or for a time."""
    if ask.verb == "close":
        return reject(argparse.Namespace(**{**vars(args), "reason": ask.argument}))
    from remediator.domain.times import duration, stamp
    from remediator.wiring import now

    services = open_services(args)
    record, pull = _awaiting(services, args.id, "ignore")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: revert the merge instead")
    services.forge.close(pull)
    review = _review(services, "closed", words=f"ignored for {ask.argument}")
    until = stamp(now() + duration(ask.argument))
    return _tell(services, services.driver.resume(record.incident_id, review.model_copy(update={"until": until})))


def _refuse_unknown_option(services: Services, name: str, words: str) -> None:
    """ConfigError for the number of an option that is not there, before it counts as a round of the review."""
    from remediator.graph.nodes.generate_action import USE

    option = USE.fullmatch(words)
    options = len(services.driver.state(name)["proposals"])
    if option is None or 1 <= int(option[1]) <= options:
        return
    if options == 1:
        decline = command(services, f"reject {name} --reason …")
        raise ConfigError(f"this incident has only one option; decline it with `{decline}`")
    raise ConfigError(f"there is no option {option[1]}, only 1 to {options}; see `{command(services, f'show {name}')}`")


def _refuse_value(services: Services, name: str, words: str) -> None:
    """ConfigError for a value that must not be set, or a place that this change does not have."""
    from remediator.graph.nodes.generate_action import SET
    from remediator.graph.state import chosen

    setting, proposal = SET.fullmatch(words), chosen(services.driver.state(name))
    if setting is None or proposal is None:
        return
    try:
        services.planner.with_value(proposal, setting["path"], setting["value"].strip())
    except RemediatorError as error:
        raise ConfigError(str(error)) from error


def verify(args: argparse.Namespace) -> int:
    """Take note of what git alone did, then look again."""
    services = open_services(args)
    record = find(services, args.id)
    if record.status == "verifying":
        return _tell(services, _resume(services, record, "verify"))
    result = catch_up(services, services.driver, record)
    if result is None:
        raise ConfigError(f"{record.incident_id} is not merged ({in_words(record.status)}): nothing to verify")
    return _tell(services, _watched(services, result))


def _awaiting(services: Services, prefix: str, verb: str) -> tuple[Record, PullRequest]:
    """The incident that awaits review and its pull request as it is now, open or merged with git alone."""
    record = find(services, prefix)
    if record.status != "awaiting_review":
        state = {"verifying": "it is merged", "rejected": "it was rejected", "needs_person": "it needs a person"}.get(
            record.status, f"it is {in_words(record.status)}"
        )
        see = command(services, f"status {record.incident_id}")
        raise ConfigError(f"cannot {verb} {record.incident_id}: {state}; see `{see}`")
    pull = services.driver.state(record.incident_id)["pull_request"]
    if pull is None:
        raise ConfigError(f"{record.incident_id} has no pull request")
    current = services.forge.look(pull)
    if current.state == "closed":
        verify_it = command(services, f"verify {record.incident_id}")
        raise ConfigError(f"the branch {pull.branch} is gone; `{verify_it}` records it as declined")
    return record, current


def _resume(services: Services, record: Record, kind: str, *, words: str = "", commit: str = "") -> DriverResult:
    return _watched(
        services, services.driver.resume(record.incident_id, _review(services, kind, words=words, commit=commit))
    )


def _watched(services: Services, result: DriverResult) -> DriverResult:
    """The result after as many looks as the policy has patience for; an error ends them."""
    from remediator.graph.polling import unsettled

    def look() -> DriverResult:
        return services.driver.resume(result.state["incident_id"], _review(services, "verify"))

    return services.patience.watch(result, lambda result: result.error is None and unsettled(result.state), look)


def _review(services: Services, kind: str, *, words: str = "", commit: str = "") -> Review:
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.wiring import now

    facts = {
        "kind": kind,
        "by": services.settings.user,
        "words": services.redact(words),
        "commit": commit,
        "at": stamp(now()),
    }
    return Review.model_validate(facts)


def _tell(services: Services, result: DriverResult, done_verb: str = "revised") -> int:
    from remediator.graph.nodes.verify_recovery import NOTHING_CONFIGURED
    from remediator.report import local_pull_request

    state = result.state
    name, incident, pull = state["incident_id"], state["incident"], state["pull_request"]
    if result.error:
        faults.tell(result.error)
        return exit_code([result])
    match state["workflow_status"]:
        case "awaiting_review" if incident.reason:
            print(f"{name}: nothing was changed: {incident.reason}")
        case "awaiting_review":
            print(local_pull_request(report_of(services, state)), end="")
            print(
                f"\n{name}: {pull.branch if pull else ''} {done_verb}; approve: {command(services, f'approve {name}')}"
            )
        case "verifying":
            target = f" into {pull.base} as {pull.merge_commit[:9]}" if pull else ""
            print(f"{name}: merged{target}\nverification {state['verification_status']}: {state['recovery_result']}")
            if state["recovery_result"] == NOTHING_CONFIGURED:
                print(f"when it has recovered: {command(services, f'feedback {name} confirm')}")
        case "rejected":
            print(f"{name}: rejected, remembered: {incident.reason}")
        case status:
            print(f"{name}: {in_words(status)}. {incident.reason or state['recovery_result']}")
    return exit_code([result])
