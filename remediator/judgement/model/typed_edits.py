"""The edits that a model may try, as it writes them, turned into one `Fix`; a sentence says what is wrong with any other.

Five shapes: a field of a rendered object, a path in a file, lines of a file that does not parse, a new small document,
and the taking back of what a commit changed.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, ItemSelector, YamlPath, format_path, get, parse_path, resolve
from remediator.errors import ConfigError
from remediator.gitops import history, yamlread
from remediator.gitops.takeback import revert_text
from remediator.judgement.model.recent import commits_of
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import value_text
from remediator.remedies.engine.case import Want

MOST_EDITS = 12
MOST_NEW_LINES = 60
_FILE_OPERATIONS = ("set", "insert", "delete", "rename", "append")


class EditMistake(Exception):
    """An edit that cannot be meant; the message says how to write it."""


@dataclass
class TypedEdits:
    """The edits of one try, sorted by how they are carried out."""

    wants: list[Want] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


def read_edits(raw: Any, scene: Scene) -> TypedEdits:
    """Return the edits; `EditMistake` for what is none."""
    if not isinstance(raw, list) or not raw:
        raise EditMistake("edits must be a list with at least one edit")
    if len(raw) > MOST_EDITS:
        raise EditMistake(f"{len(raw)} edits are too many: at most {MOST_EDITS}; change only what ends the incident")
    typed = TypedEdits()
    for item in raw:
        if not isinstance(item, dict):
            raise EditMistake("each edit must be an object")
        if "[redacted:" in json.dumps(item):
            raise EditMistake("a redacted value stands for a secret and cannot be written")
        _read(item, scene, typed)
    return typed


def _read(item: Mapping[str, Any], scene: Scene, typed: TypedEdits) -> None:
    if "take_back" in item:
        _take_back(item, scene, typed)
    elif "kind" in item or "field" in item:
        _object_field(item, scene, typed)
    elif "file" not in item:
        raise EditMistake("an edit needs application, kind, name and field; or file; or take_back")
    elif "new_text" in item and "from_line" not in item:
        _new_file(item, scene, typed)
    elif "from_line" in item:
        _lines(item, scene, typed)
    else:
        _file_path(item, scene, typed)


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name, "")
    if not isinstance(value, str):
        raise EditMistake(f"{name} must be a text")
    return value


def path_of(text: str) -> YamlPath:
    """Read a path as models write it; `EditMistake` where it makes no sense."""
    try:
        steps = parse_path(text)
    except ValueError as error:
        raise EditMistake(f'{error}; write spec.containers[name=app].env[0]["a.b"]') from None
    return tuple(f"{step.name}={step.equals}" if isinstance(step, ItemSelector) else step for step in steps)


def _object_field(item: Mapping[str, Any], scene: Scene, typed: TypedEdits) -> None:
    kind, name, application = (_text(item, key) for key in ("kind", "name", "application"))
    matches = scene.find(kind, name, application)
    if not matches:
        raise EditMistake(
            f"there is no rendered {kind} {name}{f' in {application}' if application else ''}: list_objects tells"
        )
    if len({app.key for app, _ in matches}) > 1 and not application:
        names = ", ".join(sorted({app.name for app, _ in matches})[:8])
        raise EditMistake(f"{kind} {name} is in several Applications: say which of {names}")
    app, manifest = matches[0]
    path = path_of(_text(item, "field"))
    if not path:
        raise EditMistake("field is empty: name the field, such as spec.template.spec.containers[name=app].image")
    value = _value(item)
    if value is MISSING and get(manifest.body, path) is MISSING:
        raise EditMistake(f"{kind} {name} has no field {format_path(path)}")
    path = resolve(manifest.body, path)
    typed.wants.append(Want(app, manifest, path, value))
    typed.titles.append(_title(path, manifest.name, value))


def _value(item: Mapping[str, Any]) -> Any:
    if item.get("remove") is True:
        return MISSING
    if "value" not in item:
        raise EditMistake("give a value, or remove: true")
    return item["value"]


def _title(path: YamlPath, owner: str, value: Any) -> str:
    last = format_path(path[-2:] if isinstance(path[-1], str) and "=" not in path[-1] else path[-3:])
    if value is MISSING:
        return f"remove {last} of `{owner}`"
    return (
        f"correct {last} of `{owner}`"
        if isinstance(value, dict | list)
        else f"set {last} of `{owner}` to {value_text(value, 60)}"
    )


def _existing(item: Mapping[str, Any], scene: Scene) -> tuple[str, bytes]:
    file = posixpath.normpath(_text(item, "file"))
    try:
        return file, scene.repository.read(file)
    except ConfigError as error:
        raise EditMistake(f"{file}: {error}: search_repository finds files") from None


def _file_path(item: Mapping[str, Any], scene: Scene, typed: TypedEdits) -> None:
    file, text = _existing(item, scene)
    operation = _text(item, "op") or ("delete" if item.get("remove") is True else "set")
    if operation not in _FILE_OPERATIONS:
        raise EditMistake(f"op is one of {', '.join(_FILE_OPERATIONS)}")
    path, inside = path_of(_text(item, "path")), path_of(_text(item, "inside"))
    if not path:
        raise EditMistake("path is empty: name the value in the file")
    document = item.get("document", 0)
    try:
        documents = yamlread.documents(text)
    except yamlread.UnreadableYaml as error:
        raise EditMistake(
            f"{file} does not parse ({error.message}): change it by from_line, to_line and new_text"
        ) from None
    if not isinstance(document, int) or not 0 <= document < len(documents):
        raise EditMistake(f"{file} has the documents 0 to {len(documents) - 1}")
    current = _current(documents[document], path, inside)
    if operation == "set" and current is MISSING:
        operation = "insert"
    elif operation == "insert" and current is not MISSING:
        operation = "set"
    if operation in ("delete", "rename", "append") and current is MISSING:
        raise EditMistake(f"{file} has nothing at {format_path(path)}")
    value = None if operation == "delete" else item.get("value")
    place = Place(
        file=file, document=document, path=path, inside=inside, exists=current is not MISSING,
        value=None if current is MISSING else current, proof="read", why="named by the model",
    )  # fmt: skip
    typed.places.append(place)
    typed.edits.append(Edit(op=operation, file=file, document=document, path=path, inside=inside, value=value))
    typed.titles.append(_title(inside or path, posixpath.basename(file), MISSING if operation == "delete" else value))


def _current(document: Any, path: YamlPath, inside: YamlPath) -> Any:
    value = get(document, path)
    if not inside:
        return value
    if not isinstance(value, str):
        raise EditMistake(f"{format_path(path)} is no text that holds YAML, so nothing is inside it")
    try:
        inner = yamlread.documents(value)
    except yamlread.UnreadableYaml as error:
        raise EditMistake(f"the text at {format_path(path)} is no YAML: {error.message}") from None
    return get(inner[0], inside) if inner else MISSING


def _lines(item: Mapping[str, Any], scene: Scene, typed: TypedEdits) -> None:
    file, text = _existing(item, scene)
    try:
        yamlread.documents(text)
    except yamlread.UnreadableYaml:
        pass
    else:
        raise EditMistake(f"{file} parses: change it by path, so that nothing else changes")
    lines = text.decode("utf-8", "replace").splitlines(keepends=True)
    first, last = item.get("from_line"), item.get("to_line", item.get("from_line"))
    if not (isinstance(first, int) and isinstance(last, int) and 1 <= first <= last <= len(lines)):
        raise EditMistake(f"from_line and to_line must lie within 1 to {len(lines)}")
    new = _text(item, "new_text")
    if len(new.splitlines()) > MOST_NEW_LINES or last - first >= MOST_NEW_LINES:
        raise EditMistake(f"at most {MOST_NEW_LINES} lines can be changed")
    new = new if not new or new.endswith("\n") else f"{new}\n"
    typed.edits.append(Edit(op="write", file=file, value="".join([*lines[: first - 1], new, *lines[last:]])))
    typed.places.append(Place(file=file, proof="read", why=f"lines {first} to {last}, named by the model"))
    typed.titles.append(f"correct line {first} of `{posixpath.basename(file)}`")


def _new_file(item: Mapping[str, Any], scene: Scene, typed: TypedEdits) -> None:
    file, text = posixpath.normpath(_text(item, "file")), _text(item, "new_text")
    try:
        scene.repository.read(file)
    except ConfigError:
        pass
    else:
        raise EditMistake(f"{file} exists: change it by path")
    try:
        documents = [body for body in yamlread.documents(text) if body is not None]
    except yamlread.UnreadableYaml as error:
        raise EditMistake(f"new_text does not parse: {error.message}") from None
    if len(documents) != 1 or len(text.splitlines()) > MOST_NEW_LINES:
        raise EditMistake(f"a new file holds one document of at most {MOST_NEW_LINES} lines")
    typed.edits.append(Edit(op="write", file=file, value=text if text.endswith("\n") else f"{text}\n"))
    typed.places.append(Place(file=file, exists=False, proof="read", why="a new file, named by the model"))
    typed.titles.append(f"add `{posixpath.basename(file)}`")


def _take_back(item: Mapping[str, Any], scene: Scene, typed: TypedEdits) -> None:
    name, only = _text(item, "take_back"), posixpath.normpath(_text(item, "file")) if item.get("file") else ""
    files = [only] if only else scene.files()
    commits, why = commits_of(scene.repository, files, 20)
    commit = next((commit for commit in commits if len(name) >= 7 and commit.commit.startswith(name)), None)
    if commit is None:
        raise EditMistake(
            f"no recent commit {name or '(empty)'} touched these files{f' ({why})' if why else ''}: recent_changes lists them"
        )
    touched = [file for file in commit.files if file in files]
    for file in touched:
        _take_back_file(scene, commit.commit, file, typed)
    typed.titles.append(
        f"take back {commit.commit[:7]} in {', '.join(f'`{posixpath.basename(file)}`' for file in touched[:3])}"
    )


def _take_back_file(scene: Scene, commit: str, file: str, typed: TypedEdits) -> None:
    before, after = history.files_at(scene.repository.root, [(f"{commit}^", file), (commit, file)])
    try:
        now: bytes | None = scene.repository.read(file)
    except ConfigError:
        now = None
    try:
        text = revert_text(before, after, now)
    except ValueError as error:
        raise EditMistake(f"{commit[:7]} cannot be taken back in {file}: {error}; set the values instead") from None
    typed.edits.append(
        Edit(op="remove", file=file)
        if text is None
        else Edit(op="write", file=file, value=text.decode("utf-8", "replace"))
    )
    typed.places.append(Place(file=file, proof="read", why=f"as before {commit[:7]}"))


def title_of(titles: Sequence[str]) -> str:
    """Return one title for all edits."""
    distinct = list(dict.fromkeys(titles))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} and {len(distinct) - 1} more"
