"""The verifier over logs: an incident's own signature, its rate now against its rate before the merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from remediator.domain.lifecycle import PAUSE, UNDECIDED, Observation
from remediator.domain.rhythm import SEVERAL, least_quiet, longest_pause
from remediator.domain.sources import workload_of
from remediator.domain.times import stamp
from remediator.errors import RemediatorError
from remediator.services.loki.client import Loki, QueryLimits
from remediator.services.loki.query import line_filter, of_workload, quoted, shared_matchers
from remediator.services.loki.source import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.incident import Evidence
    from remediator.domain.lifecycle import VerificationStatus
    from remediator.domain.ports import Clock
    from remediator.domain.sources import Rollout, Web
    from remediator.policy import Catalogue

BEFORE = timedelta(hours=1)
"""The time before the merge for which the earlier rate is counted."""
ARRIVAL = timedelta(minutes=20)
"""The time that a merged change may take into the cluster, where nobody sees it arrive."""
_LONGEST = timedelta(days=1)
"""The longest time before the merge that is asked for, however rare the fault was."""
_STEP, _POINTS = 5, 720
"""Seconds between two counts, at least, and the approximate number of counts. The step of the
merge itself counts on neither side."""

_NAMED = ("missing", "key", "variable", "flag", "command")
"""Facts that tell one fault from another of the same signal; the fingerprint holds them too."""


class SignatureQuery(NamedTuple):
    """Two queries in LogQL: the lines of the fault, and all lines of the same workload."""

    lines: str
    stream: str


@dataclass
class SignatureVerifier:
    """The `Verifier` port: one metric query covers the time before the merge and since."""

    name: str
    web: Web
    catalogue: Catalogue
    now: Clock
    settle: timedelta
    labels: Mapping[str, str] = field(default_factory=dict)
    selectors: Sequence[str] = ()
    """The polled selectors; the matchers that they share (`cluster="eu"`) are used here too."""
    limits: QueryLimits = field(default_factory=QueryLimits)

    @property
    def promise(self) -> str:
        """The condition that holds on success."""
        return "its lines gone from the logs"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Count the signature's lines once."""
        del earlier
        now = self.now()
        query = self._query(rollout)
        if query is None or not rollout.since:
            neutral = {"neutral": "its signature was never one of a log"}
            return self._observation(now, "success", "no log told of this incident", neutral)
        try:
            return self._counted(now, query, rollout)
        except RemediatorError as error:
            return self._observation(now, "pending", str(error))

    def forget(self) -> None:
        """Do nothing: no answer is cached."""

    def _counted(self, now: datetime, query: SignatureQuery, rollout: Rollout) -> Observation:
        merged = datetime.fromisoformat(rollout.since)
        span = min(max(BEFORE, (SEVERAL + 1) * rollout.pause), _LONGEST)
        at = merged.timestamp()
        step = max(_STEP, int((now - merged + span).total_seconds()) // _POINTS)
        points = self._points(query.lines, merged - span, now, step)
        earlier = [(when, count) for when, count in points if when <= at and count]
        before = sum(count for _, count in earlier)
        since = [(when, count) for when, count in points if when - step >= at and count]
        quiet_from = max((when for when, _ in since), default=at)
        rate = f"before: {before / (span.total_seconds() / 60):.1f} per min" if before else "before: none"
        if not any(count for _, count in points):
            summary = f"0 in {_spelled((now - merged).total_seconds())} ({rate})"
            return self._observation(now, "success", summary, {"neutral": "these logs never showed it"})
        pause = longest_pause([when for when, _ in earlier])
        if len(earlier) < SEVERAL and not rollout.pause:  # a rare fault is looked for further back
            step_back = int(_LONGEST.total_seconds()) // _POINTS
            older = self._points(query.lines, merged - _LONGEST, merged, step_back)
            pause = longest_pause([when for when, count in older if count])
        facts = {PAUSE: f"{pause.total_seconds():.0f}"} if pause else {}
        least = least_quiet(self.settle, max(pause, rollout.pause), rollout.diagnosis.category)
        quiet = timedelta(seconds=now.timestamp() - quiet_from)
        if quiet < least:
            total = int(sum(count for _, count in since))
            summary = f"{total} in {_spelled((now - merged).total_seconds())} ({rate}); quiet for {_spelled(quiet.total_seconds())} of {_spelled(least.total_seconds())}"
            grace = timedelta() if rollout.arrived_at else ARRIVAL
            if before and self._as_before(since, now, before / span.total_seconds(), least + grace):
                return self._observation(now, "failed", summary, facts)
            return self._observation(now, "pending", summary, facts if since else {**facts, UNDECIDED: "yes"})
        if silence := self._silence(query.stream, merged - span, quiet_from, now, step):
            return self._observation(now, "pending", silence, {**facts, UNDECIDED: "yes"})
        return self._observation(now, "success", f"0 in {_spelled(quiet.total_seconds())} ({rate})", facts)

    def _points(self, query: str, begin: datetime, now: datetime, step: int) -> list[tuple[int, float]]:
        metric = f"sum(count_over_time({query}[{step}s]))"
        return Loki(self.web, self.limits).matrix(metric, nanoseconds(begin), nanoseconds(now) + step * 10**9, step)

    def _silence(self, stream: str, begin: datetime, quiet_from: float, now: datetime, step: int) -> str:
        """Return why quiet proves nothing: the workload's log as a whole was silent longer than it ever was before.

        A collector that stopped, a label that was renamed and pods that are gone all look like recovery.
        """
        spoke = [when for when, count in self._points(stream, begin, now, step) if count]
        usual = longest_pause([when for when in spoke if when <= quiet_from])
        patience = max(self.settle.total_seconds(), 2 * usual.total_seconds()) + step
        looked = [quiet_from, *(when for when in spoke if when > quiet_from), now.timestamp()]
        silent = longest_pause(looked).total_seconds()
        if silent <= patience:
            return ""
        return f"its log as a whole was silent for {_spelled(silent)}, at most {_spelled(usual.total_seconds())} before: cannot tell"

    def _as_before(self, since: Sequence[tuple[int, float]], now: datetime, usual: float, least: timedelta) -> bool:
        """Return whether it goes on as before: in the time that proves the end at least half as often, and repeatedly."""
        window = least.total_seconds()
        newest = sum(count for when, count in since if now.timestamp() - when < window)
        began = min((when for when, _ in since), default=now.timestamp())
        return newest > 1 and newest >= usual * window / 2 and now.timestamp() - began >= window

    def _query(self, rollout: Rollout) -> SignatureQuery | None:
        """Return the queries for the culprit's logs, where they hold evidence, else for those of the first victim."""
        culprit = rollout.diagnosis.subject
        log_evidence = [item for item in rollout.diagnosis.evidence if item.channel == "log"]
        if not log_evidence:
            return None
        its = [
            item
            for item in log_evidence
            if (item.subject.namespace, item.subject.name) == (culprit.namespace, culprit.name)
        ]
        chief = (its or log_evidence)[0]
        workload = workload_of(chief.subject) or workload_of(culprit)
        owners = self.catalogue.signal_owner
        signals = [
            owners[signal_id][1]
            for signal_id in dict.fromkeys(item.signal for item in log_evidence)
            if signal_id in owners
        ]
        if workload is None or not signals:
            return None
        filters = line_filter(signal.pattern for signal in signals)
        left_out = {signal.unless for signal in signals}
        if len(left_out) == 1 and "" not in left_out:
            filters += f" !~ {quoted(*left_out)}"
        filters += "".join(f" |= {quoted(name)}" for name in _named(chief))
        shared = shared_matchers(self.selectors, self.labels)
        return SignatureQuery(
            of_workload(workload, self.labels, filters, shared), of_workload(workload, self.labels, "", shared)
        )

    def _observation(
        self, now: datetime, status: VerificationStatus, summary: str, facts: dict[str, str] | None = None
    ) -> Observation:
        at = stamp(now)
        return Observation(verifier=self.name, status=status, summary=summary, at=at, facts=facts or {})


def _spelled(seconds: float) -> str:
    return f"{int(seconds // 60)} min" if seconds >= 60 else f"{max(0, int(seconds))} s"


def _named(evidence: Evidence) -> list[str]:
    """Return the names in the evidence that are also in the line itself."""
    values = (evidence.facts.get(name, "") for name in _NAMED)
    return [value for value in dict.fromkeys(values) if value and value in evidence.text]
