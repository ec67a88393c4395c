"""Statements about one container, with the same facts whichever format they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remediator.evidence.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class ContainerState:
    """A container's present or last state: `kind` is Waiting, Running or Terminated."""

    kind: str = ""
    line: int = 0
    reason: str = ""
    message: str = ""
    exit_code: str = ""
    signal: str = ""
    started: str = ""
    finished: str = ""


@dataclass(slots=True)
class Container:
    """One container of a pod with its states and everything else that is told about it."""

    name: str
    line: int
    image: str = ""
    role: str = ""
    """`init` or `ephemeral`; empty for the ordinary ones."""
    state: ContainerState = field(default_factory=ContainerState)
    last: ContainerState = field(default_factory=ContainerState)
    facts: dict[str, str] = field(default_factory=dict)


def _sentence(title: str, state: ContainerState) -> str:
    text = f"{title}: {state.kind}"
    if state.reason:
        text += f" ({state.reason})"
    if state.exit_code:
        text += f", exit code {state.exit_code}"
    return f"{text}: {state.message}" if state.message else text


def statements(pod: Draft, containers: list[Container]) -> Iterator[Draft]:
    """Yield one `status` for each container's present state and one for its last, both with all of its facts.

    A container without any state (the pod is not scheduled yet) still tells its image, limits and environment.
    """
    for box in containers:
        shared = pod.like(line=box.line, container=box.name, image=box.image, facts={**pod.facts, **box.facts})
        shared.facts["role"] = box.role
        if box.last.kind:
            shared.facts |= {
                "last_state": box.last.kind,
                "last_reason": box.last.reason,
                "last_exit_code": box.last.exit_code,
            }
        yield _state_draft(
            shared, "State", "current", box.state if box.state.kind else ContainerState("none yet", box.line)
        )
        if box.last.kind:
            yield _state_draft(shared, "Last State", "last", box.last)


def _state_draft(shared: Draft, title: str, when: str, state: ContainerState) -> Draft:
    kind = "" if state.kind == "none yet" else state.kind
    draft = shared.like(line=state.line or shared.line, reason=state.reason or kind, text=_sentence(title, state))
    draft.facts |= {
        "state": kind,
        "when": when,
        "exit_code": state.exit_code,
        "signal": state.signal,
        "started": state.started,
        "finished": state.finished,
        "message": state.message,
    }
    draft.last_seen = state.finished or state.started
    return draft
