"""`remediator run`: an incident log in, a reviewable change out."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

from remediator.commands import faults
from remediator.commands.output import Progress, redact_logging
from remediator.commands.shared import add_repo, add_target, exit_code, open_services, report_of, tell_notes
from remediator.errors import RemediatorError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from remediator.domain.lifecycle import Case
    from remediator.graph.driver import DriverResult
    from remediator.report import IncidentReport
    from remediator.wiring import Services


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("run", help="read logs and propose a fix for each incident in them")
    parser.add_argument(
        "--log", action="append", required=True, metavar="FILE", help="incident log, `-` for standard input; repeatable"
    )
    add_target(parser)
    add_repo(parser)
    parser.add_argument("--dry-run", action="store_true", help="change nothing anywhere, print what would be proposed")
    parser.add_argument("--no-llm", action="store_true", help="ask no model, whatever is configured")
    parser.add_argument("--json", action="store_true", help="print one JSON array, most severe incident first")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Run the graph for every incident in the logs; a fault of one does not cost the others their report."""
    from remediator.wiring import preload

    preload()
    services = open_services(args, dry_run=args.dry_run)
    redact_logging(lambda text: services.redact(text))  # noqa: PLW0108 - built when the first record needs it
    progress = Progress()
    if not args.dry_run:
        services.git  # noqa: B018 - report a missing repository before the logs are read
    with progress.step(f"reading {', '.join(args.log)}"):
        cases = services.logs.cases()
    progress.total = len(cases) + 1
    _plan_ahead(services, cases)
    results = []
    for case in cases:
        with progress.step(f"{case.diagnosis.category}: {case.diagnosis.summary}"):
            results.append(_run_case(services, case))
    progress.close()
    tell_notes(services)
    for result in results:
        if result.error:
            faults.tell(result.error)
    if args.json:
        from remediator.commands.document import composed, document

        documents = [document(result) for result in results]
        if args.dry_run:
            documents = composed(documents, results, services.planner, services.forge)
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        _print(services, results, dry_run=args.dry_run)
    return exit_code(results)


def _plan_ahead(services: Services, cases: Sequence[Case]) -> None:
    """Plan while LangGraph is still being imported: helm and git are other processes, so that both run in parallel.

    The graph asks the same planner again later; an error here comes up there again, and is reported there.
    """
    for case in cases:
        if case.diagnosis.severity != "info":
            faults.contained(partial(services.planner.propose, case.diagnosis))


def _run_case(services: Services, case: Case) -> DriverResult:
    from remediator.domain.lifecycle import Incident
    from remediator.graph.driver import DriverResult
    from remediator.graph.state import initial_state

    outcome = faults.contained(lambda: _start(services, case))
    if not isinstance(outcome, RemediatorError):
        return outcome
    driver = faults.contained(lambda: services.driver)
    if isinstance(driver, RemediatorError):
        raise outcome
    state = driver.last.copy()
    if "incident" not in state or state["incident"].fingerprint != case.fingerprint:
        state = initial_state("", Incident(fingerprint=case.fingerprint))
    state["workflow_status"] = "failed"
    state["incident"] = state["incident"].model_copy(update={"reason": str(outcome)})
    return DriverResult(state, outcome)


def _start(services: Services, case: Case) -> DriverResult:
    from remediator.commands.catch_up import catch_up

    if not services.dry_run:
        for record in services.driver.records():
            if record.fingerprint == case.fingerprint:
                catch_up(services, services.driver, record)
    return services.driver.start(case)


def _print(services: Services, results: list[DriverResult], *, dry_run: bool) -> None:
    from remediator.report import RunFacts, evidence, local_pull_request, terminal

    colour = sys.stdout.isatty()
    reports = [_report(services, result) for result in results]
    lines, seconds = services.logs.measured()
    facts = RunFacts(lines=lines, seconds=seconds, dry_run=dry_run, model=services.spending())
    print(terminal(reports, facts, colour=colour), end="")
    for report in reports:
        if report.proposal:
            print(f"\n{local_pull_request(report, colour=colour)}", end="")
        elif report.status == "needs_person":
            print(f"\n{evidence(report, colour=colour)}", end="")


def _report(services: Services, result: DriverResult) -> IncidentReport:
    """Return the report of the result, without the proposal where there is no change to approve."""
    from remediator.domain.lifecycle import OPEN_STATUSES

    report = report_of(services, result.state)
    if result.state["workflow_status"] in OPEN_STATUSES:
        return report
    reason = f"declined ({report.reason}); quiet until {result.quiet_until}" if result.quiet_until else report.reason
    return report.model_copy(update={"proposal": None, "reason": reason})
