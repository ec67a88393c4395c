"""A small reader of Go's text/template, enough for ApplicationSets and for reading charts without helm.

It follows the documented language (actions, pipelines, variables, if, range, with, define, template, block);
unsupported syntax raises UnrenderableTemplate, so that nothing is guessed. Work is limited: templates are untrusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from remediator.gitops.template.parse import TemplateNode, UnrenderableTemplate, parse_cached

MAX_STEPS = 2_000_000
MAX_OUTPUT = 8 * 1024 * 1024


class _Break(Exception):
    """Ends a range, as Go's `break` does."""


class _Continue(Exception):
    """Continues with the next item of a range, as Go's `continue` does."""


def is_true(value: Any) -> bool:
    """Return whether Go counts the value as true; zero, empty and nil are false."""
    return bool(value) and value is not NO_VALUE


class _NoValue:
    def __bool__(self) -> bool:
        return False


NO_VALUE: Any = _NoValue()
"""The value of a key that a map does not have; it prints `<no value>` and is false."""


def text_of(value: Any) -> str:
    """Return the text that Go prints for a value."""
    if value is NO_VALUE or value is None:
        return "<no value>" if value is NO_VALUE else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{text_of(item)}" for key, item in sorted(value.items())) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(text_of(item) for item in value) + "]"
    return str(value)


Function = Callable[..., Any]


