"""Each broad except of the package stands in the list of `errors.py`, with its reason, and nothing else does."""

import ast
import re
from pathlib import Path

from remediator import errors

PACKAGE = Path(errors.__file__).parent


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"}
    )


def test_the_list_is_complete_and_true() -> None:
    files = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    }
    assert files == set(re.findall(r"(?m)^- (\S+\.py): \S", errors.__doc__ or ""))
