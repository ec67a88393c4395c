"""The entry point of the action: decide what the event asks for, do it, publish the results."""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from remediator.action.inputs import Inputs
from remediator.action.outcome import (
    ActionResult,
    conclusion,
    exit_code,
    job_annotations,
    outputs,
    summary_page,
    write_outputs,
)
from remediator.commands import faults
from remediator.commands.output import redact_logging, set_up_logging
from remediator.commands.shared import print_step, report_of
from remediator.commands.targets import matrix
from remediator.errors import ConfigError, RemediatorError
from remediator.graph.polling import unsettled
from remediator.report import IncidentReport, RunFacts
from remediator.settings import Settings
from remediator.trigger import Ignore, ListTargets, Resume, Start, Sweep, decide
from remediator.wiring import Services, now, preload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.action.queue_issue import QueueIssue
    from remediator.action.reconcile import Reconciler
    from remediator.domain.lifecycle import Case
    from remediator.graph.driver import DriverResult
    from remediator.graph.state import IncidentState


_MOST_OF_ONE_LINE = 500
"""Characters; longer lines are rare in logs, and a text with only one such line has lost its line breaks."""


@dataclass
class Run:
    """One run of the action. Results are collected on the way, so that an error costs only the steps after it."""

    inputs: Inputs
    settings: Settings
    results: list[ActionResult] = field(default_factory=list)
    people: list[IncidentReport] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    facts: RunFacts = field(default_factory=RunFacts)
    note: str = ""
    matrix: str = ""
    _services: Services | None = field(default=None, init=False, repr=False)
    """The adapters, once they were needed: an event may end before."""

    def handle(self) -> None:
        """Do the work that the event asks for."""
        inputs = self.inputs
        repository = self.settings.github.repository if self.settings.github else ""
        if self.settings.github is None:
            raise ConfigError("no token: give the action's input `token`, and run it on GitHub Actions")
        if inputs.off:
            self.note = "Switched off by the variable REMEDIATOR_OFF: nothing was done."
            return
        decision = decide(inputs.event, inputs.payload, inputs.mode, workflows=inputs.workflows, repository=repository)
        if isinstance(decision, Ignore):
            self.note = f"Nothing to do: {decision.why}."
            return
        if isinstance(decision, ListTargets):
            self.matrix = matrix(self.services.policies)
            self.note = f"The matrix of the jobs that follow: `{self.matrix}`"
            return
        if not self.services.policies.guardrails.enabled:
            self.note = "Switched off by the policy (`guardrails.enabled: false`): nothing was done."
            return
        if inputs.dry_run and not isinstance(decision, Start):
            self.note = "A dry run does not answer comments or events: nothing was done."
            return
        preload()
        redact_logging(lambda text: self.services.redact(text))  # noqa: PLW0108 - made when a first record needs it
        match decision:
            case Resume(pull_request=number) if number:
                self._add_result(self._watched(self.reconciler.number(number)))
            case Resume(application=application):
                self._sweep(application)
            case Sweep(start=start):
                self._sweep()
                if start and (self._names_input() or self.services.outside.polled()):
                    self._start(Start(source="inputs"))
            case Start():
                self._start(decision)

    @property
    def services(self) -> Services:
        """All adapters; event and inputs name the logs."""
        if self._services is None:
            self._services = Services(
                self.settings, self.inputs.directory, dry_run=self.inputs.dry_run, tell=print_step
            )
        return self._services

    def spending(self) -> str:
        """Return what the model has cost; empty where none was asked."""
        return self._services.spending() if self._services else ""

    @cached_property
    def reconciler(self) -> Reconciler:
        """The reader of pull requests."""
        from remediator.action.reconcile import Reconciler
        from remediator.services.github.conversation import Conversation

        if self.services.client is None:
            raise ConfigError("pull requests are followed on GitHub only")
        return Reconciler(
            self.services.driver, self.services.forge, Conversation(self.services.client), now, self.services.redact
        )

    def _names_input(self) -> bool:
        inputs = self.inputs
        return bool(inputs.log_artifact or inputs.log_path or inputs.log_text or inputs.source)

    def _start(self, start: Start) -> None:
        sources = self._logs(start)
        self.services.read(sources or self.services.outside.polled(), poll=not sources)
        self.facts = RunFacts(dry_run=self.inputs.dry_run, notes=self.services.logs.notes())
        if not sources and not self.services.logs.scan.inputs:
            self.note = f"{self.note} The servers returned nothing new.".strip()
            self._advance_marks()
            return
        cases = self.services.logs.cases()
        lines, seconds = self.services.logs.measured()
        self.facts = self.facts.model_copy(update={"lines": lines, "seconds": seconds})
        earlier_branches = (
            set() if self.inputs.dry_run else {record.branch for record in self.services.driver.records()}
        )
        queue = None if self.inputs.dry_run else self.queue_issue
        for case in cases:
            outcome = faults.contained(lambda case=case: self._run_case(case))  # type: ignore[misc]
            if isinstance(outcome, RemediatorError):
                self.errors.append(str(outcome))
                continue
            pull = outcome.state["pull_request"]
            self._add_result(
                outcome.state, existed=bool(pull and pull.branch in earlier_branches), error=str(outcome.error or "")
            )
        if queue:
            queue.update()
        self._advance_marks()

    def _advance_marks(self) -> None:
        """Advance the marks of polled sources; after a failure they stay, so that the next run reads the same again."""
        if not self.errors and not any(result.status == "failed" for result in self.results):
            self.services.handled()

    def _run_case(self, case: Case) -> DriverResult:
        """Read the pull request first, then run the graph: the incident may be merged or declined already."""
        if not self.inputs.dry_run:
            for record in self.services.driver.records():
                if record.fingerprint == case.fingerprint and record.status == "awaiting_review":
                    pull = self.services.driver.state(record.incident_id)["pull_request"]
                    if pull and pull.number:
                        self.reconciler.number(pull.number)
        result = self.services.driver.start(case)
        if not self.inputs.dry_run and result.error is None:
            self.reconciler.post_recurrence(result.state)
        return result

    def _sweep(self, application: str = "") -> None:
        verify = bool(self.services.verifiers)
        self.queue_issue.apply_ticks()
        states = self.reconciler.sweep(verify=verify, application=application)
        if application and verify:  # wait for one Application after its sync; a sweep of all incidents does not wait

            def look() -> dict[str, IncidentState | RemediatorError]:
                states.update(
                    self.reconciler.sweep(verify=True, application=application)
                )  # incidents that have ended are no longer in it
                return states

            self.services.patience.watch(states, _any_unsettled, look)
        for incident, state in states.items():
            if isinstance(state, RemediatorError):
                self.errors.append(f"{incident}: {state}")
            else:
                self._add_result(state)
        self.queue_issue.update()
        self.note = "" if states else "No incident is open."

    def _watched(self, state: IncidentState | None) -> IncidentState | None:
        """Return the state after repeated looks, for the time that the policy allows."""
        if state is None or not self.services.verifiers:
            return state
        incident = state["incident_id"]
        return self.services.patience.watch(state, unsettled, lambda: self.reconciler.look_again(incident))

    @cached_property
    def queue_issue(self) -> QueueIssue:
        """The issue with the queued fixes."""
        from remediator.action.queue_issue import QueueIssue

        return QueueIssue(self.services.driver, self.reconciler.conversation)

    def _logs(self, start: Start) -> list[str]:
        """Return files and sources to read, none where servers are polled; texts are written to the runner's temporary directory."""
        inputs = self.inputs
        if start.source == "alert":
            return [self._file("alerts.json", self.services.outside.dispatched(start.alerts)[1])]
        sources = [*inputs.log_path, *([inputs.source] if inputs.source not in {"", "artifact", "file"} else [])]
        _check_line_breaks(inputs.log_text)
        if inputs.log_text.strip():
            sources.append(self._file("pasted.log", inputs.log_text))
        if inputs.log_artifact:
            sources.append(self._artifact(inputs.log_artifact, start))
        if not sources and not self.services.outside.polled():
            raise ConfigError("nothing to read: give log-artifact, log-path, log-text or source")
        return sources

    def _file(self, name: str, text: str) -> str:
        path = Path(self.inputs.temp, f"remediator-{name}")
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _artifact(self, name: str, start: Start) -> str:
        from remediator.services.github.artifacts import fetch

        client = self.services.client
        if client is None:
            raise ConfigError("log-artifact needs GitHub")
        if self.inputs.repository and not start.run_id:
            client = replace(client, repository=self.inputs.repository)
        return str(fetch(client, name, start.run_id or self.inputs.run_id, self.inputs.temp))

    def _add_result(self, state: IncidentState | None, *, existed: bool = True, error: str = "") -> None:
        if state is None:
            self.note = "Nothing to do: the pull request is not Remediator's, or it has the label `remediator-off`."
            return
        self.results.append(ActionResult.of(state, existed=existed, error=error))
        if state["workflow_status"] == "needs_person":
            self.people.append(report_of(self.services, state))

    def redact_results(self) -> None:
        """Remove from the results the secrets that a server may have quoted."""
        redact = faults.contained(lambda: self.services.redact)
        if not isinstance(redact, RemediatorError):
            self.errors = [redact(error) for error in self.errors]
            self.results = [result.model_copy(update={"reason": redact(result.reason)}) for result in self.results]


