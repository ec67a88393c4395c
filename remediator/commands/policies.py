"""`remediator policies check`: check a policy file, and print the place and reason of every mistake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from remediator.commands import faults
from remediator.errors import ConfigError

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("policies", help="check policy files")
    inner = parser.add_subparsers(metavar="ACTION", required=True)
    check = inner.add_parser("check", help="check a policy file, or a directory of them")
    check.add_argument("path", nargs="?", metavar="PATH", help="default: .github/remediator.yml, else what is shipped")
    check.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print every mistake with file, line and path; return 2 if there is one."""
    from remediator.policy import USER_FILE, check, shipped_root

    user_file = Path(USER_FILE)
    path = Path(args.path) if args.path else user_file if user_file.is_file() else shipped_root()
    if not path.exists():
        raise ConfigError("no such file or directory", file=str(path))
    problems = check(path)
    for problem in problems:
        faults.tell(problem)
    if not problems:
        print(f"{path}: no mistake found")
    return ConfigError.exit_code if problems else 0
