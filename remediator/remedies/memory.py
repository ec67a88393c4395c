"""Memory and cpu limits of a container that the kernel kills or throttles."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from remediator.domain.incident import Evidence
from remediator.gitops.paths import MISSING, get
from remediator.remedies import quantities
from remediator.remedies.accepting import Accepts, more_than
from remediator.remedies.case import Case, Fix, Want


def raise_memory_limit(case: Case) -> Iterator[Fix]:
    """Give the killed container more memory: by the policy's factor, above what it was seen to use."""
    killed = case.signals(*case.action.ends)
    for target, container, path in case.workloads():
        present = get(container, ("resources", "limits", "memory"))
        now = quantities.parse(present)
        if now is None or not _still_as_seen(case, killed, container.get("name", ""), now):
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


def raise_cpu_limit(case: Case) -> Iterator[Fix]:
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
        value, name = quantities.cores_like(wanted, str(present)), container.get("name", "")
        yield Fix(
            title=f"raise cpu limit of `{name}` from {present} to {value}",
            reason=f"`{name}` is throttled at its limit of {present}; {bounds.factor:g} × leaves it room.",
            evidence=case.cite(*throttled),
            wants=(Want(target.application, target.manifest, (*path, "resources", "limits", "cpu"), value),),
            parameters={"container": name, "from": str(present), "to": value},
            score=0.7,
            accepts=_more_or_none(now),
        )


def _more(case: Case, now: Decimal, container: dict[str, Any], killed: list[Evidence]) -> tuple[Decimal, str]:
    """The new limit and why: at least the factor, above what was seen in use, within the bounds."""
    bounds = case.action.bounds
    factor = Decimal(str(bounds.factor or 2))
    wanted, why = now * factor, f"{factor:g} × leaves it room."
    used = max(
        (
            amount
            for one in killed
            for key in ("memory_usage", "memory_peak")
            if (amount := quantities.parse(one.facts.get(key)))
        ),
        default=Decimal(0),
    )
    if used * Decimal("1.25") > wanted:
        wanted, why = used * Decimal("1.25"), "a quarter above the highest use that was seen."
    request = quantities.parse(get(container, ("resources", "requests", "memory"))) or Decimal(0)
    if request > wanted:
        wanted, why = request, "no less than its request."
    ceiling = now * Decimal(str(bounds.max_factor or 4))
    smallest = quantities.parse(bounds.minimum) or Decimal(0)
    wanted = quantities.clamp(min(wanted, max(ceiling, smallest)), bounds.minimum, bounds.maximum)
    return wanted, why


def _still_as_seen(case: Case, killed: list[Evidence], container: str, now: Decimal) -> bool:
    """False where the evidence shows another limit than the repository: it was changed since."""
    seen = {
        amount
        for one in case.statements
        if one.subject.container in ("", container)
        and (one in killed or one.subject.pod in {other.subject.pod for other in killed})
        if (amount := quantities.parse(one.facts.get("memory_limit"))) is not None
    }
    return not seen or now in seen


def _more_or_none(now: Decimal) -> Accepts:
    """More, or no limit at all."""
    more = more_than(now)
    return lambda old: old is MISSING or more(old)
