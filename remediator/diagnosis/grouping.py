"""Groups hits into incidents: by object, then symptoms with their causes, then the victims of a storm with its node.

One fault shows in many places. Each group that remains becomes a pull request, so a consequence must join its cause,
while two independent faults must stay apart. How a signal behaves here (`consequence`, `needs_mention`, `storm`, `calm`)
is declared in its policy file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from remediator.diagnosis.culprit import Callees, culprit
from remediator.diagnosis.signals import SignalMatch
from remediator.domain.incident import Statement, Subject
from remediator.policy import ANY

Key = tuple[str, ...]


@dataclass
class Group:
    """The hits about one object; `victims` are other objects that suffer from it."""

    subject: Subject
    hits: list[SignalMatch] = field(default_factory=list)
    victims: list[Subject] = field(default_factory=list)

    @property
    def causes(self) -> list[SignalMatch]:
        """Return the hits that explain the incident, without symptoms and hints."""
        return [hit for hit in self.hits if hit.signal.role == "cause"]

    @property
    def lead(self) -> SignalMatch:
        """Return the hit that names the incident: the strongest cause, else the strongest symptom."""
        return max(self.causes or self.hits, key=lambda hit: hit.rank)

    def absorb(self, consequence: Group) -> None:
        """Add the hits of a consequence; its subject becomes a victim."""
        self.hits += consequence.hits
        if consequence.subject != self.subject and consequence.subject not in self.victims:
            self.victims.append(consequence.subject)
        self.victims += [victim for victim in consequence.victims if victim not in self.victims]


def key_of(subject: Subject) -> Key:
    """Return the identity of an object: two subjects with the same key are the same object."""
    if subject.kind == "Application" and (name := subject.application or subject.name):
        return ("application", subject.cluster, name)
    if subject.kind and subject.name and subject.kind != "Pod":
        return ("object", subject.cluster, subject.namespace, subject.kind, subject.name)
    if subject.pod or subject.name:
        return ("pod", subject.cluster, subject.namespace, subject.pod or subject.name)
    if subject.application:
        return ("application", subject.cluster, subject.application)
    if subject.node and not subject.namespace:
        return ("node", subject.cluster, subject.node)
    return ("loose", subject.cluster, subject.namespace, subject.container)


def group_matches(hits: Iterable[SignalMatch], statements: Sequence[Statement] = ()) -> list[Group]:
    """Return one group per incident, in order of first mention."""
    groups: dict[Key, Group] = {}
    callees = Callees(statements)
    for hit in hits:
        subject = culprit(hit, callees)
        group = groups.setdefault(key_of(subject), Group(subject))
        group.subject = _merge_subjects(group.subject, subject)
        group.hits.append(hit)
        if subject != hit.statement.subject and hit.statement.subject not in group.victims:
            group.victims.append(hit.statement.subject)
    merged = [group for group in groups.values() if any(hit.signal.role != "hint" for hit in group.hits)]
    hints = [group for group in groups.values() if group not in merged]
    merged = _symptoms_to_causes(merged)
    merged = _storms(merged)
    for hint in hints:
        beside = next((group for group in merged if not hint.lead.signal.calm and _supports(group, hint)), None)
        if beside is not None:
            beside.absorb(hint)
    return merged


def _merge_subjects(a: Subject, b: Subject) -> Subject:
    filled = {name: getattr(a, name) or getattr(b, name) for name in type(a).model_fields}
    return Subject(**filled)


def _symptoms_to_causes(groups: list[Group]) -> list[Group]:
    """Merge each group without a cause into the strongest related group that has one; refused clients join their server."""
    with_cause = sorted((group for group in groups if group.causes), key=lambda group: group.lead.rank, reverse=True)
    merged: list[Group] = []
    for group in with_cause:
        host = next((candidate for candidate in merged if _is_consequence(group, candidate)), None)
        if host is None:
            merged.append(group)
        else:
            host.absorb(group)
    for group in [candidate for candidate in groups if not candidate.causes]:
        host = next((candidate for candidate in merged if _related(candidate, group)), None)
        if host is None:
            merged.append(group)
        else:
            host.absorb(group)
    return _same_symptoms(merged)


def _is_consequence(weaker: Group, stronger: Group) -> bool:
    """Return True if a group's own cause follows from another group: no endpoints behind unscheduled pods."""
    if not _related(stronger, weaker):
        return False
    consequence = all(_is_declared_consequence(hit, stronger) for hit in weaker.causes) and not _is_independent(
        weaker, stronger
    )
    same_object = key_of(weaker.subject) == key_of(stronger.subject)
    kinds = {key_of(weaker.subject)[0], key_of(stronger.subject)[0]}
    alike = weaker.lead.category.id == stronger.lead.category.id
    told_by_application = "application" in kinds and weaker.subject.application == stronger.subject.application
    told_by_node = weaker.subject.kind == "Node" and alike
    return consequence or same_object or told_by_application or told_by_node


