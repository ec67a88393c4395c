"""Look at a life as sweeps do, with the real verifiers and the real node, until there is a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from statistics import median
from typing import Any

from remediator.domain.change import Proposal, PullRequest
from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.domain.lifecycle import Incident
from remediator.domain.ports import Verifier
from remediator.domain.rhythm import least_quiet
from remediator.domain.times import stamp
from remediator.graph.limits import RunLimits
from remediator.graph.nodes.verify_recovery import verify_recovery
from remediator.graph.state import IncidentState, initial_state
from remediator.policy import load
from remediator.services.alertmanager.verify import AlertVerifier
from remediator.services.argocd.verify import ArgoVerifier
from remediator.services.kubernetes.verify import PodVerifier
from remediator.services.loki.verify import SignatureVerifier
from tests.lives.life import Life, draw
from tests.lives.servers import (
    COMMIT,
    NAME,
    REPOSITORY,
    SPACE,
    AlertmanagerWeb,
    Cluster,
    LokiWeb,
    application,
    moment,
)

SETTLE = timedelta(minutes=5)
LIMITS = RunLimits(deadline=timedelta(hours=12))
CATALOGUE = load().catalogue


@dataclass(frozen=True)
class Verdict:
    """The end of one life as the bot saw it, beside the truth."""

    seed: int
    status: str
    """`resolved`, `failed` or `unconfirmed`."""
    truth: bool
    """True where the fault did not occur after the verdict."""
    outcome: str
    after: float
    """Seconds from the arrival of the change to the verdict."""
    least: float
    """Seconds that the rule asks for: quiet that outlasts the fault's pauses."""
    words: str

    @property
    def is_false_success(self) -> bool:
        """Return True where recovery was claimed and the fault went on."""
        return self.status == "resolved" and not self.truth

    @property
    def is_false_failure(self) -> bool:
        """Return True where the change was called a failure and the fault was over."""
        return self.status == "failed" and self.truth and self.outcome == "over"


def look(seed: int) -> Verdict:
    """Return the verdict on the life of this seed."""
    life = draw(Random(seed))
    clock = [0.0]
    verifiers, state = _verifiers(life, clock), _state(life)
    at, turn = 60.0, 0
    while state["workflow_status"] == "verifying" and state["verification_status"] != "failed":
        clock[0] = at
        for verifier in verifiers:
            verifier.forget()
        state.update(verify_recovery(state, verifiers=verifiers, limits=LIMITS, now=lambda: moment(clock[0])))
        at += life.between_looks * life.jitter[turn % len(life.jitter)]
        turn += 1
    now = clock[0]
    failed = state["verification_status"] == "failed"
    told = "status" in life.told_by or "log" in life.told_by
    pause = timedelta(seconds=life.pause * 1.33 if life.pause_is_told and told else 0)
    return Verdict(
        seed=seed,
        status="failed" if failed else state["workflow_status"],
        truth=life.is_over(now) and now >= life.arrival,
        outcome=life.outcome if life.arrival < now else "not arrived",
        after=now - life.arrival,
        least=least_quiet(SETTLE, pause, "oom").total_seconds() + life.between_looks,
        words=state["recovery_result"],
    )


def figures(verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Return counts, the shares of false verdicts, and the time to success against the least that the rule allows."""
    all_verdicts = list(verdicts)
    over = [verdict for verdict in all_verdicts if verdict.outcome == "over"]
    resolved = [verdict for verdict in over if verdict.status == "resolved"]
    return {
        "lives": len(all_verdicts),
        "verdicts": dict(sorted(Counter(f"{one.outcome}: {one.status}" for one in all_verdicts).items())),
        "false_success": [one.seed for one in all_verdicts if one.is_false_success],
        "false_failure": [one.seed for one in all_verdicts if one.is_false_failure],
        "false_failure_share": round(sum(one.is_false_failure for one in over) / max(1, len(over)), 4),
        "success_share_where_over": round(len(resolved) / max(1, len(over)), 3),
        "median_time_of_least": round(median([one.after / one.least for one in resolved]), 2) if resolved else None,
    }


def _verifiers(life: Life, clock: list[float]) -> list[Verifier]:
    def now() -> float:
        return clock[0]

    def time() -> Any:
        return moment(clock[0])

    made: dict[str, Verifier] = {
        "argocd": ArgoVerifier(
            "argocd",
            lambda _name: application(life, now()),
            time,
            lambda revision, commit: revision == commit,
            lambda address: address == REPOSITORY,
            SETTLE,
        ),
        "pods": PodVerifier("pods", Cluster(life, now), time, SETTLE, rollouts=False),  # type: ignore[arg-type]
        "loki": SignatureVerifier("loki", LokiWeb(life), CATALOGUE, time, SETTLE),
        "alertmanager": AlertVerifier("alertmanager", AlertmanagerWeb(life, now), time, SETTLE),
    }
    return [verifier for name, verifier in made.items() if name in life.verifiers]


_PROPOSAL = Proposal(
    id="raise_memory_limit",
    action="raise_memory_limit",
    title="t",
    reason="r",
    evidence_ids=(),
    remade=(f"Deployment/{NAME}",),
)


def _state(life: Life) -> IncidentState:
    subject = Subject(namespace=SPACE, kind="Deployment", name=NAME, container="app", application=NAME)
    evidence = tuple(_evidence(life, subject, channel) for channel in sorted(life.told_by))
    category = "oom" if life.kind == "crash" else "application_error"
    diagnosis = Diagnosis(category=category, severity="critical", subject=subject, summary="s", evidence=evidence)
    pull = PullRequest(branch="remediator/x-1", base="main", title="t", body="b", state="merged", merge_commit=COMMIT)
    state = initial_state(
        "inc-000000-1", Incident(fingerprint="f", chosen=_PROPOSAL.id), [{"kind": "merged", "at": stamp(moment(0))}]
    )
    state.update(
        diagnosis=diagnosis,
        pull_request=pull,
        affected_apps=[NAME],
        error_category=category,
        error_severity="critical",
        proposals=(_PROPOSAL,),
        workflow_status="verifying",
    )
    return state


def _evidence(life: Life, subject: Subject, channel: str) -> Evidence:
    """Return what the incident's log told of it on a channel, with the pause where the life tells it."""
    told: dict[str, Any] = {}
    facts: dict[str, str] = {}
    if life.pause_is_told and channel == "log":
        told = {"count": 5, "first_seen": stamp(moment(-life.pause * 4)), "last_seen": stamp(moment(0))}
    if life.pause_is_told and channel == "status":
        facts = {"restart_count": "10", "age": f"{max(1, round(life.pause * 10))}s"}
    signal = {"status": "oom_killed", "log": "stack_trace", "alert": ""}[channel]
    return Evidence(
        id=f"E-{channel}",
        signal=signal,
        category="oom",
        source="log.txt",
        line=1,
        channel=channel,
        subject=subject,
        reason="FaultFires" if channel == "alert" else "OOMKilled",
        text="Traceback",
        facts=facts,
        **told,
    )
