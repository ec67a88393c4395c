"""`approve`, `reject`, `feedback`, `verify`: answer a pull request from the terminal."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from remediator.commands import explain, faults
from remediator.commands.catch_up import catch_up
from remediator.commands.shared import add_repo, command, exit_code, find, in_words, report_of, services
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
    found = services(args, push=args.push)
    record, pull = _awaiting(found, args.id, "approve")
    merged = found.forge.merge(pull)
    return _tell(found, _resume(found, record, "merged", commit=merged.merge_commit))


def reject(args: argparse.Namespace) -> int:
    """Close, then resume the graph with the reason."""
    if not args.reason.strip():
        raise ConfigError("give a reason: it is what the history, and whoever meets this next, is told")
    found = services(args)
    if (waiting := find(found, args.id)).status == "needs_person":
        review = _review(found, "closed", words=args.reason.strip())
        return _tell(found, found.driver.end(waiting.incident_id, review))
    record, pull = _awaiting(found, args.id, "reject")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: revert the merge instead")
    found.forge.close(pull)
    return _tell(found, _resume(found, record, "closed", words=args.reason))


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
    found = services(args)
    record, pull = _awaiting(found, args.id, "give feedback on")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: it can no longer change")
    _refuse_unknown_option(found, record.incident_id, words)
    _refuse_value(found, record.incident_id, words)
    result = _resume(found, record, "changes_requested", words=words)
    code = _tell(found, result)
    refused = (
        ask is not None and result.state["workflow_status"] == "awaiting_review" and result.state["incident"].reason
    )
    return code or (ConfigError.exit_code if refused else 0)


def _confirm(args: argparse.Namespace, words: str) -> int:
    found = services(args)
    record = find(found, args.id)
    if record.status != "verifying":
        raise ConfigError(f"{record.incident_id} is not being verified ({in_words(record.status)}): nothing to confirm")
    return _tell(found, _resume(found, record, "confirmed", words=words))


def _take_back(args: argparse.Namespace) -> int:
    found = services(args)
    record = find(found, args.id)
    if record.status == "awaiting_review":
        raise ConfigError(
            f"{record.incident_id} is not merged: decline it with"
            f" `{command(found, f'reject {record.incident_id} --reason …')}`"
        )
    return _tell(found, found.driver.revert(record.incident_id, _review(found, "revert", words="revert")), "proposed")


def _decline(args: argparse.Namespace, ask: ReviewCommand) -> int:
    """Close, with a reason or for a time."""
    if ask.verb == "close":
        return reject(argparse.Namespace(**{**vars(args), "reason": ask.argument}))
    from remediator.domain.times import duration, stamp
    from remediator.wiring import now

    found = services(args)
    record, pull = _awaiting(found, args.id, "ignore")
    if pull.state == "merged":
        raise ConfigError(f"{record.incident_id} was merged with git meanwhile: revert the merge instead")
    found.forge.close(pull)
    review = _review(found, "closed", words=f"ignored for {ask.argument}")
    until = stamp(now() + duration(ask.argument))
    return _tell(found, found.driver.resume(record.incident_id, review.model_copy(update={"until": until})))


def _refuse_unknown_option(found: Services, name: str, words: str) -> None:
    """ConfigError for the number of an option that is not there, before it counts as a round of the review."""
    from remediator.graph.nodes.generate_action import USE

    asked = USE.fullmatch(words)
    options = len(found.driver.state(name)["proposals"])
    if asked is None or 1 <= int(asked[1]) <= options:
        return
    if options == 1:
        decline = command(found, f"reject {name} --reason …")
        raise ConfigError(f"this incident has only one option; decline it with `{decline}`")
    raise ConfigError(f"there is no option {asked[1]}, only 1 to {options}; see `{command(found, f'show {name}')}`")


def _refuse_value(found: Services, name: str, words: str) -> None:
    """ConfigError for a value that must not be set, or a place that this change does not have."""
    from remediator.graph.nodes.generate_action import SET
    from remediator.graph.state import chosen

    setting, proposal = SET.fullmatch(words), chosen(found.driver.state(name))
    if setting is None or proposal is None:
        return
    try:
        found.workshop.with_value(proposal, setting["path"], setting["value"].strip())
    except RemediatorError as error:
        raise ConfigError(str(error)) from error


def verify(args: argparse.Namespace) -> int:
    """Take note of what git alone did, then look again."""
    found = services(args)
    record = find(found, args.id)
    if record.status == "verifying":
        return _tell(found, _resume(found, record, "verify"))
    result = catch_up(found, found.driver, record)
    if result is None:
        raise ConfigError(f"{record.incident_id} is not merged ({in_words(record.status)}): nothing to verify")
    return _tell(found, _watched(found, result))


def _awaiting(found: Services, wanted: str, what: str) -> tuple[Record, PullRequest]:
    """The incident that awaits review and its pull request as it is now, open or merged with git alone."""
    record = find(found, wanted)
    if record.status != "awaiting_review":
        said = {"verifying": "it is merged", "rejected": "it was rejected", "needs_person": "it needs a person"}.get(
            record.status, f"it is {in_words(record.status)}"
        )
        see = command(found, f"status {record.incident_id}")
        raise ConfigError(f"cannot {what} {record.incident_id}: {said}; see `{see}`")
    pull = found.driver.state(record.incident_id)["pull_request"]
    if pull is None:
        raise ConfigError(f"{record.incident_id} has no pull request")
    current = found.forge.look(pull)
    if current.state == "closed":
        verify_it = command(found, f"verify {record.incident_id}")
        raise ConfigError(f"the branch {pull.branch} is gone; `{verify_it}` records it as declined")
    return record, current


def _resume(found: Services, record: Record, kind: str, *, words: str = "", commit: str = "") -> DriverResult:
    return _watched(found, found.driver.resume(record.incident_id, _review(found, kind, words=words, commit=commit)))


def _watched(found: Services, result: DriverResult) -> DriverResult:
    """The result after as many looks as the policy has patience for; an error ends them."""
    from remediator.graph.polling import unsettled

    def look() -> DriverResult:
        return found.driver.resume(result.state["incident_id"], _review(found, "verify"))

    return found.patience.watch(result, lambda one: one.error is None and unsettled(one.state), look)


def _review(found: Services, kind: str, *, words: str = "", commit: str = "") -> Review:
    from remediator.domain.lifecycle import Review
    from remediator.domain.times import stamp
    from remediator.wiring import now

    facts = {
        "kind": kind,
        "by": found.settings.user,
        "words": found.redact(words),
        "commit": commit,
        "at": stamp(now()),
    }
    return Review.model_validate(facts)


def _tell(found: Services, result: DriverResult, did: str = "revised") -> int:
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
            print(local_pull_request(report_of(found, state)), end="")
            print(f"\n{name}: {pull.branch if pull else ''} {did}; approve: {command(found, f'approve {name}')}")
        case "verifying":
            where = f" into {pull.base} as {pull.merge_commit[:9]}" if pull else ""
            print(f"{name}: merged{where}\nverification {state['verification_status']}: {state['recovery_result']}")
            if state["recovery_result"] == NOTHING_CONFIGURED:
                print(f"when you have seen it recover: {command(found, f'feedback {name} confirm')}")
        case "rejected":
            print(f"{name}: rejected, remembered: {incident.reason}")
        case status:
            print(f"{name}: {in_words(status)}. {incident.reason or state['recovery_result']}")
    return exit_code([result])
