"""The loop in which a model investigates one incident: a subgraph of a model node and a tool node, bounded.

The tools are pure, so an investigation that died goes on by replaying the recorded replies: the same calls give the same
answers, and nothing is asked twice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from remediator.domain.investigation import Message, ModelReply, ToolAnswer, ToolCall
from remediator.domain.lifecycle import SecondReading
from remediator.errors import RemediatorError

if TYPE_CHECKING:
    from remediator.domain.investigation import Ending
    from remediator.domain.ports import Analyst, Dialogue, Investigation, ReplyLog

log = logging.getLogger(__name__)

_LAST = "These were the last calls. Answer now with one call of conclude or cannot_tell."
_NUDGE = "Answer with a call of one tool; end with conclude or cannot_tell."
_MOST_NUDGES = 2
_ENDINGS = frozenset({"conclude", "cannot_tell"})
_LAST_ANSWER = 3_000
"""Tokens that are kept for the conclusion."""


class NoReplies:
    """A `ReplyLog` that keeps nothing."""

    def replies(self, _key: str) -> tuple[ModelReply, ...]:
        """Return no reply, since none is kept."""
        return ()

    def add(self, _key: str, _reply: ModelReply) -> None:
        """Accept a reply without keeping it."""

    def forget(self, _key: str) -> None:
        """Accept the end of an investigation."""


@dataclass(frozen=True)
class Investigator:
    """A model with what an investigation by it needs."""

    analyst: Analyst
    bounds: int = 16
    """Tool calls of one investigation."""
    replies: ReplyLog = field(default_factory=NoReplies)
    tell: Callable[[str], None] = lambda _line: None
    """Shows each step as it happens."""
    redact: Callable[[str], str] = str
    prompt: str = ""
    """The version of the instructions."""


class LoopState(TypedDict):
    """The state of the loop; it is never stored."""

    messages: list[Message]
    calls: int
    nudges: int
    replies: int
    last: bool
    """True once the model was told to conclude."""
    ended: bool
    steps: list[str]


def investigate(
    by: Investigator, case: Investigation, kept: SecondReading | None = None
) -> tuple[SecondReading, Ending]:
    """Return what is told of the model and what its investigation comes to; a model's error never raises.

    `kept`: its answer when the same facts were here before; proved again instead of asking again.
    """
    name = by.analyst.name
    key = f"{by.prompt}/{name}/{case.key}"
    if kept is not None and kept.key == key and kept.answer and case.recall(kept.answer):
        by.analyst.recalled()
        ending = case.ending(name)
        return _reading(by, key, ending, kept.steps, recalled=True), ending
    try:
        steps = _loop(by, case, key)
    except RemediatorError as error:
        ending = case.ending(name)
        note = f"The model was not heard: {by.redact(str(error))[:300]}"
        return SecondReading(model=name, note=note, heard=False, prompt=by.prompt), ending
    ending = case.ending(name)
    by.replies.forget(key)
    return _reading(by, key, ending, tuple(steps)), ending


def _reading(
    by: Investigator, key: str, ending: Ending, steps: tuple[str, ...], *, recalled: bool = False
) -> SecondReading:
    return SecondReading(
        model=by.analyst.name,
        note=ending.note,
        dropped=ending.dropped,
        category=ending.category,
        draft=ending.draft,
        steps=steps,
        prompt=by.prompt,
        recalled=recalled,
        key=key if ending.answer else "",
        answer=ending.answer,
    )


def _loop(by: Investigator, case: Investigation, key: str) -> list[str]:
    """Run the subgraph; return the steps. ServiceError where the model fell silent before it concluded."""
    recorded = by.replies.replies(key)
    system, question = case.opening
    start = LoopState(
        messages=[Message(role="system", text=system), Message(role="user", text=question)],
        calls=0,
        nudges=0,
        replies=0,
        last=False,
        ended=False,
        steps=[],
    )
    conversation = _Reopened(by.analyst)
    graph = _build(by, case, key, recorded, conversation)
    try:
        end = graph.invoke(start, {"recursion_limit": 4 * by.bounds + 20})
    finally:
        conversation.close()
    return list(end["steps"])


class _Reopened:
    """A conversation that begins with its first request: a replay of all replies opens none."""

    def __init__(self, analyst: Analyst) -> None:
        self._analyst = analyst
        self._conversation: Dialogue | None = None

    def get(self) -> Dialogue:
        """Return the conversation, opened when it is first needed."""
        if self._conversation is None:
            self._conversation = self._analyst.open()
        return self._conversation

    def close(self) -> None:
        """Close it where it was opened."""
        if self._conversation is not None:
            self._conversation.close()


def _build(
    by: Investigator, case: Investigation, key: str, recorded: tuple[ModelReply, ...], conversation: _Reopened
) -> Any:
    """Return the compiled subgraph; it has no memory of its own, whatever the graph around it keeps."""

    def model(state: LoopState) -> dict[str, Any]:
        number = state["replies"]
        if number < len(recorded):
            reply = recorded[number]
        else:
            talk = conversation.get()
            if not state["last"] and talk.size(state["messages"], case.tools) * 2 + _LAST_ANSWER > talk.tokens_left > 0:
                state = _told_to_end(state)
            reply = talk.reply(state["messages"], case.tools)
            by.replies.add(key, reply)
        message = Message(role="assistant", text=reply.text, calls=_numbered(reply, state["calls"]))
        return {
            "messages": [*state["messages"], message],
            "replies": number + 1,
            "last": state["last"],
        }

    def tools(state: LoopState) -> dict[str, Any]:
        return _answered(by, case, state)

    def after_tools(state: LoopState) -> str:
        return END if state["ended"] else "model"

    graph = StateGraph(LoopState)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    graph.add_conditional_edges("tools", after_tools, ["model", END])
    return graph.compile(checkpointer=False, name="investigation")


def _told_to_end(state: LoopState) -> LoopState:
    return {**state, "messages": [*state["messages"], Message(role="user", text=_LAST)], "last": True}


def _numbered(reply: ModelReply, before: int) -> tuple[ToolCall, ...]:
    """Return the calls with ids of our own: a server's differ from run to run, and so would the requests."""
    return tuple(
        ToolCall(id=f"call_{before + number}", name=call.name, arguments=call.arguments)
        for number, call in enumerate(reply.calls, 1)
    )


