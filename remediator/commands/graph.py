"""`remediator graph`: the flow as a Mermaid chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    subparsers.add_parser("graph", help="print the flow as Mermaid").set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Print the chart, drawn from the graph that runs."""
    from remediator.graph.build import mermaid

    del args
    print(mermaid(), end="")
    return 0