class Engine:
    """Executes templates with a set of functions; one engine serves one rendering and counts its steps."""

    def __init__(self, functions: Mapping[str, Function], *, strict: bool = False) -> None:
        self.functions = dict(functions)
        self.defined: dict[str, list[TemplateNode]] = {}
        self.strict = strict
        self.steps = 0
        self.depth = 0

    def render(self, source: str, data: Any) -> str:
        """Return the text that a template renders from the data."""
        nodes, defined = parse_cached(source)
        self.defined |= {name: body for name, body in defined.items() if name not in self.defined or body}
        return self.run(nodes, data, [{"$": data}])

    def execute(self, name: str, data: Any) -> str:
        """Return the text that a defined template renders from the data."""
        if name not in self.defined:
            raise UnrenderableTemplate(f"no template {name!r}")
        self.depth += 1
        if self.depth > 60:
            raise UnrenderableTemplate("templates include each other without end")
        try:
            return self.run(self.defined[name], data, [{"$": data}])
        finally:
            self.depth -= 1

    def run(self, nodes: list[TemplateNode], dot: Any, scopes: list[dict[str, Any]]) -> str:
        """Return the text of the nodes, one after the other."""
        out: list[str] = []
        size = 0
        for node in nodes:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise UnrenderableTemplate("takes too long")
            text = self._node(node, dot, scopes)
            size += len(text)
            if size > MAX_OUTPUT:
                raise UnrenderableTemplate("writes too much")
            out.append(text)
        return "".join(out)

    def _node(self, node: TemplateNode, dot: Any, scopes: list[dict[str, Any]]) -> str:
        match node.kind:
            case "text":
                return node.text
            case "emit":
                value = self.pipe(node.pipe, dot, scopes)
                if node.names:
                    self._assign(node, value, scopes)
                    return ""
                return text_of(value)
            case "if" | "with":
                inner = [*scopes, {}]
                value = self.pipe(node.pipe, dot, inner)
                if node.names:
                    inner[-1][node.names[0]] = value
                if is_true(value):
                    return self.run(node.body, value if node.kind == "with" else dot, inner)
                return self.run(node.otherwise, dot, inner)
            case "range":
                return self._range(node, dot, scopes)
            case "template":
                return self.execute(node.text, self.pipe(node.pipe, dot, scopes) if node.pipe else None)
            case "break":
                raise _Break
            case "continue":
                raise _Continue
        raise UnrenderableTemplate(f"unknown action {node.kind}")

    @staticmethod
    def _assign(node: TemplateNode, value: Any, scopes: list[dict[str, Any]]) -> None:
        name = node.names[0]
        if node.text == "=":
            for scope in reversed(scopes):
                if name in scope:
                    scope[name] = value
                    return
        scopes[-1][name] = value

    def _range(self, node: TemplateNode, dot: Any, scopes: list[dict[str, Any]]) -> str:
        value = self.pipe(node.pipe, dot, scopes)
        if isinstance(value, dict):
            pairs: list[tuple[Any, Any]] = sorted(value.items())
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(index, index) for index in range(min(value, 100_000))]
        else:
            pairs = list(enumerate(value)) if is_true(value) else []
        if not pairs:
            return self.run(node.otherwise, dot, scopes)
        out = []
        for key, item in pairs:
            scope: dict[str, Any] = {}
            if node.names:
                scope[node.names[-1]] = item
                if len(node.names) == 2:
                    scope[node.names[0]] = key
            try:
                out.append(self.run(node.body, item, [*scopes, scope]))
            except _Continue:
                continue
            except _Break:
                break
        return "".join(out)

    def pipe(self, pipe: Any, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        """Return the value of a pipeline."""
        value: Any = None
        for index, command in enumerate(pipe[1]):
            value = self._command(command, dot, scopes, [value] if index else [])
        return value

    def _command(self, operands: list[Any], dot: Any, scopes: list[dict[str, Any]], last: list[Any]) -> Any:
        if not operands:
            raise UnrenderableTemplate("an empty command")
        head = operands[0]
        if head[0] == "call":
            if head[1] in ("and", "or"):
                return self._lazy(head[1], operands[1:], dot, scopes, last)
            arguments = [self._operand(item, dot, scopes) for item in operands[1:]] + last
            return self.call(head[1], arguments)
        if head[0] == "chain" and (len(operands) > 1 or last):
            return self._method(head, [self._operand(item, dot, scopes) for item in operands[1:]] + last, dot, scopes)
        return self._operand(head, dot, scopes)

    def _lazy(self, name: str, operands: list[Any], dot: Any, scopes: list[dict[str, Any]], last: list[Any]) -> Any:
        value: Any = None
        for item in operands:
            value = self._operand(item, dot, scopes)
            if is_true(value) == (name == "or"):
                return value
        return last[0] if last else value

    def _method(self, head: Any, arguments: list[Any], dot: Any, scopes: list[dict[str, Any]]) -> Any:
        target = self._operand(head, dot, scopes)
        if callable(target):
            return target(*arguments)
        raise UnrenderableTemplate(f"{'.'.join(head[2])} is not a function")

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Return the result of a function."""
        function = self.functions.get(name)
        if function is None:
            raise UnrenderableTemplate(f"function {name} is not supported")
        try:
            return function(*[None if item is NO_VALUE else item for item in arguments])
        except UnrenderableTemplate:
            raise
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
            raise UnrenderableTemplate(f"{name}: {error}") from None

    def _operand(self, operand: Any, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        match operand[0]:
            case "value":
                return operand[1]
            case "dot":
                return dot
            case "variable":
                for scope in reversed(scopes):
                    if operand[1] in scope:
                        return scope[operand[1]]
                raise UnrenderableTemplate(f"undefined variable {operand[1]}")
            case "pipe":
                return self.pipe(operand, dot, scopes)
            case "chain":
                return self._chain(self._operand(operand[1], dot, scopes), operand[2])
            case "call":
                return self.call(operand[1], [])
        raise UnrenderableTemplate("unknown operand")

    def _chain(self, value: Any, names: list[str]) -> Any:
        for index, name in enumerate(names):
            if isinstance(value, Mapping):
                if name not in value:
                    if self.strict:
                        raise UnrenderableTemplate(f"map has no entry for key {name!r}")
                    value = NO_VALUE if index == len(names) - 1 else None
                else:
                    value = value[name]
            elif value is None or value is NO_VALUE:
                raise UnrenderableTemplate(f"nil has no field {name!r}")
            elif hasattr(value, "fields"):
                value = value.fields(name)
            else:
                raise UnrenderableTemplate(f"can't evaluate field {name!r}")
        return value