def _sendable(message: Message) -> Message:
    """Return the message with arguments that are JSON, since servers refuse a history that is malformed."""
    calls = tuple(
        call if _is_json(call.arguments) else call.model_copy(update={"arguments": "{}"}) for call in message.calls
    )
    return message.model_copy(update={"calls": calls})


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _answered(by: Investigator, case: Investigation, state: LoopState) -> dict[str, Any]:
    """Answer the calls of the last message, as far as the bounds allow."""
    message = state["messages"][-1]
    earlier = state["messages"][:-1]
    if not message.calls:
        if state["last"] or state["nudges"] >= _MOST_NUDGES:
            return {"ended": True}
        nudged = [*earlier, message.model_copy(update={"text": message.text or "…"}), Message(role="user", text=_NUDGE)]
        return {"messages": nudged, "nudges": state["nudges"] + 1}
    answers: list[Message] = []
    steps, calls, ended = list(state["steps"]), state["calls"], False
    for call in message.calls:
        calls += 1
        over = (calls > by.bounds or state["last"]) and call.name not in _ENDINGS
        answer = ToolAnswer(text=f"Refused: {_LAST}") if over else case.call(call)
        if answer.step:
            steps.append(by.redact(answer.step)[:200])
            by.tell(steps[-1])
        text = f"{answer.text}\n(call {calls} of {by.bounds})"
        answers.append(Message(role="tool", text=text, call_id=call.id))
        if answer.ended:
            ended = True
            break
    messages = [*earlier, _sendable(message), *answers]
    out: dict[str, Any] = {"messages": messages, "calls": calls, "steps": steps, "ended": ended or state["last"]}
    if not out["ended"] and calls >= by.bounds:
        out |= {"messages": [*messages, Message(role="user", text=_LAST)], "last": True}
    return out
