"""`remediator show`: one incident's pull request, with all its options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, find, report_of, services

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("show", help="an incident's change, evidence and options")
    parser.add_argument("id", metavar="ID", help="incident id, or the start of it")
    add_repo(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from remediator.report import RunFacts, local_pull_request, terminal

    found = services(args)
    state = found.driver.state(find(found, args.id).incident_id)
    report = report_of(found, state)
    colour = sys.stdout.isatty()
    if report.proposal:
        print(local_pull_request(report, colour=colour), end="")
    else:
        print(terminal([report], RunFacts(), colour=colour), end="")
    return 0
