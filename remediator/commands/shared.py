"""What several commands need: the repository argument, an incident by its id, and its report."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from remediator.domain.lifecycle import Record
    from remediator.graph.driver import DriverResult
    from remediator.graph.state import IncidentState
    from remediator.report import IncidentReport
    from remediator.wiring import Services


def add_repo(parser: argparse.ArgumentParser) -> None:
    """`--repo DIR`."""
    parser.add_argument("--repo", default=".", metavar="DIR", help="checkout of the GitOps repository (default: here)")


def add_target(parser: argparse.ArgumentParser) -> None:
    """`--target NAME`."""
    parser.add_argument(
        "--target", default="", metavar="NAME", help="read servers of this target only (default: REMEDIATOR_TARGET)"
    )


def services(args: argparse.Namespace, *, dry_run: bool = False, push: str = "") -> Services:
    """Adapters for this command's arguments and environment."""
    from remediator.settings import Settings
    from remediator.wiring import Services

    logs = tuple(getattr(args, "log", None) or ())
    no_llm = bool(getattr(args, "no_llm", False))
    settings = Settings.from_environ(os.environ)
    if target := getattr(args, "target", ""):
        settings = settings.model_copy(update={"target": target})
    return Services(settings, Path(args.repo), logs, dry_run, push, no_llm)


def tell_notes(found: Services) -> None:
    """What was not read, or not in whole, for the terminal."""
    from remediator.report.markdown import one_line

    for note in found.logs.notes():
        print(f"note: {one_line(note)}", file=sys.stderr)


def repo_of(found: Services) -> str:
    """The checkout as `--repo` named it; empty where it is the present directory."""
    return "" if found.root == Path() else str(found.root)


def command(found: Services, words: str) -> str:
    """`remediator …` for this checkout, to be pasted."""
    from remediator.report.wording import command

    return command(words, repo_of(found))


def find(found: Services, wanted: str) -> Record:
    """The incident with this id, or the only one whose id starts so; ConfigError otherwise."""
    records = found.records()
    for record in records:
        if record.incident_id == wanted:
            return record
    near = [r for r in records if wanted and r.incident_id.removeprefix("inc-").startswith(wanted.removeprefix("inc-"))]
    if len(near) == 1:
        return near[0]
    if near:
        names = ", ".join(record.incident_id for record in near)
        raise ConfigError(f"{wanted!r} could mean {names}: write more of it")
    known = ", ".join(record.incident_id for record in records[-5:]) or "none is known here"
    raise ConfigError(f"no incident {wanted!r} (known: {known}); see `{command(found, 'list')}`")


def in_words(status: str) -> str:
    """A status as a person reads it: `needs a person`, `awaiting review`."""
    return "needs a person" if status == "needs_person" else status.replace("_", " ")


def report_of(found: Services, state: IncidentState) -> IncidentReport:
    """The state as a report, with the difference against the base that the change was made on."""
    from remediator.domain.lifecycle import Base
    from remediator.graph.describe import incident_report
    from remediator.graph.state import all_changes

    about: dict[str, Any] = {
        "reply_by": found.forge.answered_by,
        "repo": repo_of(found),
        "promises": [one.promise for one in found.verifiers],
    }
    changes, pull = all_changes(state), state["pull_request"]
    if not changes or pull is None:
        return incident_report(state, **about)
    base = Base(branch=pull.base, commit=state["incident"].base_commit)
    made = incident_report(state, base=base, changes=changes, read=partial(found.forge.read, base), **about)
    # Where several incidents ask for the same change they share the pull request of the first.
    return made.model_copy(update={"branch": pull.branch})


def exit_code(results: list[DriverResult]) -> int:
    """1 where anything failed, else 3 where a person must decide, else 0."""
    codes = {3 if r.state["workflow_status"] == "needs_person" else 0 for r in results}
    codes |= {r.error.exit_code for r in results if r.error}
    return next((code for code in (1, 2, 3) if code in codes), 0)
