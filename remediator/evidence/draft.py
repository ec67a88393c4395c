"""A statement in the making: flat and writable, because who it is about is often learned only later in the input."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from remediator.domain.incident import Statement, Subject
from remediator.evidence.speakers import speaker_of
from remediator.evidence.workload import workload_of_pod

if TYPE_CHECKING:
    from remediator.domain.incident import Channel


@dataclass(slots=True, kw_only=True)
class SubjectDraft:
    """The object that something is about, in the making; becomes a `Subject`."""

    application: str = ""
    cluster: str = ""
    namespace: str = ""
    kind: str = ""
    name: str = ""
    pod: str = ""
    container: str = ""
    image: str = ""
    node: str = ""

    def subject(self) -> Subject:
        """Return the frozen value of its fields."""
        return Subject(**{field: getattr(self, field) for field in Subject.model_fields})


@dataclass(slots=True)
class Draft(SubjectDraft):
    """A statement in the making; becomes a `Statement` once its subject is complete."""

    line: int
    channel: Channel
    text: str = ""
    reason: str = ""
    level: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    count: int = 1
    first_seen: str = ""
    last_seen: str = ""
    source: str = ""
    speaker: str = ""
    """Set where the format knows better than channel and reporter tell."""
    section: int = 0
    """The section of the input that it comes from: one event shown by two commands is not two events."""

    def settle(self) -> Draft:
        """Return the same draft with its workload derived from its pod's name where nothing better is known."""
        if self.pod and not self.name:
            self.kind, self.name = workload_of_pod(self.pod)
        return self

    def like(self, **changes: object) -> Draft:
        """Return a copy about the same subject with facts of its own."""
        copy = replace(self, **changes)  # type: ignore[arg-type]
        if "facts" not in changes:
            copy.facts = dict(self.facts)
        return copy

    def statement(self) -> Statement:
        """Return the frozen value that leaves this package, without empty facts."""
        return Statement(
            source=self.source,
            line=self.line,
            channel=self.channel,
            subject=self.subject(),
            speaker=self.speaker
            or speaker_of(
                self.channel, self.reason, self.facts, self.name or self.pod or self.container or self.application
            ),
            reason=self.reason,
            text=self.text,
            level=self.level,
            count=self.count,
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            facts={key: value for key, value in self.facts.items() if value},
        )
