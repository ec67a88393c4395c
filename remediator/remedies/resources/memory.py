"""Memory and cpu limits of a container that the kernel kills or throttles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, get
from remediator.remedies.engine import quantities
from remediator.remedies.engine.acceptable_values import Accepts, more_than
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.prove import Unprovable
from remediator.remedies.views.pod_limits import memory_limits_of_killed

_AT_THE_LIMIT = Decimal("0.9")


def raise_memory_limit(case: RemedyContext) -> Iterator[Fix]:
    """Give the killed container more memory: by the policy's factor, above what it was seen to use."""
    killed = case.signals(*case.action.ends)
    elsewhere, proposed = "", False
    for target, container, path in case.workloads():
        present = get(container, ("resources", "limits", "memory"))
        now = quantities.parse(present)
        if now is None:
            continue
        if (seen := memory_limits_of_killed(case, killed, str(container.get("name", "")))) and now not in seen:
            ran = ", ".join(quantities.bytes_like(one) for one in sorted(seen))
            elsewhere = f"It was killed at {ran}; the repository says {present}, which is not synced yet or newer"
            continue
        new, why = _more(case, now, container, killed)
        if new <= now:
            continue
        value = quantities.bytes_like(new, str(present))
        name = container.get("name", "")
        yield Fix(
            title=f"raise memory limit of `{name}` from {present} to {value}",
            reason=f"`{name}` was killed at its limit of {present}; {why}",
            evidence=case.cite(*killed),
            wants=(Want(target.application, target.manifest, (*path, "resources", "limits", "memory"), value),),
            parameters={"container": name, "from": str(present), "to": value},
            score=0.7,
            accepts=more_than(now),
        )
        proposed = True
    if elsewhere and not proposed:
        raise Unprovable(elsewhere)


def raise_cpu_limit(case: RemedyContext) -> Iterator[Fix]:
    """Give a throttled container more cpu, by the policy's factor and never below its request."""
    throttled = case.signals(*case.action.ends)
    bounds = case.action.bounds
    for target, container, path in case.workloads():
        present = get(container, ("resources", "limits", "cpu"))
        now = quantities.parse(present)
        if now is None:
            continue
        request = quantities.parse(get(container, ("resources", "requests", "cpu"))) or Decimal(0)
        wanted = quantities.clamp(max(now * Decimal(str(bounds.factor)), request), bounds.minimum, bounds.maximum)
        wanted = min(wanted, now * Decimal(str(bounds.max_factor or 10)))
        if wanted <= now:
            continue
        name = container.get("name", "")
        used = _most(_measured(case, str(name)), "cpu_peak")
        wanted = min(max(wanted, used * Decimal("1.25")), now * Decimal(str(bounds.max_factor or 10)))
        wanted = quantities.clamp(wanted, bounds.minimum, bounds.maximum)
        value = quantities.cores_like(wanted, str(present))
        yield Fix(
            title=f"raise cpu limit of `{name}` from {present} to {value}",
            reason=f"`{name}` is throttled at its limit of {present}; {bounds.factor:g} × leaves it room.",
            evidence=case.cite(*throttled),
            wants=(Want(target.application, target.manifest, (*path, "resources", "limits", "cpu"), value),),
            parameters={"container": name, "from": str(present), "to": value},
            score=0.7,
            accepts=_more_or_none(now),
        )


def _more(case: RemedyContext, now: Decimal, container: dict[str, Any], killed: list[Evidence]) -> tuple[Decimal, str]:
    """The new limit and why: at least the factor, above what was seen in use, within the bounds."""
    bounds = case.action.bounds
    factor = Decimal(str(bounds.factor or 2))
    wanted, why = now * factor, f"{float(factor):g} × leaves it room."
    seen = [*killed, *_measured(case, str(container.get("name", "")))]
    used = _most(seen, "memory_usage", "memory_peak")
    if used >= now * _AT_THE_LIMIT and (low := _least(seen, "memory_low")):
        # A killed container's use ends at its limit: the range tells that the limit binds, not how much is needed.
        stood = f"{quantities.bytes_like(low)}–{quantities.bytes_like(used)}"
        why = f"its use stood at {stood}, {why}"
    if used * Decimal("1.25") > wanted:
        wanted, why = used * Decimal("1.25"), "a quarter above the highest use that was seen."
    request = quantities.parse(get(container, ("resources", "requests", "memory"))) or Decimal(0)
    if request > wanted:
        wanted, why = request, "no less than its request."
    ceiling = now * Decimal(str(bounds.max_factor or 4))
    smallest = quantities.parse(bounds.minimum) or Decimal(0)
    wanted = quantities.clamp(min(wanted, max(ceiling, smallest)), bounds.minimum, bounds.maximum)
    return wanted, why


def _measured(case: RemedyContext, container: str) -> list[Evidence]:
    """Usage of this container that a metrics server told."""
    return [one for one in case.statements if one.reason == "Metric" and one.subject.container == container]


def _most(seen: Sequence[Evidence], *keys: str) -> Decimal:
    amounts = (quantities.parse(one.facts.get(key)) for one in seen for key in keys)
    return max((amount for amount in amounts if amount), default=Decimal(0))


def _least(seen: Sequence[Evidence], key: str) -> Decimal | None:
    amounts = (quantities.parse(one.facts.get(key)) for one in seen)
    return min((amount for amount in amounts if amount), default=None)


def _more_or_none(now: Decimal) -> Accepts:
    """More, or no limit at all."""
    more = more_than(now)
    return lambda old: old is MISSING or more(old)
