"""The reading tools: each a pure function of the redacted facts and the checkout, its answer at most one page."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import format_path
from remediator.errors import ConfigError
from remediator.gitops import Application, history
from remediator.judgement.model import recent
from remediator.judgement.model.facts import shown
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import object_yaml, page, value_text
from remediator.judgement.model.typed_edits import EditMistake, path_of
from remediator.judgement.relations.registry import broken
from remediator.judgement.world import World

_MOST_HITS = 300
_MOST_FILE = 512 * 1024
_HIDDEN = (".git", ".github/remediator.yml")


class ToolMistake(Exception):
    """A call that cannot be answered; the message says what would be."""


Arguments = Mapping[str, Any]
Tool = Callable[[Scene, Arguments], str]


def text_of(arguments: Arguments, name: str, *, needed: bool = False) -> str:
    """Return a text argument; `ToolMistake` where it is of another type, or missing and needed."""
    value = arguments.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise ToolMistake(f"{name} must be {'a text that is not empty' if needed else 'a text'}")
    return value


def number_of(arguments: Arguments, name: str, default: int = 1) -> int:
    """Return a whole number from 1; `ToolMistake` for anything else."""
    value = arguments.get(name, default)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ToolMistake(f"{name} must be a whole number from 1")
    return value


def search_evidence(scene: Scene, arguments: Arguments) -> str:
    """Return facts and log lines that hold all words."""
    words = text_of(arguments, "text")
    hits = scene.facts.search(words)
    if not hits:
        return f"No fact holds all of {words!r}: fewer words find more."
    return page([fact.line for fact in hits[:_MOST_HITS]], number_of(arguments, "page"))


def list_applications(scene: Scene, arguments: Arguments) -> str:
    """Return every Application with its destination and source."""
    lines = []
    for app in scene.repository.applications:
        sources = "; ".join(
            f"{source.path or source.chart or source.ref}{f' @{source.revision}' if source.revision else ''}"
            for source in app.sources
        )
        mark = " (in scope)" if app in scene.scope else ""
        lines.append(f"{app.name}{mark}: namespace {app.namespace or '-'}, {sources}, written in {app.file}")
    return page(lines, number_of(arguments, "page")) if lines else "The repository has no Application."


def _application(scene: Scene, arguments: Arguments, *, needed: bool = True) -> Application | None:
    name = text_of(arguments, "application", needed=needed)
    if not name:
        return None
    app = scene.repository.application(name)
    if app is None:
        raise ToolMistake(f"there is no Application {name}: list_applications tells")
    return app


def list_objects(scene: Scene, arguments: Arguments) -> str:
    """Return the rendered objects of one Application."""
    app = _application(scene, arguments)
    if app is None:
        raise AssertionError("an Application is needed")
    lines = [
        f"{item.kind} {item.name}{f' in {item.namespace}' if item.namespace else ''} from {item.file or 'a chart'}"
        for item in scene.repository.objects(app)
    ]
    lines += [f"problem: {shown(problem.message, 600)}" for problem in scene.repository.problems_of(app)]
    return page(lines, number_of(arguments, "page")) if lines else f"{app.name} renders no object."


def read_object(scene: Scene, arguments: Arguments) -> str:
    """Return one rendered object."""
    kind, name = text_of(arguments, "kind", needed=True), text_of(arguments, "name", needed=True)
    matches = scene.find(kind, name, text_of(arguments, "application"))
    if not matches:
        raise ToolMistake(f"there is no rendered {kind} {name}: list_objects tells what an Application has")
    lines = []
    for app, item in matches[:3]:
        lines += [f"# {item.kind} {item.name} of {app.name}, from {item.file or 'a chart'}"]
        lines += object_yaml(item.kind, item.body).splitlines()
    return page(lines, number_of(arguments, "page"))


def locate(scene: Scene, arguments: Arguments) -> str:
    """Return the places that control one field, with value, proof, history and other readers."""
    kind, name = text_of(arguments, "kind", needed=True), text_of(arguments, "name", needed=True)
    field = text_of(arguments, "field", needed=True)
    matches = scene.find(kind, name, text_of(arguments, "application"))
    if not matches:
        raise ToolMistake(f"there is no rendered {kind} {name}")
    app, item = matches[0]
    try:
        path = path_of(field)
    except EditMistake as error:
        raise ToolMistake(str(error)) from None
    located = scene.repository.locate(app, item, path)
    lines = [f"{located.status} in {app.name}{f': {located.reason}' if located.reason else ''}"]
    for place in located.places[:4]:
        lines += place_lines(scene, place)
    lines += [f"could also be meant: {place.file} {format_path(place.path)}" for place in located.candidates[:6]]
    return page(lines, 1)


def place_lines(scene: Scene, place: Place) -> Iterator[str]:
    """Yield what is known of one place."""
    where = format_path(place.path) + (f" inside {format_path(place.inside)}" if place.inside else "")
    value = value_text(place.value) if place.exists else "not there yet"
    yield f"{place.file} {where} = {value} ({place.proof}{f'; {shown(place.why, 200)}' if place.why else ''})"
    if place.also_feeds:
        yield f"  also read by {', '.join(place.also_feeds[:8])}"
    yield from (f"  note: {shown(note, 200)}" for note in place.notes)
    told = history.changes(scene.repository.root, place, limit=4)
    for change in told.changes:
        yield (
            f"  {change.commit[:10]} {change.when[:16]} {shown(change.author, 60)}: "
            f"{value_text(change.old)} → {value_text(change.new)} ({shown(change.subject, 100)})"
        )


def recent_changes(scene: Scene, arguments: Arguments) -> str:
    """Return recent commits as differences of values."""
    app, file = _application(scene, arguments, needed=False), text_of(arguments, "file")
    files: Sequence[str] = (
        [posixpath.normpath(file)] if file else scene.repository.files_of(app) if app else scene.files()
    )
    commits, why = recent.commits_of(scene.repository, files, number_of(arguments, "limit", 8))
    lines = list(recent.lines_of(scene.repository, commits, files))
    if why:
        lines.append(f"({why})")
    return page(lines, number_of(arguments, "page")) if lines else "No commit touched these files."


def broken_relations(scene: Scene, arguments: Arguments) -> str:
    """Return what cannot be right in the rendered world."""
    app = _application(scene, arguments, needed=False)
    world = World(scene.repository, [app]) if app else scene.inquiry.world
    lines = [
        f"{item.at.application.name}: {item.at.kind}/{item.at.name} {format_path(item.path)}: {item.message}"
        for item in broken(world)
        if app is None or item.at.application == app
    ]
    return page(lines, number_of(arguments, "page")) if lines else "No relation that is known is broken."


def search_repository(scene: Scene, arguments: Arguments) -> str:
    """Return lines of files that hold a text, or the names of files."""
    text, glob = text_of(arguments, "text"), text_of(arguments, "glob") or "**"
    names = [name for name in sorted(scene.repository.files(glob)) if not is_hidden(name)]
    if not text:
        return page(names[: 10 * _MOST_HITS], number_of(arguments, "page")) if names else f"No file matches {glob}."
    lines: list[str] = []
    for name in names:
        if len(lines) >= _MOST_HITS:
            break
        content = _content(scene, name)
        if text.casefold() in content.casefold():
            lines += [
                f"{name}:{number}: {shown(line, 200)}"
                for number, line in enumerate(content.splitlines(), 1)
                if text.casefold() in line.casefold()
            ]
    return page(lines[:_MOST_HITS], number_of(arguments, "page")) if lines else f"No file of {glob} holds {text!r}."


def read_file(scene: Scene, arguments: Arguments) -> str:
    """Return a file with line numbers, from one line on."""
    path, first = posixpath.normpath(text_of(arguments, "path", needed=True)), number_of(arguments, "from_line")
    if is_hidden(path) or path.startswith(("/", "../")):
        raise ToolMistake(f"{path} is not shown: only files of the repository are")
    try:
        content = scene.repository.read(path)
    except ConfigError as error:
        raise ToolMistake(f"{path}: {error}; search_repository with an empty text lists files") from None
    lines = content[:_MOST_FILE].decode("utf-8", "replace").splitlines()
    if first > len(lines):
        raise ToolMistake(f"{path} has {len(lines)} lines")
    numbered = [f"{number:>4} {line[:400]}" for number, line in enumerate(lines, 1)][first - 1 :]
    text = page(numbered, 1)
    head, mark, _ = text.rpartition("\n(page ")
    if not mark:
        return text
    last = head.splitlines()[-1].split()[0]
    return f"{head}\n(of {len(lines)} lines; from_line={int(last) + 1} reads on)"


def is_hidden(name: str) -> bool:
    """Return True for a file that no model is shown, such as git's own."""
    return any(name == part or name.startswith(f"{part}/") or f"/{part}/" in f"/{name}/" for part in _HIDDEN)


def _content(scene: Scene, name: str) -> str:
    try:
        return scene.repository.read(name)[:_MOST_FILE].decode("utf-8", "replace")
    except ConfigError:
        return ""


READ_TOOLS: Mapping[str, Tool] = {
    tool.__name__: tool
    for tool in (
        search_evidence, list_applications, list_objects, read_object, locate, recent_changes, broken_relations,
        search_repository, read_file,
    )
}  # fmt: skip
