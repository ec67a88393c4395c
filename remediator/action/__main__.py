"""One event in, one outcome out: decide what it asks for, do it, say what became of it."""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from remediator.action.inputs import Inputs
from remediator.action.outcome import ActionResult, conclusion, exit_code, outputs, page, remarks, written
from remediator.commands import faults
from remediator.commands.output import redact_logging, set_up_logging
from remediator.commands.shared import report_of
from remediator.commands.targets import matrix
from remediator.errors import ConfigError, RemediatorError
from remediator.graph.polling import unsettled
from remediator.report import IncidentReport, RunFacts
from remediator.settings import Settings
from remediator.trigger import Ignore, ListTargets, Resume, Start, Sweep, decide
from remediator.wiring import Services, now, preload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.action.held_issue import HeldList
    from remediator.action.reconcile import Reconciler
    from remediator.domain.lifecycle import Case
    from remediator.graph.driver import DriverResult
    from remediator.graph.state import IncidentState


_MOST_OF_ONE_LINE = 500
"""Characters; longer lines of logs are rare, and a log of just one is none."""


@dataclass
class Run:
    """One run of the action; what it learns on the way is kept, so that a fault costs only what comes after it."""

    inputs: Inputs
    settings: Settings
    found: list[ActionResult] = field(default_factory=list)
    people: list[IncidentReport] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    facts: RunFacts = field(default_factory=RunFacts)
    note: str = ""
    matrix: str = ""
    _services: Services | None = field(default=None, init=False, repr=False)
    """The adapters, once they were needed: an event may end before."""

    def handle(self) -> None:
        """Do what the event asks for."""
        inputs = self.inputs
        repository = self.settings.github.repository if self.settings.github else ""
        if self.settings.github is None:
            raise ConfigError("no token: give the action's input `token`, and run it on GitHub Actions")
        if inputs.off:
            self.note = "Switched off by the variable REMEDIATOR_OFF: nothing was done."
            return
        asked = decide(inputs.event, inputs.payload, inputs.mode, workflows=inputs.workflows, repository=repository)
        if isinstance(asked, Ignore):
            self.note = f"Nothing to do: {asked.why}."
            return
        if isinstance(asked, ListTargets):
            self.matrix = matrix(self.services.policies)
            self.note = f"The matrix of the jobs that follow: `{self.matrix}`"
            return
        if not self.services.policies.guardrails.enabled:
            self.note = "Switched off by the policy (`guardrails.enabled: false`): nothing was done."
            return
        if inputs.dry_run and not isinstance(asked, Start):
            self.note = "A dry run answers nobody: nothing was done."
            return
        preload()
        redact_logging(lambda text: self.services.redact(text))  # noqa: PLW0108 - made when a first record needs it
        match asked:
            case Resume(pull_request=number) if number:
                self._keep(self._watched(self.follow.number(number)))
            case Resume(application=application):
                self._swept(application)
            case Sweep(start=start):
                self._swept()
                if start and (self._named() or self.services.outside.polled()):
                    self._start(Start(source="inputs"))
            case Start():
                self._start(asked)

    @property
    def services(self) -> Services:
        """All adapters; the logs are named by the event and the inputs."""
        if self._services is None:
            self._services = Services(self.settings, self.inputs.directory, dry_run=self.inputs.dry_run)
        return self._services

    def spending(self) -> str:
        """Return what the model has cost; empty where none was asked."""
        return self._services.spending() if self._services else ""

    @cached_property
    def follow(self) -> Reconciler:
        """The reader of pull requests."""
        from remediator.action.reconcile import Reconciler
        from remediator.services.github.conversation import Conversation

        if self.services.client is None:
            raise ConfigError("pull requests are followed on GitHub only")
        return Reconciler(
            self.services.driver, self.services.forge, Conversation(self.services.client), now, self.services.redact
        )

    def _named(self) -> bool:
        inputs = self.inputs
        return bool(inputs.log_artifact or inputs.log_path or inputs.log_text or inputs.source)

    def _start(self, asked: Start) -> None:
        named = self._logs(asked)
        self.services.read(named or self.services.outside.polled(), poll=not named)
        self.facts = RunFacts(dry_run=self.inputs.dry_run, notes=self.services.logs.notes())
        if not named and not self.services.logs.scan.inputs:
            self.note = f"{self.note} The servers had nothing new to tell.".strip()
            self._handled()
            return
        cases = self.services.logs.cases()
        lines, seconds = self.services.logs.measured()
        self.facts = self.facts.model_copy(update={"lines": lines, "seconds": seconds})
        before = set() if self.inputs.dry_run else {one.branch for one in self.services.driver.records()}
        held = None if self.inputs.dry_run else self.held
        for case in cases:
            outcome = faults.contained(lambda case=case: self._one(case))  # type: ignore[misc]
            if isinstance(outcome, RemediatorError):
                self.errors.append(str(outcome))
                continue
            pull = outcome.state["pull_request"]
            self._keep(outcome.state, known=bool(pull and pull.branch in before), error=str(outcome.error or ""))
        if held:
            held.tell()
        self._handled()

    def _handled(self) -> None:
        """Polled sources are read on from here; where something failed, what failed is read, and tried, once more."""
        if not self.errors and not any(one.status == "failed" for one in self.found):
            self.services.handled()

    def _one(self, case: Case) -> DriverResult:
        """What people did meanwhile comes first: the incident may be merged or declined already."""
        if not self.inputs.dry_run:
            for record in self.services.driver.records():
                if record.fingerprint == case.fingerprint and record.status == "awaiting_review":
                    pull = self.services.driver.state(record.incident_id)["pull_request"]
                    if pull and pull.number:
                        self.follow.number(pull.number)
        result = self.services.driver.start(case)
        if not self.inputs.dry_run and result.error is None:
            self.follow.recurred(result.state)
        return result

    def _swept(self, application: str = "") -> None:
        verify = bool(self.services.verifiers)
        self.held.heed()
        done = self.follow.sweep(verify=verify, application=application)
        if application and verify:  # told of one Application's sync; of all that are open, none is waited for

            def look() -> dict[str, IncidentState | RemediatorError]:
                done.update(self.follow.sweep(verify=True, application=application))  # what has ended is open no more
                return done

            self.services.patience.watch(
                done, lambda found: any(isinstance(one, dict) and unsettled(one) for one in found.values()), look
            )
        for incident, state in done.items():
            if isinstance(state, RemediatorError):
                self.errors.append(f"{incident}: {state}")
            else:
                self._keep(state)
        self.held.tell()
        self.note = "" if done else "No incident is open."

    def _watched(self, state: IncidentState | None) -> IncidentState | None:
        """The state after as many looks as the policy has patience for."""
        if state is None or not self.services.verifiers:
            return state
        incident = state["incident_id"]
        return self.services.patience.watch(state, unsettled, lambda: self.follow.again(incident))

    @cached_property
    def held(self) -> HeldList:
        """The list of what is held back."""
        from remediator.action.held_issue import HeldList

        return HeldList(self.services.driver, self.follow.conversation)

    def _logs(self, asked: Start) -> list[str]:
        """Files and sources to read, none where servers are polled; texts go into the runner's temporary directory."""
        inputs = self.inputs
        if asked.source == "alert":
            return [self._file("alerts.json", self.services.outside.dispatched(asked.alerts)[1])]
        named = [*inputs.log_path, *([inputs.source] if inputs.source not in {"", "artifact", "file"} else [])]
        _must_have_lines(inputs.log_text)
        if inputs.log_text.strip():
            named.append(self._file("pasted.log", inputs.log_text))
        if inputs.log_artifact:
            named.append(self._artifact(inputs.log_artifact, asked))
        if not named and not self.services.outside.polled():
            raise ConfigError("nothing to read: give log-artifact, log-path, log-text or source")
        return named

    def _file(self, name: str, text: str) -> str:
        path = Path(self.inputs.temp, f"remediator-{name}")
        path.write_text(text, encoding="utf-8")
        return str(path)

    def _artifact(self, name: str, asked: Start) -> str:
        from remediator.services.github.artifacts import fetch

        client = self.services.client
        if client is None:
            raise ConfigError("log-artifact needs GitHub")
        if self.inputs.repository and not asked.run_id:
            client = replace(client, repository=self.inputs.repository)
        return str(fetch(client, name, asked.run_id or self.inputs.run_id, self.inputs.temp))

    def _keep(self, state: IncidentState | None, *, known: bool = True, error: str = "") -> None:
        if state is None:
            self.note = "Nothing to do: the pull request is not Remediator's, or bears the label `remediator-off`."
            return
        self.found.append(ActionResult.of(state, known=known, error=error))
        if state["workflow_status"] == "needs_person":
            self.people.append(report_of(self.services, state))

    def clean(self) -> None:
        """Take out of what is told the secrets that a server may have quoted."""
        redact = faults.contained(lambda: self.services.redact)
        if not isinstance(redact, RemediatorError):
            self.errors = [redact(error) for error in self.errors]
            self.found = [one.model_copy(update={"reason": redact(one.reason)}) for one in self.found]


