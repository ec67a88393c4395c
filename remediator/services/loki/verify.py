"""The verifier over logs: an incident's own signature, its rate now against its rate before the merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import Observation
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
_STEP, _POINTS = 5, 720
"""Seconds between two counts, at least, and the approximate number of counts. The step of the
merge itself counts on neither side."""

_NAMED = ("missing", "key", "variable", "flag", "command")
"""Facts that tell one fault from another of the same signal; the fingerprint holds them too."""


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
        if not query or not rollout.since:
            neutral = {"neutral": "its signature was never one of a log"}
            return self._observation(now, "success", "no log told of this incident", neutral)
        try:
            return self._counted(now, query, datetime.fromisoformat(rollout.since))
        except RemediatorError as error:
            return self._observation(now, "pending", str(error))

    def forget(self) -> None:
        """Do nothing: no answer is cached."""

    def _counted(self, now: datetime, query: str, merged: datetime) -> Observation:
        begin = merged - BEFORE
        step = max(_STEP, int((now - begin).total_seconds()) // _POINTS)
        metric = f"sum(count_over_time({query}[{step}s]))"
        points = Loki(self.web, self.limits).matrix(metric, nanoseconds(begin), nanoseconds(now) + step * 10**9, step)
        at = merged.timestamp()
        before = sum(count for when, count in points if when <= at)
        since = [(when, count) for when, count in points if when - step >= at and count]
        quiet_from = max((when for when, _ in since), default=at)
        rate = f"before: {before / (BEFORE.total_seconds() / 60):.1f} per min" if before else "before: none"
        after = _spelled((now - merged).total_seconds())
        if not any(count for _, count in points):
            neutral = {"neutral": "these logs never showed it"}
            return self._observation(now, "success", f"0 in {after} ({rate})", neutral)
        quiet = now.timestamp() - quiet_from
        total = int(sum(count for _, count in since))
        if quiet < self.settle.total_seconds():
            summary = f"{total} in {after} ({rate}); quiet for {_spelled(quiet)}"
            return self._observation(
                now, "failed" if before and self._as_before(since, now, before) else "pending", summary
            )
        return self._observation(now, "success", f"0 in {_spelled(quiet)} ({rate})")

    def _as_before(self, since: Sequence[tuple[int, float]], now: datetime, before: float) -> bool:
        """Return whether it goes on as before: in the last settle time at least half as often, and repeatedly."""
        window = self.settle.total_seconds()
        newest = sum(count for when, count in since if now.timestamp() - when < window)
        usual = before / BEFORE.total_seconds() * window
        began = min((when for when, _ in since), default=now.timestamp())
        return newest > 1 and newest >= usual / 2 and now.timestamp() - began >= window

    def _query(self, rollout: Rollout) -> str:
        """Return the query for the culprit's logs, where they hold evidence, else for those of the first victim."""
        culprit = rollout.diagnosis.subject
        log_evidence = [item for item in rollout.diagnosis.evidence if item.channel == "log"]
        if not log_evidence:
            return ""
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
            return ""
        filters = line_filter(signal.pattern for signal in signals)
        left_out = {signal.unless for signal in signals}
        if len(left_out) == 1 and "" not in left_out:
            filters += f" !~ {quoted(*left_out)}"
        filters += "".join(f" |= {quoted(name)}" for name in _named(chief))
        return of_workload(workload, self.labels, filters, shared_matchers(self.selectors, self.labels))

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
