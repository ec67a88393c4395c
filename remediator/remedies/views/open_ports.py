"""Ports on which a container was seen to listen: `ss`, `netstat` or `lsof` in it outrank what its log or manifest says."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from remediator.domain.incident import Evidence
from remediator.remedies.engine.spelling import distance


def observed_ports(statements: Iterable[Evidence], workloads: Collection[str]) -> set[int] | None:
    """Return the ports that others can reach in the pods of these workloads; None where nobody looked.

    The containers of a pod share its network, so each sees the ports of all.
    """
    listings = [
        statement.facts.get("listens", "")
        for statement in statements
        if statement.reason == "Listening" and statement.speaker == "person" and statement.subject.name in workloads
    ]
    return {int(port) for text in listings for port in text.split(", ") if port} if listings else None


def intended_port(wrong: int, listened: Collection[int], declared: Collection[int]) -> int | None:
    """Return the port that was meant instead of `wrong`: the only one, one digit away, or the only declared one."""
    candidates = (
        list(listened),
        [port for port in listened if distance(str(port), str(wrong)) == 1],
        [port for port in listened if port in declared],
    )
    return next((ports[0] for ports in candidates if len(ports) == 1), None)
