"""`remediator show`: one incident's pull request, with all its options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, find, in_words, report_of, services

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
    from remediator.report import RunFacts, incident_page

    found = services(args)
    report = report_of(found, found.driver.state(find(found, args.id).incident_id))
    print(incident_page(report, RunFacts(), in_words(report.status), colour=sys.stdout.isatty()), end="")
    return 0
