"""One life of a workload: when its fault occurs before and after a change, and what stops watching it meanwhile.

Times are seconds since the merge. A life is drawn from a random generator, so that a seed names it.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from random import Random
from typing import Literal

MINUTE, HOUR = 60.0, 3600.0
BEFORE = 8 * HOUR
AFTER = 30 * HOUR

Outcome = Literal["over", "same", "rarer", "worse"]


@dataclass(frozen=True)
class Life:
    """A workload with its fault, the change, and the eyes on both."""

    kind: Literal["crash", "errors"]
    """`crash`: each occurrence ends the container. `errors`: a line in the log, and the pod stays ready."""
    outcome: Outcome
    arrival: float
    """The time at which the change reaches the cluster; infinite where nobody syncs it."""
    occurrences: tuple[float, ...]
    """All of them, in order."""
    pause: float
    chatter: tuple[float, ...]
    """Other lines of the workload's log."""
    verifiers: frozenset[str]
    told_by: frozenset[str]
    """Channels of the evidence: `status`, `log`, `alert`."""
    pause_is_told: bool
    log_ends: float
    """The time from which the log source gets nothing any more: a dead collector, a renamed label."""
    prometheus_dies: float
    watchdog: bool
    window: float
    """The time for which an alert fires after an occurrence."""
    between_looks: float
    jitter: tuple[float, ...]

    def counts(self, begin: float, end: float) -> int:
        """Return the number of occurrences in (begin, end]."""
        return bisect_right(self.occurrences, end) - bisect_right(self.occurrences, begin)

    def last(self, now: float) -> float | None:
        """Return the newest occurrence up to now."""
        index = bisect_right(self.occurrences, now)
        return self.occurrences[index - 1] if index else None

    def is_over(self, now: float) -> bool:
        """Return True where the fault does not occur any more."""
        return bisect_left(self.occurrences, now) == len(self.occurrences)

    def alert_since(self, now: float) -> float | None:
        """Return the time since which the alert fires; None where it does not fire."""
        last = self.last(now)
        if last is None or now - last > self.window:
            return None
        index = bisect_right(self.occurrences, now) - 1
        while index and self.occurrences[index] - self.occurrences[index - 1] <= self.window:
            index -= 1
        return self.occurrences[index]


def draw(random: Random) -> Life:
    """Return a life; every choice is an independent draw."""
    kind: Literal["crash", "errors"] = "crash" if random.random() < 0.6 else "errors"
    outcome: Outcome = random.choices(("over", "same", "rarer", "worse"), (0.5, 0.3, 0.1, 0.1))[0]
    pause = math.exp(random.uniform(math.log(30.0), math.log(90 * MINUTE)))
    arrival = math.inf if random.random() < 0.1 else random.uniform(30.0, 15 * MINUTE)
    factor = {"over": math.inf, "same": 1.0, "rarer": 2.0, "worse": 0.5}[outcome]
    until = arrival if outcome == "over" else AFTER
    occurrences = _series(random, -BEFORE, min(arrival, AFTER), pause)
    if arrival < AFTER and until > arrival:
        occurrences += _series(random, arrival + random.uniform(0, pause * factor), AFTER, pause * factor)
    told = {"status"} if kind == "crash" else {"log"}
    told |= {"log"} if random.random() < 0.6 else set()
    told |= {"alert"} if random.random() < 0.5 else set()
    eyes = {name for name in ("argocd", "pods", "loki", "alertmanager") if random.random() < 0.6}
    log_ends = math.inf
    if (chance := random.random()) < 0.12:
        log_ends = random.uniform(0, 4 * HOUR) if chance < 0.08 else min(arrival, 0.0)
    quiet_log = random.random() < 0.1
    return Life(
        kind=kind,
        outcome=outcome,
        arrival=arrival,
        occurrences=tuple(occurrences),
        pause=pause,
        chatter=() if quiet_log else tuple(_series(random, -BEFORE, AFTER, random.uniform(10.0, 10 * MINUTE))),
        verifiers=frozenset(eyes or {"pods"}),
        told_by=frozenset(told),
        pause_is_told=random.random() < 0.7,
        log_ends=log_ends,
        prometheus_dies=random.uniform(0, 4 * HOUR) if random.random() < 0.08 else math.inf,
        watchdog=random.random() < 0.8,
        window=random.choice((5.0, 15.0, 30.0)) * MINUTE,
        between_looks=random.choice((0.5, 2.0, 5.0, 15.0, 60.0)) * MINUTE,
        jitter=tuple(random.uniform(0.8, 1.2) for _ in range(16)),
    )


def _series(random: Random, begin: float, end: float, pause: float) -> list[float]:
    """Return times from begin to end, each a pause after the one before, give or take a third."""
    times, at = [], begin
    while at < end:
        times.append(at)
        at += pause * random.uniform(0.67, 1.33)
    return times