def _any_unsettled(results: Mapping[str, IncidentState | RemediatorError]) -> bool:
    return any(not isinstance(state, RemediatorError) and unsettled(state) for state in results.values())


def _check_line_breaks(text: str) -> None:
    """Refuse a pasted text that has lost its line breaks: GitHub's form has one line, and such a text cannot be read."""
    text = text.strip()
    if "\n" not in text and len(text) > _MOST_OF_ONE_LINE and text[:1] not in "{[":
        raise ConfigError(
            f"log-text is one line of {len(text)} characters: the form drops line breaks; use an artifact, or"
            ' `gh workflow run … -f log-text="$(cat FILE)"`'
        )


def main() -> int:
    """Run, then write the summary and the outputs, whatever fails."""
    set_up_logging(os.environ.get("REMEDIATOR_LOG_LEVEL", ""), os.environ)
    run = faults.contained(lambda: Run(Inputs.from_environ(os.environ), Settings.from_environ(os.environ)))
    if isinstance(run, RemediatorError):
        return _refuse(run)
    failure = faults.contained(run.handle)
    if isinstance(failure, RemediatorError):
        run.errors.append(str(failure))
    run.redact_results()
    ended = conclusion(run.results, run.errors)
    _publish_results(run.inputs, run, ended)
    return exit_code(ended, run.inputs.fail_on)


