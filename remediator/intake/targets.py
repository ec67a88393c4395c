"""Which target an incident belongs to: by its cluster's name, else by where its Applications are deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remediator.domain.lifecycle import Observation
from remediator.domain.sources import Reading
from remediator.domain.times import stamp

if TYPE_CHECKING:
    from remediator.domain.ports import Clock, Verifier
    from remediator.domain.sources import EvidenceSource, Question, Rollout
    from remediator.policy.targets import Target


def choose(targets: Mapping[str, Target], clusters: Sequence[str]) -> str:
    """The target that serves one of these clusters (names or addresses, most telling first); empty where none does.

    A target that lists no clusters serves all that no other does; where there are two such, nobody can say.
    """
    for cluster in filter(None, clusters):
        for name, target in targets.items():
            if cluster == name or cluster in target.clusters:
                return name
    rest = [name for name, target in targets.items() if not target.clusters]
    return rest[0] if len(rest) == 1 else ""


@dataclass
class NamedTargets:
    """The `EvidenceSource` port over one that has nothing to poll: it is silent until the others name a workload."""

    name: str
    source: EvidenceSource

    def read(self, question: Question) -> Reading:
        """See the port."""
        if question.workloads:
            return self.source.read(question)
        return Reading(notes=("not asked: the others name no workload, and it has nothing to poll by itself",))


@dataclass
class TargetRouter:
    """The `Verifier` port over the same kind of verifier of several targets."""

    name: str
    verifiers: Mapping[str, Verifier]
    """By target; a target without this service is left out."""
    target_of: Callable[[Rollout], str]
    now: Clock

    @property
    def promise(self) -> str:
        """That of each: they differ in their servers alone."""
        return next(iter(self.verifiers.values())).promise

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """See the port."""
        target = self.target_of(rollout)
        if chosen := self.verifiers.get(target):
            return chosen.observe(rollout, earlier)
        at = stamp(self.now())
        if target:
            said = f"target {target} has none"
            return Observation(verifier=self.name, status="success", summary=said, at=at, facts={"neutral": said})
        said = "no target serves this incident's cluster: list it in `targets.*.clusters`"
        return Observation(verifier=self.name, status="pending", summary=said, at=at)

    def forget(self) -> None:
        """See the port."""
        for verifier in self.verifiers.values():
            verifier.forget()
