"""Complete a fix: the same wrong value in a sibling probe of the same container goes along.

A probe that asks a wrong path or port was mostly written in one go with its neighbours. Correcting only the one that
failed first leaves the next to fail after the merge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from remediator.domain.yaml_paths import MISSING, get
from remediator.remedies.engine.case import Fix, Want

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def with_siblings(fix: Fix) -> Fix:
    """Return the fix with the sibling probes that hold the same wrong value; the fix itself where there are none."""
    known = {(want.manifest.name, want.path) for want in fix.wants}
    added = [
        sibling
        for want in fix.wants
        for sibling in _siblings(want)
        if (sibling.manifest.name, sibling.path) not in known
    ]
    return replace(fix, wants=(*fix.wants, *added), accepts=None) if added else fix


def _siblings(want: Want) -> Iterator[Want]:
    """Yield the same field of the container's other probes where it reads as this one does today."""
    at = next((index for index, step in enumerate(want.path) if step in PROBES), None)
    if at is None or at + 1 == len(want.path):
        return
    current = get(want.manifest.body, want.path)
    if current is MISSING or isinstance(current, dict | list) or not _is_target(want.path[at + 1 :]):
        return
    for probe in PROBES:
        path = (*want.path[:at], probe, *want.path[at + 1 :])
        if probe != want.path[at] and get(want.manifest.body, path) == current:
            yield replace(want, path=path)


def _is_target(field: tuple[str | int, ...]) -> bool:
    """Return True for what a probe asks (path, port, scheme); how patient it is differs between probes on purpose."""
    return field[0] in ("httpGet", "tcpSocket", "grpc")
