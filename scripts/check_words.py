#!/usr/bin/env python3
"""Check the language of the code: names that say nothing, docstrings that do not begin with a verb or a noun, riddles.

    check_words.py [--list] [FILE …]

Exits with 1 where a bound is passed. `--list` prints every finding. The bounds leave room for what must be so (a `left`
that is opposite of `right`), not for a habit.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAGUE = frozenset(
    [
        "answered",
        "asked",
        "before",
        "both",
        "broken",
        "called",
        "came",
        "done",
        "each",
        "either",
        "else_",
        "found",
        "given",
        "gone",
        "got",
        "had",
        "heard",
        "held",
        "here",
        "it",
        "kept",
        "known",
        "left",
        "made",
        "meant",
        "more",
        "named",
        "needed",
        "one",
        "ones",
        "other",
        "others",
        "own",
        "past",
        "present",
        "put",
        "read_",
        "rest",
        "said",
        "same",
        "says",
        "seen",
        "shown",
        "so",
        "some",
        "spoken",
        "such",
        "taken",
        "tells",
        "that",
        "them",
        "there",
        "these",
        "they",
        "thing",
        "things",
        "this",
        "those",
        "told",
        "tried",
        "understood",
        "wanted",
        "what",
        "where",
        "which",
        "who",
        "whole",
        "whom",
        "whose",
        "written",
    ]
)
WH_WORDS = frozenset(["what", "whether", "who", "whose", "whom", "which", "where", "why", "when", "how"])
FRAGMENTS = ("of ", "see ", "as ", "like ", "for ", "to ", "in ", "on ", "at ", "from ", "by ", "with ")
MOST_VAGUE, MOST_WH_WORDS = 0.01, 0.03


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every name that a value gets, with its line: variables, parameters, attributes and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield (node.id if isinstance(node, ast.Name) else node.attr), node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def docstrings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every docstring with its line, and the strings that stand below fields."""
    for node in ast.walk(tree):
        for statement in getattr(node, "body", None) or [] if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            value = getattr(statement, "value", None)
            if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value.strip(), statement.lineno


def main(arguments: list[str]) -> int:
    """Print the figures, and each finding that is over its bound; return the exit code."""
    verbose = "--list" in arguments
    files = [Path(name) for name in arguments if not name.startswith("--")] or sorted(
        (ROOT / "remediator").rglob("*.py")
    )
    vague: list[str] = []
    wh_words: list[str] = []
    fragments: list[str] = []
    classes: dict[str, list[str]] = defaultdict(list)
    name_count = docstring_count = 0
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        place = file.resolve().relative_to(ROOT).as_posix() if file.resolve().is_relative_to(ROOT) else str(file)
        for name, line in names(tree):
            name_count += 1
            if name.strip("_") in VAGUE:
                vague.append(f"{place}:{line}: name {name}")
        for text, line in docstrings(tree):
            docstring_count += 1
            first = text.split(None, 1)[0].lower().strip("`,.:") if text else ""
            if first in WH_WORDS:
                wh_words.append(f"{place}:{line}: docstring begins with {first!r}: {text.splitlines()[0][:80]}")
            elif len(text.split()) < 3 or text.lower().startswith(FRAGMENTS):
                fragments.append(
                    f"{place}:{line}: docstring is a fragment: {text.splitlines()[0][:80] if text else ''}"
                )
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(f"{place}:{node.lineno}")
    twice = [
        f"class {name} is defined {len(at)} times: {', '.join(at)}"
        for name, at in sorted(classes.items())
        if len(at) > 1
    ]
    figures = [
        ("vague names", vague, len(vague) <= MOST_VAGUE * name_count, f"{len(vague)} of {name_count}"),
        (
            "docstrings that begin with a wh-word",
            wh_words,
            len(wh_words) <= MOST_WH_WORDS * docstring_count,
            f"{len(wh_words)} of {docstring_count}",
        ),
        ("docstrings that are fragments", fragments, not fragments, str(len(fragments))),
        ("class names with two meanings", twice, not twice, str(len(twice))),
    ]
    for title, findings, holds, figure in figures:
        print(f"{title}: {figure}{'' if holds else ' (too many)'}")
        if verbose or not holds:
            print("\n".join(f"  {finding}" for finding in (findings if verbose else findings[:20])))
    return 0 if all(holds for _, _, holds, _ in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
