#!/usr/bin/env python3
"""Check that no files import each other in a circle, and no folders either.

    check_imports.py [FOLDER]

Imports inside functions are left out: they are made late on purpose. Imports for the type checker alone count, because
a reader follows them like the others. Exits with 1 and prints each circle.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Graph = Mapping[str, set[str]]


def statements(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of a module that run, or are read, when it is imported."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If | ast.Try):
            yield from statements([*statement.body, *statement.orelse])


def imported(statement: ast.Import | ast.ImportFrom, modules: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules of ours that a statement names."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names if alias.name in modules)
    elif statement.module in modules:
        for alias in statement.names:
            submodule = f"{statement.module}.{alias.name}"
            yield submodule if submodule in modules else statement.module


def module_name(file: Path, root: Path) -> str:
    """Return the dotted name that a file is imported by."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(folder: Path) -> tuple[Graph, Graph]:
    """Return what each file imports, and what each folder imports of other folders."""
    modules = {module_name(file, folder.parent): file for file in sorted(folder.rglob("*.py"))}
    files: dict[str, set[str]] = defaultdict(set)
    folders: dict[str, set[str]] = defaultdict(set)
    home = {
        name: name if file.name == "__init__.py" else name.rpartition(".")[0] or name for name, file in modules.items()
    }
    for name, file in modules.items():
        for statement in statements(ast.parse(file.read_text(encoding="utf-8")).body):
            for target in imported(statement, modules):
                if target != name:
                    files[name].add(target)
                # A package may gather what its parts define, and a part may use what stands beside its folder.
                if not (home[target] + ".").startswith(home[name] + ".") and not (home[name] + ".").startswith(
                    home[target] + "."
                ):
                    folders[home[name]].add(home[target])
    return files, folders


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of nodes of which each reaches each other one (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for target in sorted(graph.get(node, ())):
            if target not in order:
                visit(target)
                lowest[node] = min(lowest[node], lowest[target])
            elif target in stack:
                lowest[node] = min(lowest[node], order[target])
        if lowest[node] == order[node]:
            position = stack.index(node)
            group = stack[position:]
            del stack[position:]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return groups


def main(arguments: list[str]) -> int:
    """Print each circle and return the exit code."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT / "remediator"
    files, folders = read(folder)
    failed = False
    for kind, graph in (("files", files), ("folders", folders)):
        groups = circles(graph)
        print(f"circles of {kind}: {len(groups)}")
        for group in groups:
            failed = True
            print(
                "  "
                + "\n  ".join(
                    f"{name} → {target}" for name in group for target in sorted(graph[name]) if target in group
                )
            )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
