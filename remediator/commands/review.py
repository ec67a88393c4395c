"""`approve`, `reject`, `feedback`, `verify`: answer a pull request from the terminal.

The rules of each command are in `graph/review.py`, which the comments on a pull request use too. Here are only the parts
of a terminal: its arguments, a pull request that git alone has changed, and the printed answer.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from remediator.commands import explain, faults
from remediator.commands.catch_up import catch_up
from remediator.commands.shared import add_repo_command, command, exit_code, find, in_words, open_services, report_of
from remediator.domain.review_commands import EFFECTS, ReviewCommand, missing_argument, parse_command
from remediator.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from remediator.domain.change import PullRequest
    from remediator.domain.lifecycle import Record
    from remediator.graph.driver import DriverResult
    from remediator.graph.review import ReviewConversation, Reviewer
    from remediator.wiring import Services

_COMMAND = re.compile(r"/remediator(?:\s+|$)", re.IGNORECASE)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    parser = subparsers.add_parser("approve", help="merge an incident's branch locally and verify")
    parser.add_argument("--push", nargs="?", const="origin", default="", metavar="REMOTE", help="push the merged base")
    _finish(parser, approve)
    parser = subparsers.add_parser(
        "reject", help="decline a change, or close an incident that needs a person; the reason is recorded"
    )
    parser.add_argument("--reason", required=True, help="why, for the history")
    _finish(parser, reject)
    parser = subparsers.add_parser(
        "feedback", help="a command as in a comment on the pull request (`use 2`, `revert`, `help`)"
    )
    _finish(parser, feedback)
    parser.add_argument("words", nargs="+", help="`help` lists them; other words are only recorded in the history")
    parser = subparsers.add_parser("verify", help="check again whether an incident is over")
    _finish(parser, verify)


def _finish(parser: argparse.ArgumentParser, handler: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("id", metavar="ID", help="incident id, or the start of it")
    add_repo_command(parser, handler)


def approve(args: argparse.Namespace) -> int:
    """Merge the incident's pull request, then verify it."""
    services = open_services(args, push=args.push)
    record, pull = _awaiting(services, args.id, "approve")
    return _report(services, _conversation(services).merge(record.incident_id, _reviewer(services), pull))


def reject(args: argparse.Namespace) -> int:
    """Decline a change, or close an incident that needs a person."""
    return _carry_out(args, ReviewCommand(verb="close", argument=args.reason.strip()))


def feedback(args: argparse.Namespace) -> int:
    """Carry out a command as in a comment on a pull request; other words are recorded as a reviewer's."""
    words = _COMMAND.sub("", " ".join(args.words).strip(), count=1)
    if not words:
        raise ConfigError("no command: write `use N`, `retry`, `confirm` …; `help` lists all commands")
    if missing := missing_argument(words):
        raise ConfigError(missing)
    match parse_command("confirm" if words.lower() == "confirmed" else words):
        case ReviewCommand(verb="help"):
            print("\n".join([f"remediator feedback {args.id} …", *_help_lines()]))
            return 0
        case ReviewCommand(verb="explain"):
            return explain.run(argparse.Namespace(**{**vars(args), "log": None}))
        case ReviewCommand(verb="verify"):
            return verify(args)
        case ReviewCommand() as review_command:
            return _carry_out(args, review_command)
    services = open_services(args)
    record, pull = _awaiting(services, args.id, "give feedback on")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: it can no longer change")
    answer = _conversation(services).revise(record.incident_id, words, _reviewer(services))
    return _report(services, answer.result) if answer.result else 0


def verify(args: argparse.Namespace) -> int:
    """Record a merge or deletion that was made with git alone, or check a merged incident again."""
    services = open_services(args)
    record = find(services, args.id)
    if record.status == "verifying":
        return _carry_out(args, ReviewCommand(verb="verify"))
    result = catch_up(services, services.driver, record)
    if result is None:
        raise ConfigError(f"{record.incident_id} is not merged ({in_words(record.status)}): nothing to verify")
    return _report(services, result)


def _carry_out(args: argparse.Namespace, review_command: ReviewCommand) -> int:
    """Run the command through the review conversation and print its answer; ConfigError where it is not possible."""
    if review_command.verb == "close" and not review_command.argument:
        raise ConfigError("give a reason: it is recorded, and shown when the incident occurs again")
    services = open_services(args)
    record = find(services, args.id)
    pull = _current_pull_request(services, record) if record.status == "awaiting_review" else None
    answer = _conversation(services).answer(record.incident_id, review_command, _reviewer(services), pull)
    if answer.result is None:
        raise ConfigError(_refusal(services, record, review_command.verb, answer.text))
    if answer.result.error is None and not answer.done:
        raise ConfigError(answer.text)
    return _report(services, answer.result, "proposed" if review_command.verb == "revert" else "revised")


def _awaiting(services: Services, prefix: str, verb: str) -> tuple[Record, PullRequest]:
    """Return the incident in review and its pull request as it is now, open or merged with git alone."""
    from remediator.graph.review import status_reason

    record = find(services, prefix)
    if record.status != "awaiting_review":
        raise ConfigError(_refusal(services, record, verb, status_reason(record.status)))
    return record, _current_pull_request(services, record)


def _current_pull_request(services: Services, record: Record) -> PullRequest:
    pull = services.driver.state(record.incident_id)["pull_request"]
    if pull is None:
        raise ConfigError(f"{record.incident_id} has no pull request")
    current = services.forge.look(pull)
    if current.state == "closed":
        check = command(services, f"verify {record.incident_id}")
        raise ConfigError(f"the branch {pull.branch} was deleted; `{check}` records it as declined")
    return current


def _refusal(services: Services, record: Record, verb: str, reason: str) -> str:
    see = command(services, f"status {record.incident_id}")
    return f"cannot {verb} {record.incident_id}: {reason}; see `{see}`"


def _help_lines() -> list[str]:
    return [f"  {usage:<16}  {effect.replace('`', '')}" for usage, effect in EFFECTS.items()]


def _conversation(services: Services) -> ReviewConversation:
    from remediator.graph.review import ReviewConversation
    from remediator.wiring import now

    def usage(incident_id: str, words: str) -> str:
        return command(services, f"feedback {incident_id} '{words}'")

    return ReviewConversation(services.driver, services.forge, now, services.redact, usage)


def _reviewer(services: Services) -> Reviewer:
    from remediator.domain.times import stamp
    from remediator.graph.review import Reviewer
    from remediator.wiring import now

    return Reviewer(by=services.settings.user, at=stamp(now()))


def _watched(services: Services, result: DriverResult) -> DriverResult:
    """Return the result after repeated looks, for the time that the policy allows; an error ends them."""
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.graph.polling import unsettled
    from remediator.wiring import now

    def look() -> DriverResult:
        review = Review(kind="verify", by=services.settings.user, at=stamp(now()))
        return services.driver.resume(result.state["incident_id"], review)

    return services.patience.watch(result, lambda result: result.error is None and unsettled(result.state), look)


def _report(services: Services, result: DriverResult, done_verb: str = "revised") -> int:
    """Print the state after a command, and after the rollout if it settles in time; return the exit code."""
    from remediator.graph.nodes.verify_recovery import NOTHING_CONFIGURED
    from remediator.report import local_pull_request

    result = _watched(services, result)
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
            print(f"{name}: rejected: {incident.reason}")
        case status:
            print(f"{name}: {in_words(status)}. {incident.reason or state['recovery_result']}")
    return exit_code([result])
