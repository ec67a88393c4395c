"""Logs from any number of sources: scanned and classified once, told apart into incidents."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from remediator.diagnosis import classify, object_names, signature
from remediator.domain.lifecycle import Case
from remediator.domain.times import stamp
from remediator.errors import ConfigError
from remediator.evidence import Input, Pattern, Scanner, fingerprint, open_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from remediator.domain.incident import Diagnosis, Statement
    from remediator.domain.ports import Clock
    from remediator.evidence import Scan
    from remediator.policy import Catalogue

log = logging.getLogger(__name__)

EXCERPT_LINES, EXCERPT_CHARACTERS = 60, 8_000
"""Bounds of what is kept of a log in the state."""


@dataclass(frozen=True)
class LogFiles:
    """Logs given as paths; `-` is standard input. ConfigError for one that is missing."""

    paths: Sequence[str]

    def inputs(self) -> list[Input]:
        """The inputs in the order they were named."""
        return open_inputs(self.paths)


@dataclass
class CaseReader:
    """The `LogSource` port over whatever gives inputs; each source is read once, at the first question."""

    sources: Sequence[Callable[[], Sequence[Input]]]
    catalogue: Catalogue
    redact: Callable[[str], str]
    cluster: str = ""
    cluster_of: Callable[[str, str], str] = lambda _source, said: said
    """(source's name, what a statement itself says): the cluster, where there are several."""
    now: Clock = lambda: datetime.now(UTC)
    told: Callable[[], Sequence[str]] = tuple
    """What the sources say of themselves, once they were read."""

    @cached_property
    def scan(self) -> Scan:
        """What the inputs say, in one streaming pass."""
        inputs = [one for source in self.sources for one in source()]
        scanner = Scanner([Pattern(name, regex) for name, regex in self.catalogue.patterns()])
        found = scanner.scan(inputs)
        if (
            inputs
            and not found.bytes
            and all(isinstance(getattr(source, "__self__", None), LogFiles) for source in self.sources)
        ):
            names = ", ".join(report.name for report in found.inputs)
            why = "; ".join(found.notes) or f"{names}: empty: did the command that should have filled it fail?"
            raise ConfigError(why)
        return found

    def cases(self) -> tuple[Case, ...]:
        """See the port; the same fault twice in one run is one case, the graver one."""
        return self._cases

    def measured(self) -> tuple[int, float]:
        """See the port."""
        return self.scan.lines, self.scan.seconds

    def notes(self) -> tuple[str, ...]:
        """See the port."""
        read = self.scan.notes
        return tuple(self.redact(note) for note in (*self.told(), *read))

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        read_at = stamp(self.now())
        source = ", ".join(report.name for report in self.scan.inputs)
        cases: dict[str, Case] = {}
        for diagnosis in classify(tuple(map(self._placed, self.scan.statements)), self.catalogue, redact=self.redact):
            name = self._fingerprint(diagnosis)
            case = Case(
                fingerprint=name,
                diagnosis=diagnosis,
                excerpt=excerpt(diagnosis),
                source=source,
                read_at=read_at,
                about=self._about(diagnosis),
                names=":".join(object_names(diagnosis)),
                echo=self._echo(diagnosis),
            )
            cases.setdefault(name, case)
        return tuple(cases.values())

    def _placed(self, statement: Statement) -> Statement:
        """The same workload in two clusters is two workloads, though most of what is said names no cluster."""
        subject = statement.subject
        cluster = self.cluster_of(statement.source, subject.cluster)
        if cluster == subject.cluster:
            return statement
        return statement.model_copy(update={"subject": subject.model_copy(update={"cluster": cluster})})

    def _about(self, diagnosis: Diagnosis) -> str:
        subject = diagnosis.subject
        if not subject.name:
            return ""
        cluster = self.cluster or subject.cluster
        return f"{cluster}/{subject.namespace}/{subject.kind}/{subject.name}/{subject.container}"

    def _echo(self, diagnosis: Diagnosis) -> bool:
        owners = self.catalogue.signal_owner
        return bool(diagnosis.evidence) and all(
            one.channel == "alert" and (one.signal not in owners or owners[one.signal][1].role != "cause")
            for one in diagnosis.evidence
        )

    def _fingerprint(self, diagnosis: Diagnosis) -> str:
        subject = diagnosis.subject
        return fingerprint(
            cluster=self.cluster or subject.cluster,
            application=subject.application,
            workload="/".join(part for part in (subject.namespace, subject.kind, subject.name) if part),
            container=subject.container,
            category=diagnosis.category,
            signature=signature(diagnosis),
        )


@dataclass(frozen=True)
class LateLogs:
    """The `LogSource` that is the run's when it is asked, not when the graph was built: a sweep comes before any log."""

    find: Callable[[], CaseReader]

    def cases(self) -> tuple[Case, ...]:
        """See the port."""
        return self.find().cases()

    def measured(self) -> tuple[int, float]:
        """See the port."""
        return self.find().measured()

    def notes(self) -> tuple[str, ...]:
        """See the port."""
        return self.find().notes()


def excerpt(diagnosis: Diagnosis) -> str:
    """The lines that matter, already redacted, with where they stand."""
    lines = [f"{item.source}:{item.line}: {_sentence(item.reason, item.text)}" for item in diagnosis.evidence]
    return "\n".join(lines[:EXCERPT_LINES])[:EXCERPT_CHARACTERS]


def _sentence(reason: str, text: str) -> str:
    return f"{reason}: {text}" if reason and reason not in text else text
