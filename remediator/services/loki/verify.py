"""Whether an incident's own signature still speaks in the logs, against how often it did before."""

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
"""How far back from the merge the rate before is counted."""
_STEP, _POINTS = 5, 720
"""Seconds between two counts, at least, and how many counts a question asks for, about: what was said within the step in
which the change came is of neither side."""

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
    """What is polled; what they all ask for besides the workload (`cluster="eu"`) is asked for here too."""
    limits: QueryLimits = field(default_factory=QueryLimits)

    @property
    def promise(self) -> str:
        """See the port."""
        return "its lines gone from the logs"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """See the port."""
        del earlier
        now = self.now()
        query = self._query(rollout)
        if not query or not rollout.since:
            neutral = {"neutral": "its signature was never one of a log"}
            return self._say(now, "success", "no log told of this incident", neutral)
        try:
            return self._counted(now, query, datetime.fromisoformat(rollout.since))
        except RemediatorError as error:
            return self._say(now, "pending", str(error))

    def forget(self) -> None:
        """Nothing is kept."""

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
            return self._say(now, "success", f"0 in {after} ({rate})", neutral)
        quiet = now.timestamp() - quiet_from
        total = int(sum(count for _, count in since))
        if quiet < self.settle.total_seconds():
            said = f"{total} in {after} ({rate}); quiet for {_spelled(quiet)}"
            return self._say(now, "failed" if before and self._as_before(since, now, before) else "pending", said)
        return self._say(now, "success", f"0 in {_spelled(quiet)} ({rate})")

    def _as_before(self, since: Sequence[tuple[int, float]], now: datetime, before: float) -> bool:
        """Whether it goes on as it did: in the newest settle time, half as often as before or more, and repeatedly."""
        window = self.settle.total_seconds()
        newest = sum(count for when, count in since if now.timestamp() - when < window)
        usual = before / BEFORE.total_seconds() * window
        began = min((when for when, _ in since), default=now.timestamp())
        return newest > 1 and newest >= usual / 2 and now.timestamp() - began >= window

    def _query(self, rollout: Rollout) -> str:
        """Of the logs that told: the culprit's own, where they did, else those of the first that suffered."""
        culprit = rollout.diagnosis.subject
        spoken = [item for item in rollout.diagnosis.evidence if item.channel == "log"]
        if not spoken:
            return ""
        its = [one for one in spoken if (one.subject.namespace, one.subject.name) == (culprit.namespace, culprit.name)]
        chief = (its or spoken)[0]
        workload = workload_of(chief.subject) or workload_of(culprit)
        owners = self.catalogue.signal_owner
        signals = [owners[one][1] for one in dict.fromkeys(item.signal for item in spoken) if one in owners]
        if workload is None or not signals:
            return ""
        filters = line_filter(one.pattern for one in signals)
        left_out = {one.unless for one in signals}
        if len(left_out) == 1 and "" not in left_out:
            filters += f" !~ {quoted(*left_out)}"
        filters += "".join(f" |= {quoted(one)}" for one in _named(chief))
        return of_workload(workload, self.labels, filters, shared_matchers(self.selectors, self.labels))

    def _say(
        self, now: datetime, status: VerificationStatus, summary: str, facts: dict[str, str] | None = None
    ) -> Observation:
        at = stamp(now)
        return Observation(verifier=self.name, status=status, summary=summary, at=at, facts=facts or {})


def _spelled(seconds: float) -> str:
    return f"{int(seconds // 60)} min" if seconds >= 60 else f"{max(0, int(seconds))} s"


def _named(evidence: Evidence) -> list[str]:
    """What the evidence names, where it stands so in the line itself."""
    found = (evidence.facts.get(name, "") for name in _NAMED)
    return [one for one in dict.fromkeys(found) if one and one in evidence.text]
