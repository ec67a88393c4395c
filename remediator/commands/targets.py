"""`remediator targets`: the clusters that the policy file names, also as the matrix of a workflow's jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from remediator.commands.shared import add_repo, open_services

if TYPE_CHECKING:
    import argparse

    from remediator.policy import Policies


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("targets", help="list the clusters that .github/remediator.yml names")
    parser.add_argument(
        "--json", action="store_true", help="a matrix for `fromJSON` in a workflow: one job a target, one where none is"
    )
    add_repo(parser)
    parser.set_defaults(handler=run)


def matrix(policies: Policies) -> str:
    """Return the matrix of a workflow for `fromJSON`: one job for each target, or one job without a name."""
    return json.dumps({"include": [{"target": name} for name in list(policies.targets) or [""]]})


def run(args: argparse.Namespace) -> int:
    """Print every target with its servers, or the matrix; in it, a target that only the environment describes has no name."""
    services = open_services(args, dry_run=True)
    if args.json:
        print(matrix(services.policies))
        return 0
    outside = services.outside
    for name, target in outside.targets.items():
        print(f"{name:<20} {', '.join(target.clusters) or 'all clusters that no other target lists'}")
        for kind, place in outside.places(name).items():
            print(f"  {kind:<18} {place}")
    return 0
