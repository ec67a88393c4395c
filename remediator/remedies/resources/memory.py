"""Memory and cpu limits of a container that the kernel kills or throttles.

The new limit is the policy's factor times the current one, or above the highest use that a metrics server measured,
always within the policy's bounds. A pod that was killed at another limit than the repository has is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import Accepts, more_than
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.unprovable import Unprovable
from remediator.remedies.resources.vertical import raise_ceiling
from remediator.remedies.views.peers import LEAST, peers
from remediator.remedies.views.pod_limits import memory_limits_of_killed

_AT_THE_LIMIT = Decimal("0.9")


def raise_memory_limit(case: RemedyContext) -> Iterator[Fix]:
    """Raise the memory limit of the killed container by the policy's factor, or above its highest measured use."""
    killed = case.signals(*case.action.ends)
    stale_reason, proposed = "", False
    for target, container, path in case.workloads():
        current = get(container, ("resources", "limits", "memory"))
        now = quantities.parse(current)
        if now is None:
            continue
        if (
            cluster_limits := memory_limits_of_killed(case, killed, str(container.get("name", "")))
        ) and now not in cluster_limits:
            ceilings = list(raise_ceiling(case, target, str(container.get("name", "")), cluster_limits))
            yield from ceilings
            proposed = proposed or bool(ceilings)
            cluster_text = ", ".join(quantities.bytes_like(amount) for amount in sorted(cluster_limits))
            stale_reason = f"It was killed at {cluster_text}, but the repository has {current}: that value is newer or not synced yet"
            continue
        new, why = _limit_of_peers(case, target, container, now) or _new_limit(case, now, container, killed)
        if new <= now:
            continue
        value = quantities.bytes_like(new, str(current))
        name = str(container.get("name", ""))
        yield _raised_limit(
            Want.of(target, (*path, "resources", "limits", "memory"), value), name, current,
            reason=f"`{name}` was killed at its limit of {current}; {why}",
            evidence=case.cite(*killed), accepts=more_than(now),
        )  # fmt: skip
        proposed = True
    if stale_reason and not proposed:
        raise Unprovable(stale_reason)


def raise_cpu_limit(case: RemedyContext) -> Iterator[Fix]:
    """Raise the cpu limit of a throttled container by the policy's factor, never below its request."""
    throttled = case.signals(*case.action.ends)
    bounds = case.action.bounds
    for target, container, path in case.workloads():
        current = get(container, ("resources", "limits", "cpu"))
        now = quantities.parse(current)
        if now is None:
            continue
        request = quantities.parse(get(container, ("resources", "requests", "cpu"))) or Decimal(0)
        limit = quantities.clamp(max(now * Decimal(str(bounds.factor)), request), bounds.minimum, bounds.maximum)
        limit = min(limit, now * Decimal(str(bounds.max_factor or 10)))
        if limit <= now:
            continue
        name = container.get("name", "")
        used = _highest(_usage_metrics(case, str(name)), "cpu_peak")
        limit = min(max(limit, used * Decimal("1.25")), now * Decimal(str(bounds.max_factor or 10)))
        limit = quantities.clamp(limit, bounds.minimum, bounds.maximum)
        value = quantities.cores_like(limit, str(current))
        yield _raised_limit(
            Want.of(target, (*path, "resources", "limits", "cpu"), value), name, current,
            reason=f"`{name}` is throttled at its limit of {current}; this is {bounds.factor:g} × as much.",
            evidence=case.cite(*throttled), accepts=_accepts_more_or_none(now),
        )  # fmt: skip


def _raised_limit(want: Want, container: str, old: Any, **details: Any) -> Fix:
    """Return the fix that raises a limit of a container; `details` are its reason, its evidence and its check."""
    return Fix(
        title=f"raise {want.path[-1]} limit of `{container}` from {old} to {want.value}",
        wants=(want,),
        parameters={"container": container, "from": str(old), "to": want.value},
        score=0.7,
        **details,
    )


def _new_limit(
    case: RemedyContext, now: Decimal, container: dict[str, Any], killed: Sequence[Evidence]
) -> tuple[Decimal, str]:
    """Return the new limit and the reason: at least the factor, above the measured use, within the bounds."""
    bounds = case.action.bounds
    factor = Decimal(str(bounds.factor or 2))
    limit, why = now * factor, f"no usage data were found, so this is {float(factor):g} × as much. Check for a leak."
    usage = [*killed, *_usage_metrics(case, str(container.get("name", "")))]
    used = _highest(usage, "memory_usage", "memory_peak")
    if used >= now * _AT_THE_LIMIT and (low := _lowest(usage, "memory_low")):
        # A killed container's use ends at its limit: the range shows that the limit is reached, not how much is needed.
        range_text = f"{quantities.bytes_like(low)}–{quantities.bytes_like(used)}"
        why = f"its use was {range_text}, up to the limit, so this is {float(factor):g} × as much. Check for a leak."
    elif used:
        why = f"its highest measured use is {quantities.bytes_like(used)}, and this is {float(factor):g} × the limit."
    if used * Decimal("1.25") > limit:
        limit, why = used * Decimal("1.25"), "this is a quarter above the highest measured use."
    request = quantities.parse(get(container, ("resources", "requests", "memory"))) or Decimal(0)
    if request > limit:
        limit, why = request, "a limit cannot be below the request."
    ceiling = now * Decimal(str(bounds.max_factor or 4))
    smallest = quantities.parse(bounds.minimum) or Decimal(0)
    limit = quantities.clamp(min(limit, max(ceiling, smallest)), bounds.minimum, bounds.maximum)
    return limit, why


def _limit_of_peers(
    case: RemedyContext, target: Match, container: dict[str, Any], now: Decimal
) -> tuple[Decimal, str] | None:
    """Return the higher limit on which all containers agree that run alike; None where a use was measured or they do not."""
    alike = list(peers(case, target, container))
    limits = {quantities.parse(get(peer, ("resources", "limits", "memory"))) for peer in alike}
    limit = next(iter(limits)) if len(limits) == 1 else None
    ceiling = now * Decimal(str(case.action.bounds.max_factor or 4))
    if len(alike) < LEAST or limit is None or not now < limit <= ceiling:
        return None
    if _usage_metrics(case, str(container.get("name", ""))):
        return None
    return limit, f"{len(alike)} containers of its namespace that run alike have {quantities.bytes_like(limit)}."


def _usage_metrics(case: RemedyContext, container: str) -> list[Evidence]:
    """Return the usage of this container that a metrics server measured."""
    return [
        statement
        for statement in case.statements
        if statement.reason == "Metric" and statement.subject.container == container
    ]


def _highest(evidence: Sequence[Evidence], *keys: str) -> Decimal:
    amounts = (quantities.parse(piece.facts.get(key)) for piece in evidence for key in keys)
    return max((amount for amount in amounts if amount), default=Decimal(0))


def _lowest(evidence: Sequence[Evidence], key: str) -> Decimal | None:
    amounts = (quantities.parse(piece.facts.get(key)) for piece in evidence)
    return min((amount for amount in amounts if amount), default=None)


def _accepts_more_or_none(now: Decimal) -> Accepts:
    """Return a check that accepts a higher limit, or none."""
    accepts_higher = more_than(now)
    return lambda old: old is MISSING or accepts_higher(old)