def _refuse(error: RemediatorError) -> int:
    """Report an input that is not valid in outputs and summary, as far as the runner names their files."""
    inputs = Inputs(
        event="",
        output=Path(output) if (output := os.environ.get("GITHUB_OUTPUT", "")) else None,
        summary=Path(summary) if (summary := os.environ.get("GITHUB_STEP_SUMMARY", "")) else None,
        temp=Path(os.environ.get("RUNNER_TEMP") or "/tmp"),  # noqa: S108 - only where no runner names one
    )
    _publish_results(inputs, Run(inputs, Settings(), errors=[str(error)]), "failure")
    return error.exit_code


def _publish_results(inputs: Inputs, run: Run, ended: str) -> None:
    facts = run.facts.model_copy(update={"model": run.spending()})
    text = summary_page(run.results, run.people, run.errors, facts, run.note)
    file = Path(inputs.temp, "remediator-summary.md")
    file.write_text(text, encoding="utf-8")
    if inputs.summary:
        with inputs.summary.open("a", encoding="utf-8") as summary:
            summary.write(text)
    write_outputs(inputs, outputs(run.results, ended, str(file), run.matrix))
    # The runner runs `::commands::` at the start of any line, indented or not: a command in a log must stay text.
    token = uuid.uuid4().hex
    _print([*job_annotations(run.results, run.errors), f"::stop-commands::{token}", text.rstrip(), f"::{token}::"])


def _print(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