def _must_have_lines(text: str) -> None:
    """GitHub's form takes one line: what is pasted into it comes without its line breaks, and means nothing any more."""
    text = text.strip()
    if "\n" not in text and len(text) > _MOST_OF_ONE_LINE and text[:1] not in "{[":
        raise ConfigError(
            f"log-text is one line of {len(text)} characters: the form drops line breaks; use an artifact, or"
            ' `gh workflow run … -f log-text="$(cat FILE)"`'
        )


def main() -> int:
    """Run, then tell: whatever breaks, the summary and the outputs are written."""
    set_up_logging(os.environ.get("REMEDIATOR_LOG_LEVEL", ""), os.environ)
    run = faults.contained(lambda: Run(Inputs.from_environ(os.environ), Settings.from_environ(os.environ)))
    if isinstance(run, RemediatorError):
        return _refused(run)
    broken = faults.contained(run.handle)
    if isinstance(broken, RemediatorError):
        run.errors.append(str(broken))
    run.clean()
    ended = conclusion(run.found, run.errors)
    _tell(run.inputs, run, ended)
    return exit_code(ended, run.inputs.fail_on)


def _refused(error: RemediatorError) -> int:
    """An input that cannot be meant: said where outputs and summary are, as far as the runner names their places."""
    inputs = Inputs(
        event="",
        output=Path(output) if (output := os.environ.get("GITHUB_OUTPUT", "")) else None,
        summary=Path(summary) if (summary := os.environ.get("GITHUB_STEP_SUMMARY", "")) else None,
        temp=Path(os.environ.get("RUNNER_TEMP") or "/tmp"),  # noqa: S108 - only where no runner names one
    )
    _tell(inputs, Run(inputs, Settings(), errors=[str(error)]), "failure")
    return error.exit_code


def _tell(inputs: Inputs, run: Run, ended: str) -> None:
    facts = run.facts.model_copy(update={"model": run.spending()})
    text = page(run.found, run.people, run.errors, facts, run.note)
    file = Path(inputs.temp, "remediator-summary.md")
    file.write_text(text, encoding="utf-8")
    if inputs.summary:
        with inputs.summary.open("a", encoding="utf-8") as summary:
            summary.write(text)
    written(inputs, outputs(run.found, ended, str(file), run.matrix))
    # The runner obeys `::commands::` wherever a line begins with one, indented or not: a log's must stay text.
    token = uuid.uuid4().hex
    _say([*remarks(run.found, run.errors), f"::stop-commands::{token}", text.rstrip(), f"::{token}::"])


def _say(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
