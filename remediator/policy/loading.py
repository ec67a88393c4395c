"""Policies from YAML: what ships, then the user's file merged over it; every mistake with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from remediator.errors import ConfigError
from remediator.policy.meaning import semantic_mistakes
from remediator.policy.mistakes import explain_violation, unknown_ids
from remediator.policy.models import Action, Catalogue, Category, Guardrails, Policies
from remediator.policy.recipes import mistakes, recipes_of, with_signals

USER_FILE = ".github/remediator.yml"
_ALWAYS_DENIED = (".github/**", ".git/**")
_OTHERS = ("verification", "locating", "charts", "redaction", "state", "model", "targets")
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def shipped_root() -> Path:
    """The directory of the shipped policies: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "policies"
    return inside if inside.is_dir() else package.parent / "policies"


def load(user_file: Path | None = None, *, root: Path | None = None) -> Policies:
    """Defaults with the user's file merged over them; `ConfigError` for anything that does not fit.

    The shipped files are checked against their schemas by the tests and by `remediator policies check`;
    at run time only the user's file is, since it alone can be new.
    """
    policies, wrong = _loaded(user_file, root or shipped_root())
    if policies is None or wrong:
        raise wrong[0]
    return policies


def _loaded(user_file: Path | None, root: Path) -> tuple[Policies | None, list[ConfigError]]:
    """The policies, and all that is wrong with them as far as one mistake lets the next be seen."""
    document: dict[str, Any] = {
        "categories": {path.stem: _read(path) for path in sorted(root.glob("categories/*.yaml"))},
        "actions": {path.stem: _read(path) for path in sorted(root.glob("actions/*.yaml"))},
        "guardrails": _read(root / "guardrails.yaml"),
        "weights": _read(root / "weights.yaml"),
        "recipes": {path.stem: _read(path) for path in sorted(root.glob("recipes/*.yaml"))},
        "weakening": _read(root / "weakening.yaml"),
    }
    if user_file is not None:
        user = _read(user_file)
        wrong = [*check_document(user, user_file, root / "schema" / "remediator.json")]
        if isinstance(user, Mapping):
            wrong += [_error(message, user_file, steps) for steps, message in unknown_ids(user, document)]
        if wrong:
            return None, wrong
        document = merge(document, user)
    return _build(document, user_file)


