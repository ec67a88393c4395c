"""The tools as the model sees them: names, what they are for, and the schemas of their arguments."""

from __future__ import annotations

from typing import Any

from remediator.domain.investigation import ToolSpec

CONCLUDE, CANNOT_TELL, TRY_CHANGE = "conclude", "cannot_tell", "try_change"


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 1}
_NAMES = {"type": "array", "items": {"type": "string"}}
_EDIT = {
    "type": "object",
    "description": (
        "One of: {application, kind, name, field, value or remove:true} for a field of a rendered object (preferred);"
        " {file, path, op: set|insert|delete|rename|append, value, document, inside} for a path in a file, `inside` a"
        " path within a string that holds YAML; {file, from_line, to_line, new_text} for a file that does not parse;"
        " {file, new_text} for a new small document; {take_back: commit, file} for what a commit changed."
    ),
}

TOOLS: tuple[ToolSpec, ...] = (
    ToolSpec(
        name="search_evidence",
        description="Facts and log lines that hold all the words.",
        parameters=_object(("text",), text=_TEXT, page=_NUMBER),
    ),
    ToolSpec(
        name="list_applications", description="All Applications of the repository.", parameters=_object(page=_NUMBER)
    ),
    ToolSpec(
        name="list_objects",
        description="The rendered objects of an Application.",
        parameters=_object(("application",), application=_TEXT, page=_NUMBER),
    ),
    ToolSpec(
        name="read_object",
        description="One object as Argo CD applies it.",
        parameters=_object(("kind", "name"), kind=_TEXT, name=_TEXT, application=_TEXT, page=_NUMBER),
    ),
    ToolSpec(
        name="locate",
        description="Which file and path control a field of a rendered object, how sure that is, its history, who else reads it.",
        parameters=_object(("kind", "name", "field"), kind=_TEXT, name=_TEXT, application=_TEXT, field=_TEXT),
    ),
    ToolSpec(
        name="recent_changes",
        description="Recent commits as differences of values, of an Application, a file or the incident's own.",
        parameters=_object(application=_TEXT, file=_TEXT, limit=_NUMBER, page=_NUMBER),
    ),
    ToolSpec(
        name="broken_relations",
        description="What cannot be right in the rendered objects of an Application or of the incident's.",
        parameters=_object(application=_TEXT, page=_NUMBER),
    ),
    ToolSpec(
        name="search_repository",
        description="Lines of files that hold a text; `glob` narrows, such as apps/**/*.yaml. An empty text lists files.",
        parameters=_object(("text",), text=_TEXT, glob=_TEXT, page=_NUMBER),
    ),
    ToolSpec(
        name="read_file",
        description="A file of the repository with line numbers.",
        parameters=_object(("path",), path=_TEXT, from_line=_NUMBER),
    ),
    ToolSpec(
        name="past_incidents",
        description="Earlier incidents of this kind and how they ended.",
        parameters=_object(text=_TEXT, page=_NUMBER),
    ),
    ToolSpec(
        name=TRY_CHANGE,
        description="Prove a change: locate, edit, render, validate, check against the guardrails. Nothing is written.",
        parameters=_object(("edits", "cites"), edits={"type": "array", "items": _EDIT}, cites=_NAMES),
    ),
    ToolSpec(
        name=CONCLUDE,
        description="End with the cause. `tried` lists the ids of at most 3 proved changes, best first; none where no change of the repository is right.",
        parameters=_object(
            ("cause", "category", "severity", "cites", "tried", "confidence"),
            cause=_TEXT,
            category=_TEXT,
            severity={"type": "string", "enum": ["critical", "warning", "info"]},
            applications=_NAMES,
            cites=_NAMES,
            tried=_NAMES,
            confidence={"type": "number", "minimum": 0, "maximum": 1},
            what_would_confirm=_TEXT,
        ),
    ),
    ToolSpec(
        name=CANNOT_TELL,
        description="End without a cause: why it cannot be told, and what a person should look at.",
        parameters=_object(("why", "look_at"), why=_TEXT, look_at=_TEXT),
    ),
)
