"""Memory limits that a vertical autoscaler keeps below the need: its ceiling is what must be raised.

The autoscaler replaces the pod's resources when the pod is made, so the limit in the workload's own manifest never counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from decimal import Decimal

from remediator.domain import quantities
from remediator.domain.yaml_paths import get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want

_UNCAPPED = re.compile(r'uncappedTarget"?:\s*\{[^}]*"?memory"?:\s*"?(?P<memory>[0-9]+[A-Za-z]*)')
_HEADROOM = Decimal("1.25")


def raise_ceiling(case: RemedyContext, target: Match, container: str, killed_at: Collection[Decimal]) -> Iterator[Fix]:
    """Yield the fix that raises the ceiling for a container that was killed at just this ceiling."""
    factor = Decimal(str(case.action.bounds.factor or 2))
    for application in case.repository.applications:
        for scaler in case.repository.objects(application):
            if scaler.kind != "VerticalPodAutoscaler" or not _scales(scaler.body, target):
                continue
            if scaler.namespace_in(application) != target.manifest.namespace_in(target.application):
                continue
            policies = get(scaler.body, ("spec", "resourcePolicy", "containerPolicies"))
            for index, rule in enumerate(policies if isinstance(policies, list) else ()):
                ceiling = get(rule, ("maxAllowed", "memory"))
                amount = quantities.parse(ceiling)
                if rule.get("containerName") not in {container, "*"} or amount is None or amount not in killed_at:
                    continue
                need = _uncapped_target(case, scaler.name) * _HEADROOM
                value = quantities.bytes_like(max(amount * factor, need), str(ceiling))
                path = ("spec", "resourcePolicy", "containerPolicies", index, "maxAllowed", "memory")
                yield Fix(
                    title=f"raise the ceiling of VerticalPodAutoscaler `{scaler.name}` from {ceiling} to {value}",
                    reason=f"`{container}` was killed at {ceiling}, the most that the autoscaler `{scaler.name}` allows it; {_why(need, factor)}",
                    evidence=case.cite(*case.signals(*case.action.ends)),
                    wants=(Want(application, scaler, path, value),),
                    parameters={"container": container, "from": str(ceiling), "to": value},
                    score=0.7,
                )


def _why(need: Decimal, factor: Decimal) -> str:
    if need:
        return "this is a quarter above what the autoscaler itself would recommend without it."
    return f"this is {float(factor):g} × as much."


def _uncapped_target(case: RemedyContext, scaler: str) -> Decimal:
    """Return the memory that the autoscaler would recommend without its ceiling; 0 where the evidence does not tell it."""
    texts = [item.text for item in case.statements if item.subject.name == scaler and item.channel == "status"]
    amounts = [quantities.parse(match["memory"]) for text in texts for match in _UNCAPPED.finditer(text)]
    return max((amount for amount in amounts if amount), default=Decimal(0))


def _scales(body: dict[str, object], target: Match) -> bool:
    reference = get(body, ("spec", "targetRef"))
    mode = get(body, ("spec", "updatePolicy", "updateMode"))
    names = (target.manifest.kind, target.manifest.name)
    return isinstance(reference, dict) and (reference.get("kind"), reference.get("name")) == names and mode != "Off"
