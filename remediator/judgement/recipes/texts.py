"""Settings in the files that ConfigMaps hold: YAML and JSON by path, properties, ini and directives by line."""

from __future__ import annotations

import re
from typing import Any

from remediator import yamledit
from remediator.domain.yaml_paths import MISSING, YamlPath, depth, get
from remediator.gitops import yamlread
from remediator.judgement.recipes.amounts import REMOVED
from remediator.policy import Setting
from remediator.yamledit import EditRefused, parse_path

_LINES = {
    "properties": r"^(?P<head>[ \t]*{key}[ \t]*[=:][ \t]*)(?P<value>[^\r\n]*?)(?P<tail>(?:[ \t]+#[^\r\n]*)?[ \t]*)$",
    "ini": r"^(?P<head>[ \t]*{key}[ \t]*=[ \t]*)(?P<value>[^\r\n#;]*?)(?P<tail>[ \t]*(?:[#;][^\r\n]*)?)$",
    "directives": r"^(?P<head>[ \t]*{key}[ \t]+)(?P<value>[^;\r\n]+?)(?P<tail>;?[ \t]*)$",
}
_ADDED = {"properties": "{key}={value}", "ini": "{key} = {value}", "directives": "{key} {value}"}
_SECTION = re.compile(r"^[ \t]*\[(?P<name>[^\]\r\n]+)\][ \t]*$", re.MULTILINE)


def steps(text: str) -> YamlPath:
    """Return a path that a recipe writes, without selectors."""
    return tuple(step if isinstance(step, str | int) else f"{step.name}={step.equals}" for step in parse_path(text))


def setting_in(text: str, setting: Setting, request: str = "") -> Any:
    """Return the setting's value in a file; MISSING where it is absent, None where the file cannot hold it.

    `request` is the path of the request that a message names: blocks for other paths do not count.
    """
    if setting.format == "yaml":
        data = yamlread.single_mapping(text)
        if data is None or not _allowed(data, setting):
            return None
        path = steps(setting.config)
        value = get(data, path)
        if value is MISSING and len(path) > 1 and not depth(data, path[:-1]):
            return None
        return None if isinstance(value, dict | list) else value
    body, key = _section(text, setting)
    if body is None:
        return None
    match = _line(body, key, setting, request)
    return match["value"] if match else MISSING


def with_setting(text: str, setting: Setting, value: Any, *, exists: bool, request: str = "") -> str | None:
    """Return the file's text with the setting changed or added; None where that cannot be done."""
    if setting.format == "yaml":
        edit = yamledit.set if exists else yamledit.insert
        try:
            if value is REMOVED:
                return yamledit.delete(text.encode(), 0, steps(setting.config)).decode()
            return edit(text.encode(), 0, steps(setting.config), value).decode()
        except EditRefused:
            return None
    body, key = _section(text, setting)
    if body is None:
        return None
    match = _line(body, key, setting, request)
    if match and value is REMOVED:
        changed = f"{body[: match.start()]}{body[match.end() :].removeprefix(chr(10))}"
    elif match:
        changed = f"{body[: match.start('value')]}{value}{body[match.end('value') :]}"
    else:
        line = _ADDED[setting.format].format(key=key, value=value)
        front = body if not body or body.endswith("\n") else f"{body}\n"
        changed = f"{front.rstrip(chr(10))}\n{line}\n" if front.strip() else f"{front}{line}\n"
    return text.replace(body, changed, 1) if body else None


def _allowed(data: Any, setting: Setting) -> bool:
    if setting.beside and get(data, steps(setting.beside)) is MISSING:
        return False
    return all(get(data, steps(path)) is MISSING for path in setting.unless)


def _section(text: str, setting: Setting) -> tuple[str | None, str]:
    """Return the part of the file in which the key stands, and the key; None where the section is not there."""
    if setting.format != "ini":
        return text, setting.config
    section, _, key = setting.config.rpartition("/")
    headers = list(_SECTION.finditer(text))
    for index, header in enumerate(headers):
        if header["name"] == section:
            end = headers[index + 1].start() if index + 1 < len(headers) else len(text)
            return text[header.start() : end], key
    return None, key


def _line(body: str, key: str, setting: Setting, request: str) -> re.Match[str] | None:
    """Return the only line that sets the key; of several in blocks, the one in the innermost block of the request."""
    pattern = _LINES[setting.format].format(key=re.escape(key))
    matches = list(re.finditer(pattern, body, re.MULTILINE))
    if len(matches) > 1 and request:
        blocks = [(_location(body, match.start()), match) for match in matches]
        fitting = [(path, match) for path, match in blocks if request.startswith(path)]
        deepest = max((len(path) for path, _ in fitting), default=0)
        matches = [match for path, match in fitting if len(path) == deepest]
    return matches[0] if len(matches) == 1 else None


_BRACE = re.compile(r"location[ \t]+(?:(?:=|\^~)[ \t]+)?(?P<path>/\S*)[ \t]*\{|(?P<brace>[{}])")


def _location(body: str, position: int) -> str:
    """Return the path of the block of nginx in which a position lies; empty where it lies in none."""
    opened: list[str] = []
    for match in _BRACE.finditer(body, 0, position):
        if match["brace"] == "}":
            del opened[-1:]
        else:
            opened.append(match["path"] or "")
    return next((path for path in reversed(opened) if path), "")
