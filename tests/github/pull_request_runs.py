"""A pull request's life on the stand-in: every call is a run of its own, which knows only what GitHub holds."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from remediator.action.queue_issue import QueueIssue
from remediator.action.reconcile import Reconciler
from remediator.graph.admission import Admission, Caps
from remediator.graph.build import Ports, build
from remediator.graph.driver import Driver
from remediator.graph.limits import RunLimits
from remediator.graph.state import VALUES, record
from remediator.services.checkpoints.documents import INDEX
from remediator.services.checkpoints.saver import RefCheckpointSaver
from remediator.services.github.blobs import StoredBlob
from remediator.services.github.conversation import Conversation
from remediator.services.github.forge import GitHubForge
from remediator.services.github.ref_store import GitHubRefStore
from tests.fake_ports import FakeLogs, FakePlanner, FakeVerifier
from tests.github.server import Server
from tests.github.stand_in import client, stand_in
from tests.graph.incident_run import FILE, TWO, case

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remediator.domain.lifecycle import Case, VerificationStatus
    from remediator.graph.driver import DriverResult
    from remediator.graph.state import IncidentState
    from remediator.services.github.client import Client


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Kill:
    """Ends the process right after its n-th request; for GitHub that is right before the next one."""

    at: int

    def arm(self, web: Client) -> None:
        ask, countdown = web.session.request, iter(range(self.at - 1, -1, -1))

        def request(*args: Any, **options: Any) -> Any:
            answer = ask(*args, **options)
            if next(countdown, -1) == 0:
                raise Killed
            return answer

        web.session.request = request  # type: ignore[method-assign]


@dataclass
class Life:
    """Every call is a run: new clients, nothing remembered."""

    server: Server
    verdicts: list[VerificationStatus] = field(default_factory=list)
    cost: list[str] = field(default_factory=list)
    limits: RunLimits = field(default_factory=RunLimits)
    time: datetime = datetime(2026, 1, 2, 4, tzinfo=UTC)
    kill: Kill | None = None
    caps: Caps = field(default_factory=Caps)
    cases: tuple[Case, ...] = field(default_factory=lambda: (case(),))

    def _run(self) -> tuple[Driver, Reconciler]:
        web = client(self.server)
        if self.kill:
            self.kill.arm(web)
        store = GitHubRefStore(web, prefetch=[INDEX], fresh_for=60)
        saver = RefCheckpointSaver(
            store, allowed=VALUES, keep=1,
            summarise=lambda t, v: record(t, dict(v)).model_dump(mode="json", exclude_defaults=True),
        )  # fmt: skip
        forge, planner = GitHubForge(web, local=self.checkout), FakePlanner(TWO)
        verifiers = [FakeVerifier(self.verdicts)] if self.verdicts else []

        def now() -> datetime:
            return self.time

        ports = Ports(
            logs=FakeLogs(self.cases),
            planner=planner,
            forge=forge,
            now=now,
            verifiers=verifiers,
            limits=self.limits,
        )
        driver = Driver(build(ports, saver), saver, self.limits, now, Admission(self.caps, now=now))
        return driver, Reconciler(driver, forge, Conversation(web), now)

    def checkout(self, commit: str, path: str) -> StoredBlob | None:
        """The runner's clone, which has the base."""
        entry = self.server.world.bare.entry(commit, path)
        blob = self.server.world.bare.ask(entry.oid) if entry else None
        return StoredBlob(int(entry.mode, 8), entry.oid, blob[2]) if entry and blob else None

    def start(self) -> DriverResult:
        del self.server.journal[:]
        result = self._run()[0].start(self.cases[0])
        self.cost = list(self.server.journal)
        assert result.error is None, result.error
        return result

    def event(self) -> IncidentState:
        del self.server.journal[:]
        state = self._run()[1].number(self.number)
        self.cost = list(self.server.journal)
        assert state
        return state

    def sweep(self, *, verify: bool = False) -> None:
        """Sweep as the action does: ticks first, the list of what is held back last."""
        driver, follow = self._run()
        held = QueueIssue(driver, follow.conversation)
        held.apply_ticks()
        for state in follow.sweep(verify=verify).values():
            assert isinstance(state, dict), state
        held.update()

    @property
    def number(self) -> int:
        return min(self.server.world.pulls)

    def comments(self) -> list[str]:
        return [item.body for item in self.server.world.pulls[self.number].comments if item.user.endswith("[bot]")]


@contextmanager
def living(place: Path) -> Iterator[Life]:
    """A repository with one values file, its owner, and a state branch."""
    with stand_in(place, {FILE: "memory: 1Gi\n", ".github/CODEOWNERS": "* @ada\n"}) as server:
        world = server.world
        world.create("remediator-state", world.bare.write_commit(world.bare.write_tree("", {}), [], "Start", "ada"))
        yield Life(server)
