"""The command line: arguments, logging, exit codes; everything else is in the commands."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from remediator import __version__
from remediator.commands import (
    apps,
    check,
    collect,
    explain,
    faults,
    graph,
    locate,
    policies,
    review,
    run,
    scan,
    show,
    status,
    sweep,
    targets,
)
from remediator.commands.output import set_up_logging
from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (run, review, sweep, status, show, explain, check, locate, apps, scan, collect, targets, policies, graph)
"""The commands in the order of `--help`. Their modules import nothing heavy; a command imports what it needs when it runs."""

EXIT_CODES = """\
exit codes: 0 done (also if nothing is wrong), 1 failure, 2 your input or configuration, 3 a person must decide"""


class _Parser(argparse.ArgumentParser):
    """A parser that accepts no abbreviated options, also in nested commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "allow_abbrev": False})


def parser() -> argparse.ArgumentParser:
    """Return the parser with all commands and their arguments."""
    top = argparse.ArgumentParser(
        prog="remediator",
        description="From an incident log to a reviewed, minimal change in a GitOps repository.",
        epilog=EXIT_CODES,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"remediator {__version__}")
    top.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        help="what is logged on standard error (default: warning, or REMEDIATOR_LOG_LEVEL)",
    )
    subparsers = top.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for command in COMMANDS:
        command.register(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code of the process."""
    args = parser().parse_args(argv)
    set_up_logging(args.log_level or os.environ.get("REMEDIATOR_LOG_LEVEL", ""), os.environ)
    try:
        outcome = faults.contained(lambda: int(args.handler(args)))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(outcome, RemediatorError):
        faults.tell(outcome)
        return outcome.exit_code
    return outcome