def merge(base: Any, over: Any) -> Any:
    """`over` laid upon `base`: mappings by key, signals and recipes by id, what is denied added; anything else replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        merged = dict(base)
        for key, value in over.items():
            if key in ("signals", "recipes") and isinstance(value, list):
                merged[key] = _merge_by_id(base.get(key, ()), value)
            elif str(key).startswith("deny_") and isinstance(value, list):
                merged[key] = list(dict.fromkeys((*base.get(key, ()), *value)))
            else:
                merged[key] = merge(base[key], value) if key in base else value
        return merged
    return over


def check(path: Path, *, root: Path | None = None) -> list[ConfigError]:
    """All that is wrong with a policy file or a directory of them; empty when it can be used."""
    root = root or shipped_root()
    problems: list[ConfigError] = []
    if not path.is_dir() and _schema_for(path) == "remediator.json":
        try:
            return _loaded(path, root)[1]
        except ConfigError as error:
            return [error]
    for file in _policy_files(path):
        try:
            document = _read(file)
        except ConfigError as error:
            problems.append(error)
            continue
        problems += check_document(document, file, root / "schema" / _schema_for(file))
    return problems if problems or not path.is_dir() else _loaded(None, path)[1]


def check_document(document: Any, file: Path, schema: Path) -> Iterator[ConfigError]:
    """Every violation of the schema, with the line in the file where it stands."""
    import json

    import jsonschema

    text = schema.read_text(encoding="utf-8")
    registry = _registry(schema.parent)
    validator = jsonschema.Draft202012Validator(json.loads(text), registry=registry)
    for error in sorted(validator.iter_errors(document), key=lambda e: list(map(str, e.absolute_path))):
        steps = list(error.absolute_path)
        yield _error(explain_violation(error, steps), file, steps)


def _error(words: str, file: Path | None, steps: Sequence[str | int]) -> ConfigError:
    path = ".".join(map(str, steps))
    return ConfigError(words, file=str(file or "policies"), line=line_of(file, steps) if file else 0, path=path)


def line_of(file: Path, steps: Iterable[str | int]) -> int:
    """1-based line of the node at `steps`, or of its deepest ancestor that exists."""
    try:
        node = yaml.compose(file.read_bytes(), Loader=_LOADER)
    except (yaml.YAMLError, OSError):
        return 0
    line = 1
    for step in steps:
        following = _child(node, step)
        if following is None:
            break
        node, line = following
    return line


def _child(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None


def _read(path: Path) -> Any:
    try:
        _refuse_repeated_keys(path)
        return yaml.load(path.read_bytes(), Loader=_LOADER) or {}  # noqa: S506 - a safe loader, the C one where there is one
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"is not YAML: {problem}", file=str(path), line=mark.line + 1 if mark else 0) from error


def _refuse_repeated_keys(path: Path) -> None:
    """A key that stands twice silently undoes what the first one forbade."""
    stack: list[yaml.Node] = [node for node in [yaml.compose(path.read_bytes(), Loader=_LOADER)] if node]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if key.value in keys:
                    raise ConfigError("stands twice", file=str(path), line=key.start_mark.line + 1, path=str(key.value))
                keys.add(key.value)
                stack.append(value)
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value


def _build(document: Mapping[str, Any], user_file: Path | None) -> tuple[Policies | None, list[ConfigError]]:
    try:
        recipes = recipes_of(document["recipes"])
        bodies = with_signals(document["categories"], recipes)
        categories = tuple(Category.model_validate({"id": name, **body}) for name, body in sorted(bodies.items()))
        actions = {
            name: Action.model_validate({"id": name, **body}) for name, body in sorted(document["actions"].items())
        }
        settings = {key: document[key] for key in _OTHERS if key in document}
        policies = Policies(
            catalogue=Catalogue(categories=categories),
            actions=actions,
            guardrails=_guardrails(document["guardrails"]),
            weights=document["weights"],
            recipes=recipes,
            weakening=document["weakening"],
            **settings,
        )
    except ValidationError as error:
        return None, [
            _error(f"{mistake['msg']}, got {mistake['input']!r}", user_file, mistake["loc"])
            for mistake in error.errors()
        ]
    problems = [_error(message, user_file, ("recipes",)) for message in mistakes(recipes, bodies)]
    return policies, problems + [_error(message, user_file, steps) for steps, message in semantic_mistakes(policies)]


def _guardrails(body: Mapping[str, Any]) -> Guardrails:
    guardrails = Guardrails.model_validate(body)
    denied = dict.fromkeys((*_ALWAYS_DENIED, *guardrails.deny_files))
    return guardrails.model_copy(update={"deny_files": tuple(denied)})


def _policy_files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in sorted(path.rglob("*.yaml")) if file.is_file()]
    return [path]


def _schema_for(file: Path) -> str:
    if file.parent.name == "categories":
        return "category.json"
    if file.parent.name == "actions":
        return "action.json"
    if file.parent.name == "recipes":
        return "recipe.json"
    return f"{file.stem}.json" if file.stem in ("guardrails", "weights", "weakening") else "remediator.json"


def _registry(directory: Path) -> Any:
    import json

    from referencing import Registry, Resource

    resources = [
        (file.name, Resource.from_contents(json.loads(file.read_text(encoding="utf-8"))))
        for file in directory.glob("*.json")
    ]
    return Registry().with_resources(resources)


def _merge_by_id(base: Iterable[Mapping[str, Any]], over: Iterable[Mapping[str, Any]]) -> list[Any]:
    merged = {entry["id"]: dict(entry) for entry in base}
    for entry in over:
        merged[entry["id"]] = {**merged.get(entry["id"], {}), **entry}
    return list(merged.values())
