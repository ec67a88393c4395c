"""`remediator show`: one incident's pull request, with all its options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, find, in_words, open_services, report_of

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("show", help="an incident's change, evidence and options")
    parser.add_argument("id", metavar="ID", help="incident id, or the start of it")
    add_repo(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the incident."""
    from remediator.report import RunFacts, incident_page

    services = open_services(args)
    report = report_of(services, services.driver.state(find(services, args.id).incident_id))
    print(incident_page(report, RunFacts(), in_words(report.status), colour=sys.stdout.isatty()), end="")
    return 0
