"""The one error of an edit: it was refused, and the text is as it was."""

from __future__ import annotations

from remediator.domain.yaml_paths import EditPath, format_path


class EditRefused(ValueError):
    """An edit that cannot be made and proved; says why and where.

    `line` counts from 1. What is not known when the error is raised deep inside (the document, the
    path) is filled in by the edit that was asked for.
    """

    def __init__(
        self, reason: str, document: int | None = None, path: EditPath | None = None, line: int | None = None
    ) -> None:
        super().__init__(reason, document, path, line)
        self.reason = reason
        self.document = document
        self.path = path
        self.line = line

    def __str__(self) -> str:
        details = []
        if self.document is not None:
            details.append(f"document {self.document}")
        if self.path is not None:
            details.append(f"path {format_path(self.path) or '(root)'}")
        if self.line is not None:
            details.append(f"line {self.line}")
        return f"{self.reason} ({', '.join(details)})" if details else self.reason


class PathMissing(EditRefused, KeyError):
    """The path leads nowhere: a refusal to an edit, a KeyError to a reader."""

    __str__ = EditRefused.__str__
