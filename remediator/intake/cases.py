"""The cases in a run's logs: all sources are scanned and classified once, and split into incidents."""

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
"""Bounds of the excerpt of a log in the state."""


@dataclass(frozen=True)
class LogFiles:
    """Logs given as paths; `-` is standard input. ConfigError for one that is missing."""

    paths: Sequence[str]

    def inputs(self) -> list[Input]:
        """Return the inputs in the order of their paths."""
        return open_inputs(self.paths)


@dataclass
class CaseReader:
    """The `LogSource` port over any sources of inputs; each source is read once, at the first question."""

    sources: Sequence[Callable[[], Sequence[Input]]]
    catalogue: Catalogue
    redact: Callable[[str], str]
    cluster: str = ""
    cluster_of: Callable[[str, str], str] = lambda _source, cluster: cluster
    """Maps (source's name, the statement's cluster) to the cluster, where there are several."""
    now: Clock = lambda: datetime.now(UTC)
    refuse_empty: bool = False
    """True for files alone: an empty one is a mistake, whereas a server may have nothing to say."""
    source_notes: Callable[[], Sequence[str]] = tuple
    """Returns the sources' own notes, after they were read."""

    @cached_property
    def scan(self) -> Scan:
        """Return the statements of all inputs, from one streaming pass."""
        inputs = [item for source in self.sources for item in source()]
        scanner = Scanner([Pattern(name, regex) for name, regex in self.catalogue.patterns()])
        scan = scanner.scan(inputs)
        if inputs and not scan.bytes and self.refuse_empty:
            names = ", ".join(report.name for report in scan.inputs)
            why = "; ".join(scan.notes) or f"{names}: empty: did the command that should have filled it fail?"
            raise ConfigError(why)
        return scan

    def cases(self) -> tuple[Case, ...]:
        """Return the incidents, the most severe first; the same fault twice in one run is one case."""
        return self._cases

    def measured(self) -> tuple[int, float]:
        """Return the number of lines and the seconds of the scan."""
        return self.scan.lines, self.scan.seconds

    def notes(self) -> tuple[str, ...]:
        """Return the redacted notes of the sources and of the scan."""
        read = self.scan.notes
        return tuple(self.redact(note) for note in (*self.source_notes(), *read))

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        read_at = stamp(self.now())
        source = ", ".join(report.name for report in self.scan.inputs)
        log_text = self.redact("\n".join(self.scan.texts))
        cases: dict[str, Case] = {}
        for diagnosis in classify(tuple(map(self._placed, self.scan.statements)), self.catalogue, redact=self.redact):
            name = self._fingerprint(diagnosis)
            case = Case(
                fingerprint=name,
                diagnosis=diagnosis,
                excerpt=excerpt(diagnosis),
                log=log_text,
                source=source,
                read_at=read_at,
                about=self._about(diagnosis),
                names=":".join(object_names(diagnosis)),
                echo=self._echo(diagnosis),
            )
            cases.setdefault(name, case)
        return tuple(cases.values())

    def _placed(self, statement: Statement) -> Statement:
        """Return the statement with its cluster: the same workload in two clusters is two workloads."""
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
            item.channel == "alert" and (item.signal not in owners or owners[item.signal][1].role != "cause")
            for item in diagnosis.evidence
        )

    def _fingerprint(self, diagnosis: Diagnosis) -> str:
        subject = diagnosis.subject
        name = signature(diagnosis)
        if not any((subject.application, subject.name, subject.pod, subject.container, subject.node)):
            name = ":".join([name, *_whole_evidence(diagnosis)])
        return fingerprint(
            cluster=self.cluster or subject.cluster,
            application=subject.application,
            workload="/".join(part for part in (subject.namespace, subject.kind, subject.name) if part),
            container=subject.container,
            category=diagnosis.category,
            signature=name,
        )


@dataclass(frozen=True)
class LateLogs:
    """A `LogSource` that finds the run's reader at each call: a sweep runs before any log is named."""

    find: Callable[[], CaseReader]

    def cases(self) -> tuple[Case, ...]:
        """Return the cases of the run's reader."""
        return self.find().cases()

    def measured(self) -> tuple[int, float]:
        """Return the figures of the run's reader."""
        return self.find().measured()

    def notes(self) -> tuple[str, ...]:
        """Return the notes of the run's reader."""
        return self.find().notes()


def _whole_evidence(diagnosis: Diagnosis) -> list[str]:
    """Return sources and sentences of the evidence: where no object is named, one signal may stand for many faults."""
    return sorted({f"{item.source} {item.reason} {item.text}" for item in diagnosis.evidence})


def excerpt(diagnosis: Diagnosis) -> str:
    """Return the lines of the evidence, already redacted, each with its file and line."""
    lines = [f"{item.source}:{item.line}: {_sentence(item.reason, item.text)}" for item in diagnosis.evidence]
    return "\n".join(lines[:EXCERPT_LINES])[:EXCERPT_CHARACTERS]


def _sentence(reason: str, text: str) -> str:
    return f"{reason}: {text}" if reason and reason not in text else text
