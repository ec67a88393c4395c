"""Functions that several commands share: the repository argument, an incident by its id, and its report."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from remediator.domain.charts import ChartPull
    from remediator.domain.lifecycle import Record
    from remediator.gitops import Repository
    from remediator.graph.driver import DriverResult
    from remediator.graph.state import IncidentState
    from remediator.report import IncidentReport
    from remediator.wiring import Services


def add_repo(parser: argparse.ArgumentParser) -> None:
    """Add the option `--repo DIR`."""
    parser.add_argument("--repo", default=".", metavar="DIR", help="checkout of the GitOps repository (default: here)")


def add_repo_command(parser: argparse.ArgumentParser, handler: Callable[[argparse.Namespace], int]) -> None:
    """Let the command read a checkout, and let this function carry it out."""
    add_repo(parser)
    parser.set_defaults(handler=handler)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the option `--target NAME`."""
    parser.add_argument(
        "--target", default="", metavar="NAME", help="read servers of this target only (default: REMEDIATOR_TARGET)"
    )


def open_services(args: argparse.Namespace, *, dry_run: bool = False, push: str = "") -> Services:
    """Return the adapters for this command's arguments and environment."""
    from remediator.settings import Settings
    from remediator.wiring import Services

    logs = tuple(getattr(args, "log", None) or ())
    no_llm = bool(getattr(args, "no_llm", False))
    settings = Settings.from_environ(os.environ)
    if target := getattr(args, "target", ""):
        settings = settings.model_copy(update={"target": target})
    return Services(settings, Path(args.repo), logs, dry_run, push, no_llm, print_step)


def open_repository(root: Path) -> Repository:
    """Return the checkout with the caches of this user; its policy is read where a chart is to be pulled."""
    from remediator.gitops import Repository
    from remediator.gitops.sources.cache import default_directory

    def pull() -> ChartPull:
        from remediator.policy import USER_FILE, load

        file = root / USER_FILE
        return load(file if file.is_file() else None).charts.pull

    return Repository.open(root, cache=default_directory(), pull=pull)


def print_step(step: str) -> None:
    """Print one step of a model's investigation on standard error."""
    from remediator.report.markdown import one_line

    print(f"\r  model: {one_line(step)}", file=sys.stderr)


def tell_notes(services: Services) -> None:
    """Print the inputs that were not read, or only in part."""
    from remediator.report.markdown import one_line

    for note in services.logs.notes():
        print(f"note: {one_line(note)}", file=sys.stderr)


def repo_of(services: Services) -> str:
    """Return the checkout as `--repo` named it; empty for the current directory."""
    return "" if services.root == Path() else str(services.root)


def command(services: Services, words: str) -> str:
    """Return a `remediator` command line for this checkout, ready to be pasted."""
    from remediator.report.wording import command

    return command(words, repo_of(services))


def find(services: Services, prefix: str) -> Record:
    """Return the incident with this id, or the only one whose id begins with it; ConfigError otherwise."""
    records = services.records()
    for record in records:
        if record.incident_id == prefix:
            return record
    near = [r for r in records if prefix and r.incident_id.removeprefix("inc-").startswith(prefix.removeprefix("inc-"))]
    if len(near) == 1:
        return near[0]
    if near:
        names = ", ".join(record.incident_id for record in near)
        raise ConfigError(f"{prefix!r} could mean {names}: write more of it")
    ids = ", ".join(record.incident_id for record in records[-5:]) or "none is known here"
    raise ConfigError(f"no incident {prefix!r} (known: {ids}); see `{command(services, 'list')}`")


def in_words(status: str) -> str:
    """Return a status in words: `needs a person`, `awaiting review`."""
    return "needs a person" if status == "needs_person" else status.replace("_", " ")


def report_of(services: Services, state: IncidentState) -> IncidentReport:
    """Return the report of a state, with the difference from the base of the change."""
    from remediator.domain.lifecycle import Base
    from remediator.graph.describe import incident_report
    from remediator.graph.state import all_changes

    about: dict[str, Any] = {
        "reply_by": services.forge.answered_by,
        "repo": repo_of(services),
        "promises": [verifier.promise for verifier in services.verifiers],
    }
    changes, pull = all_changes(state), state["pull_request"]
    if not changes or pull is None:
        return incident_report(state, **about)
    base = Base(branch=pull.base, commit=state["incident"].base_commit)
    report = incident_report(state, base=base, changes=changes, read=partial(services.forge.read, base), **about)
    # Several incidents that need the same change share the pull request of the first.
    return report.model_copy(update={"branch": pull.branch})


def exit_code(results: list[DriverResult]) -> int:
    """Return 1 where anything failed, else 3 where a person must decide, else 0."""
    codes = {3 if r.state["workflow_status"] == "needs_person" else 0 for r in results}
    codes |= {r.error.exit_code for r in results if r.error}
    return next((code for code in (1, 2, 3) if code in codes), 0)
