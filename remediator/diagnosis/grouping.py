"""Which hits belong to one incident: by object, then symptoms to their causes, then storms to their node."""

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
    """Hits about one object; `victims` are others that suffer from it."""

    subject: Subject
    hits: list[SignalMatch] = field(default_factory=list)
    victims: list[Subject] = field(default_factory=list)

    @property
    def causes(self) -> list[SignalMatch]:
        """The hits that explain, without symptoms and hints."""
        return [hit for hit in self.hits if hit.signal.role == "cause"]

    @property
    def lead(self) -> SignalMatch:
        """The hit that names the incident: the strongest cause, else the strongest symptom."""
        return max(self.causes or self.hits, key=lambda hit: hit.rank)

    def absorb(self, other: Group) -> None:
        """Take in what follows from this one; whom it is about becomes a victim."""
        self.hits += other.hits
        if other.subject != self.subject and other.subject not in self.victims:
            self.victims.append(other.subject)
        self.victims += [victim for victim in other.victims if victim not in self.victims]


def key_of(subject: Subject) -> Key:
    """What makes two statements speak of the same thing."""
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


def group(hits: Iterable[SignalMatch], statements: Sequence[Statement] = ()) -> list[Group]:
    """One group an incident; the order is that of first mention."""
    groups: dict[Key, Group] = {}
    known = Callees(statements)
    for hit in hits:
        subject = culprit(hit, known)
        one = groups.setdefault(key_of(subject), Group(subject))
        one.subject = _fuller(one.subject, subject)
        one.hits.append(hit)
        if subject != hit.statement.subject and hit.statement.subject not in one.victims:
            one.victims.append(hit.statement.subject)
    merged = [one for one in groups.values() if any(hit.signal.role != "hint" for hit in one.hits)]
    hints = [one for one in groups.values() if one not in merged]
    merged = _symptoms_to_causes(merged)
    merged = _storms(merged)
    for hint in hints:
        beside = next((one for one in merged if not hint.lead.signal.calm and _beside(one, hint)), None)
        if beside is not None:
            beside.absorb(hint)
    return merged


def _fuller(a: Subject, b: Subject) -> Subject:
    filled = {name: getattr(a, name) or getattr(b, name) for name in type(a).model_fields}
    return Subject(**filled)


def _symptoms_to_causes(groups: list[Group]) -> list[Group]:
    """A group without a cause joins the strongest related group that has one; refused clients join their server."""
    with_cause = sorted((one for one in groups if one.causes), key=lambda one: one.lead.rank, reverse=True)
    kept: list[Group] = []
    for one in with_cause:
        host = next((other for other in kept if _yields(one, other)), None)
        if host is None:
            kept.append(one)
        else:
            host.absorb(one)
    for one in (one for one in groups if not one.causes):
        host = next((other for other in kept if _related(other, one)), None)
        if host is None:
            kept.append(one)
        else:
            host.absorb(one)
    return _same_symptoms(kept)


def _yields(weaker: Group, stronger: Group) -> bool:
    """Whether a group with a cause is itself just the consequence of another: no endpoints behind unscheduled pods."""
    if not _related(stronger, weaker):
        return False
    consequence = all(_follows(hit, stronger) for hit in weaker.causes) and not _its_own(weaker, stronger)
    same = key_of(weaker.subject) == key_of(stronger.subject)
    kinds = {key_of(weaker.subject)[0], key_of(stronger.subject)[0]}
    alike = weaker.lead.category.id == stronger.lead.category.id
    told_by_application = "application" in kinds and weaker.subject.application == stronger.subject.application
    told_by_node = weaker.subject.kind == "Node" and alike
    return consequence or same or told_by_application or told_by_node


def _follows(hit: SignalMatch, stronger: Group) -> bool:
    """True where the signal is declared to be a consequence of what the stronger group holds."""
    faults = {name for cause in stronger.causes for name in (cause.signal.id, f"category:{cause.category.id}")}
    return not faults.isdisjoint(hit.signal.consequence) or ANY in hit.signal.consequence


def _its_own(weaker: Group, stronger: Group) -> bool:
    """A program's own failure, in another workload, with no word of the one that it might suffer from."""
    if not all(hit.signal.needs_mention for hit in weaker.causes) or not (weaker.causes and weaker.subject.name):
        return False
    other = stronger.subject
    apart = bool(other.name) and key_of(weaker.subject) != key_of(other)
    return apart and not _mentions(weaker.hits, other)


def _same_symptoms(groups: list[Group]) -> list[Group]:
    """Groups with only symptoms of one kind in one namespace or application are one incident."""
    kept: list[Group] = []
    for one in groups:
        twin = next((other for other in kept if not one.causes and not other.causes and _related(other, one)), None)
        if twin is None:
            kept.append(one)
        else:
            twin.absorb(one)
    return kept


def _storms(groups: list[Group]) -> list[Group]:
    """What shakes on a failing node is the node's incident, however many workloads shake."""
    nodes = [one for one in groups if any(hit.signal.storm == "starts" for hit in one.causes)]
    for storm in nodes:
        names = {hit.statement.subject.node for hit in storm.hits if hit.statement.subject.node}
        for other in list(groups):
            if other is storm or other not in groups or storm not in groups:
                continue
            on_node = {hit.statement.subject.node for hit in other.hits} & names
            alike = {hit.signal.id for hit in other.causes} <= {hit.signal.id for hit in storm.causes}
            weak = all(hit.signal.storm != "none" for hit in other.hits)
            if (on_node and weak) or (alike and other.causes):
                storm.absorb(other)
                groups = [one for one in groups if one is not other]
    return groups


def _related(a: Group, b: Group) -> bool:
    """Same application, same namespace, or one names the other; a group without any subject goes to any."""
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


def _beside(one: Group, hint: Group) -> bool:
    """A hint of nobody in particular belongs to no incident."""
    return key_of(hint.subject)[0] != "loose" and _related(one, hint)


def _space(subject: Subject) -> str:
    """The namespace where it runs; that of an Application object itself says nothing of its workloads."""
    return "" if subject.kind == "Application" else subject.namespace


def _mentions(hits: Sequence[SignalMatch], subject: Subject) -> bool:
    names = [name for name in (subject.name, subject.application) if len(name) > 3]
    return any(name in hit.statement.text for name in names for hit in hits)
