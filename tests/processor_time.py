"""Measure how the cost of a function grows with its input, whatever else the machine does meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FACTOR = 8
"""The large input is so many times the small one: linear work then takes about 8 times as long, quadratic work 64 times."""
ALLOWED = 24
"""Midway between the two on a logarithmic scale: caches and the collector of garbage fit below it, a square does not."""
SMALLEST = 0.01
"""Seconds: what takes less is measured as this much, since the processor's clock is too coarse for it."""

LONG_ENOUGH = 0.1
"""Seconds after which one run is measure enough."""


def assert_grows_linearly(work: Callable[[str], object], unit: str, count: int) -> None:
    """Fail if `count` times the unit costs far more than eight times what an eighth of it costs.

    The processor's time of this thread is compared, not the time on the wall, so a busy machine does not matter. The
    better of two short runs counts, and a long one is not repeated.
    """
    ratio = 0.0
    for _attempt in range(3):
        small, large = (_seconds(work, unit * size) for size in (count // FACTOR, count))
        ratio = large / small
        if ratio < ALLOWED:
            return
    raise AssertionError(f"{FACTOR} times the input costs {ratio:.0f} times as much")


def _seconds(work: Callable[[str], object], text: str) -> float:
    measured: list[float] = []
    while len(measured) < 2 and sum(measured) < LONG_ENOUGH:
        began = time.thread_time()
        work(text)
        measured.append(time.thread_time() - began)
    return max(min(measured), SMALLEST)