def _is_declared_consequence(hit: SignalMatch, stronger: Group) -> bool:
    """Return True if the signal's `consequence` names a cause of the stronger group."""
    faults = {name for cause in stronger.causes for name in (cause.signal.id, f"category:{cause.category.id}")}
    return not faults.isdisjoint(hit.signal.consequence) or ANY in hit.signal.consequence


def _is_independent(weaker: Group, stronger: Group) -> bool:
    """Return True if signals that need a mention occur in another workload and do not name the stronger group's."""
    if not all(hit.signal.needs_mention for hit in weaker.causes) or not (weaker.causes and weaker.subject.name):
        return False
    stronger_subject = stronger.subject
    apart = bool(stronger_subject.name) and key_of(weaker.subject) != key_of(stronger_subject)
    return apart and not _mentions(weaker.hits, stronger_subject)


def _same_symptoms(groups: list[Group]) -> list[Group]:
    """Merge related groups that have symptoms only."""
    merged: list[Group] = []
    for group in groups:
        twin = next(
            (
                candidate
                for candidate in merged
                if not group.causes and not candidate.causes and _related(candidate, group)
            ),
            None,
        )
        if twin is None:
            merged.append(group)
        else:
            twin.absorb(group)
    return merged


def _storms(groups: list[Group]) -> list[Group]:
    """Merge the workloads that fail on a failing node into the node's incident, however many they are."""
    nodes = [group for group in groups if any(hit.signal.storm == "starts" for hit in group.causes)]
    for storm in nodes:
        names = {hit.statement.subject.node for hit in storm.hits if hit.statement.subject.node}
        for group in list(groups):
            if group is storm or group not in groups or storm not in groups:
                continue
            on_node = {hit.statement.subject.node for hit in group.hits} & names
            alike = {hit.signal.id for hit in group.causes} <= {hit.signal.id for hit in storm.causes}
            weak = all(hit.signal.storm != "none" for hit in group.hits)
            if (on_node and weak) or (alike and group.causes):
                storm.absorb(group)
                groups = [candidate for candidate in groups if candidate is not group]
    return groups


def _related(a: Group, b: Group) -> bool:
    """Return True for the same application or namespace, or if one names the other; no subject is related to any."""
    first, second = a.subject, b.subject
    if first.cluster and second.cluster and first.cluster != second.cluster:
        return False
    if first.application and first.application == second.application:
        return True
    if second.kind == "Node" and second.name and second.name == first.node:
        return True
    spaces = {_space(subject) for subject in (first, *a.victims)} - {""}
    if _space(second):
        return _space(second) in spaces or (not spaces and _mentions(a.hits, second))
    if key_of(second)[0] == "loose":
        return True
    return _mentions(a.hits, second) or _mentions(b.hits, first)


def _supports(group: Group, hint: Group) -> bool:
    """Return True if a hint concerns this incident; a hint without a subject concerns none."""
    return key_of(hint.subject)[0] != "loose" and _related(group, hint)


def _space(subject: Subject) -> str:
    """Return the namespace where it runs; that of an Application object says nothing about its workloads."""
    return "" if subject.kind == "Application" else subject.namespace


def _mentions(hits: Sequence[SignalMatch], subject: Subject) -> bool:
    names = [name for name in (subject.name, subject.application) if len(name) > 3]
    return any(name in hit.statement.text for name in names for hit in hits)
