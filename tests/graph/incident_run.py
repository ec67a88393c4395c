"""A small world for the graph's tests: one incident, fakes for all ports, and what happened in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from remediator.domain.change import Edit, Place, Proposal
from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.domain.lifecycle import Case, RemediationPlan, Review
from remediator.graph.admission import Admission
from remediator.graph.build import Ports, build
from remediator.graph.driver import Driver, DriverResult
from remediator.graph.investigation import Investigator
from remediator.graph.limits import RunLimits
from remediator.graph.state import VALUES, record
from remediator.services.checkpoints.saver import RefCheckpointSaver
from tests.fake_ports import FakeForge, FakeLogs, FakePlanner, FakeVerifier, MemoryRefStore

FILE = "apps/checkout/values.yaml"
PRINT = "3f9a2c" + "0" * 58


def case(
    *, category: str = "oom", severity: str = "critical", fingerprint: str = PRINT, name: str = "checkout"
) -> Case:
    subject = Subject(namespace="shop", kind="Deployment", name=name, container="app", application="checkout")
    evidence = Evidence(
        id="E1",
        signal="oom_killed",
        category=category,
        source="log.txt",
        line=3,
        channel="status",
        subject=subject,
        reason="OOMKilled",
        text="Last State: Terminated",
    )
    diagnosis = Diagnosis.model_validate(
        {
            "category": category,
            "severity": severity,
            "subject": subject,
            "summary": "checkout was OOMKilled",
            "evidence": (evidence,),
        }
    )
    return Case(
        fingerprint=fingerprint,
        diagnosis=diagnosis,
        excerpt="log.txt:3: OOMKilled",
        source="log.txt",
        read_at="2026-01-01T00:00:00Z",
    )


def proposal(name: str, text: str, *, file: str = FILE) -> Proposal:
    return Proposal(
        id=name,
        action=name.partition("#")[0],
        title=f"{name.replace('_', ' ')} to {text.strip()}",
        reason="It was killed.",
        evidence_ids=("E1",),
        places=(Place(file=file, path=("memory",), value="1Gi"),),
        edits=(Edit(op="write", file=file, value=text),),
    )


TWO = RemediationPlan(
    applications=("checkout",),
    root_cause="The limit is too low (E1).",
    proposals=(proposal("raise_memory_limit", "memory: 2Gi\n"), proposal("roll_back", "memory: 4Gi\n")),
)


@dataclass
class IncidentRun:
    """Everything that one incident touches, kept between "processes"."""

    cases: tuple[Case, ...] = field(default_factory=lambda: (case(),))
    planner: FakePlanner = field(default_factory=lambda: FakePlanner(TWO))
    forge: FakeForge = field(default_factory=lambda: FakeForge({FILE: "memory: 1Gi\n"}))
    verifiers: tuple[FakeVerifier, ...] = ()
    limits: RunLimits = field(default_factory=RunLimits)
    investigator: Investigator | None = None
    store: MemoryRefStore = field(default_factory=MemoryRefStore)
    time: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def driver(self, *, preview: bool = False) -> Driver:
        """A new process: nothing is shared but the store and the forge."""
        saver = RefCheckpointSaver(
            self.store,
            allowed=VALUES,
            summarise=lambda thread, values: record(thread, dict(values)).model_dump(mode="json"),
            keep=1,
        )
        ports = Ports(
            logs=FakeLogs(self.cases),
            planner=self.planner,
            forge=self.forge,
            now=self.now,
            verifiers=self.verifiers,
            limits=self.limits,
            investigator=self.investigator,
        )
        admission = Admission(frozen=self.planner.frozen, now=self.now)
        return Driver(build(ports, saver), saver, self.limits, self.now, admission, preview=preview)

    def now(self) -> datetime:
        return self.time

    def start(self) -> DriverResult:
        return self.driver().start(self.cases[0])

    def answer(self, kind: str, **facts: str) -> DriverResult:
        """Resume the first incident in a new process."""
        driver = self.driver()
        return driver.resume(driver.records()[0].incident_id, Review.model_validate({"kind": kind, **facts}))

    def merge(self, **facts: str) -> DriverResult:
        """Approve as the command line does: merge, then tell the graph."""
        driver = self.driver()
        incident_id = driver.records()[0].incident_id
        pull = driver.state(incident_id)["pull_request"]
        assert pull is not None
        merged = self.forge.merge(pull)
        review = Review.model_validate({"kind": "merged", "by": "ann", "commit": merged.merge_commit, **facts})
        return driver.resume(incident_id, review)

    def pass_time(self, **amount: float) -> None:
        self.time += timedelta(**amount)
