"""Messages and calls as OpenAI's protocol writes them, and as plain JSON for servers that know no tool calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from remediator.domain.investigation import Message, ModelReply, ToolCall, ToolSpec

MOST_CALLS = 8
"""Calls of one answer that are used; a flood beyond them is dropped."""
MOST_TEXT = 200_000
"""Characters of an answer that are looked at."""

_PLAIN = (
    "\n\nYou have no native tool calls here. Answer with one JSON object and nothing else:"
    ' {"tool": "NAME", "arguments": {…}}. The tools:\n'
)


def native(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return the messages with native tool calls."""
    out: list[dict[str, Any]] = []
    for message in messages:
        entry: dict[str, Any] = {"role": message.role, "content": message.text}
        if message.calls:
            entry["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in message.calls
            ]
        if message.role == "tool":
            entry["tool_call_id"] = message.call_id
        out.append(entry)
    return out


def plain(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return the messages for a server without tool calls: calls as JSON, answers as a user's words."""
    listed = "\n".join(
        json.dumps({"tool": tool.name, "description": tool.description, "arguments": tool.parameters}) for tool in tools
    )
    names = {call.id: call.name for message in messages for call in message.calls}
    out: list[dict[str, Any]] = []
    for message in messages:
        match message.role:
            case "system":
                entry = {"role": "system", "content": f"{message.text}{_PLAIN}{listed}"}
            case "assistant":
                calls = [json.dumps({"tool": call.name, "arguments": call.arguments}) for call in message.calls]
                entry = {"role": "assistant", "content": "\n".join([message.text, *calls]).strip()}
            case "tool":
                entry = {
                    "role": "user",
                    "content": f"Answer of {names.get(message.call_id, 'the tool')}:\n{message.text}",
                }
            case _:
                entry = {"role": message.role, "content": message.text}
        out.append(entry)
    return out


def functions(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return the tools as `bind_tools` takes them."""
    return [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        for t in tools
    ]


def reply_of(answer: Any) -> ModelReply:
    """Return what a chat model answered: its calls, also malformed ones, or a call that it wrote as text."""
    text = (
        answer.content
        if isinstance(answer.content, str)
        else "".join(str(part.get("text", "")) for part in answer.content)
    )
    text = text[:MOST_TEXT]
    calls = [(str(call["name"]), json.dumps(call["args"], ensure_ascii=False)) for call in answer.tool_calls]
    calls += [(str(call.get("name") or ""), str(call.get("args") or "")) for call in answer.invalid_tool_calls]
    if not calls and (written := _written_call(text)):
        calls, text = [written], ""
    return ModelReply(
        text=text[:4_000],
        calls=tuple(
            ToolCall(id="", name=name[:80], arguments=arguments[:MOST_TEXT]) for name, arguments in calls[:MOST_CALLS]
        ),
    )


def _written_call(text: str) -> tuple[str, str] | None:
    """Return the call in a text such as `{"tool": "conclude", "arguments": {…}}`, also inside a code block."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        call = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict):
        return None
    name = call.get("tool") or call.get("name")
    arguments = call.get("arguments", call.get("parameters", {}))
    if not isinstance(name, str) or not name:
        return None
    return name, arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
