"""The target of an incident: chosen by the name of its cluster, else by the destination of its Applications."""

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
    """Return the target of one of these clusters (names or addresses, the best first); empty where there is none.

    A target that lists no clusters serves all that no other does; where there are two such, nobody can say.
    """
    for cluster in filter(None, clusters):
        for name, target in targets.items():
            if cluster == name or cluster in target.clusters:
                return name
    unlisted = [name for name, target in targets.items() if not target.clusters]
    return unlisted[0] if len(unlisted) == 1 else ""


@dataclass
class NamedTargets:
    """The `EvidenceSource` port over one that has nothing to poll: it reads only workloads that the others name."""

    name: str
    source: EvidenceSource

    def read(self, question: Question) -> Reading:
        """Read the named workloads; without any, return a note."""
        if question.workloads:
            return self.source.read(question)
        return Reading(notes=("not asked: the others name no workload, and it has nothing to poll by itself",))


@dataclass
class TargetRouter:
    """The `Verifier` port over the same kind of verifier of several targets."""

    name: str
    verifiers: Mapping[str, Verifier]
    """The verifiers by target; a target without this service is left out."""
    target_of: Callable[[Rollout], str]
    now: Clock

    @property
    def promise(self) -> str:
        """The promise of any of them: they differ in their servers alone."""
        return next(iter(self.verifiers.values())).promise

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Let the incident's target observe; where no target serves its cluster, say so."""
        target = self.target_of(rollout)
        if chosen := self.verifiers.get(target):
            return chosen.observe(rollout, earlier)
        at = stamp(self.now())
        if target:
            summary = f"target {target} has none"
            return Observation(verifier=self.name, status="success", summary=summary, at=at, facts={"neutral": summary})
        summary = "no target serves this incident's cluster: list it in `targets.*.clusters`"
        return Observation(verifier=self.name, status="pending", summary=summary, at=at)

    def forget(self) -> None:
        """Drop the cached answers of every target."""
        for verifier in self.verifiers.values():
            verifier.forget()
