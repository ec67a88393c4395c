"""Settings of containers: variables, flags, and the files that ConfigMaps give them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get
from remediator.judgement.recipes.amounts import REMOVED
from remediator.judgement.recipes.containers import software_containers
from remediator.judgement.recipes.search import SettingChange, SettingSearch, indexed, text_of, want
from remediator.judgement.recipes.texts import setting_in, with_setting
from remediator.judgement.world import Placed


def in_environment(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a variable, in the container or in the ConfigMap that it takes variables from."""
    name = search.setting.environment
    for placed, container, path in software_containers(search.inquiry, search.recipe, search.applications):
        variables = [item for item in container.get("env") or () if isinstance(item, dict)]
        index = next(
            (at for at, item in enumerate(variables) if fnmatch.fnmatchcase(str(item.get("name")), name)), None
        )
        if index is not None:
            if "value" in variables[index]:
                text = str(variables[index]["value"])
                value = search.wanted(_option_in(text, search.setting.option))
                if value is REMOVED:
                    yield want(str(variables[index]["name"]), placed, (*path, "env", index), REMOVED)
                elif value is not MISSING and search.fits_memory(value, container):
                    old = f"{search.setting.option}{_option_in(text, search.setting.option)}"
                    new = text.replace(old, f"{search.setting.option}{text_of(value)}", 1)
                    yield want(str(variables[index]["name"]), placed, (*path, "env", index, "value"), new)
            continue
        if search.setting.option:
            continue
        shared = list(_from_config_maps(search, placed, container))
        yield from shared
        value = MISSING if shared or "*" in name else search.wanted(MISSING)
        if value is not MISSING:
            added = [*(container.get("env") or ()), {"name": name, "value": text_of(value)}]
            yield want(name, placed, (*path, "env"), added, label_value=text_of(value))


def _option_in(text: str, option: str) -> Any:
    """Return the value of an option inside a text; the text itself where no option is meant."""
    if not option:
        return text
    match = re.search(rf"(?<!\S){re.escape(option)}([^\s\"']+)", text)
    return match[1] if match else MISSING


def _from_config_maps(search: SettingSearch, placed: Placed, container: Mapping[str, Any]) -> Iterator[SettingChange]:
    for source in container.get("envFrom") or ():
        config = search.inquiry.world.named("ConfigMap", str(get(source, ("configMapRef", "name"))), placed)
        data = get(config.body, ("data",)) if config is not None else None
        for name in fnmatch.filter(data, search.setting.environment) if isinstance(data, dict) else ():
            value = search.wanted(get(data, (name,)))
            if config is not None and value is not MISSING:
                yield want(name, config, ("data", name), value if value is REMOVED else text_of(value))


def in_argument(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a flag of the container."""
    flag = search.setting.argument
    for placed, container, path in software_containers(search.inquiry, search.recipe, search.applications):
        for key in ("args", "command"):
            listed = [str(item) for item in container.get(key) or ()]
            hits = [index for index, item in enumerate(listed) if item == flag or item.startswith(f"{flag}=")]
            if len(hits) == 1:
                yield from _argument(search, placed, (*path, key), listed, hits[0], container)
                break
        else:
            value = search.wanted(MISSING)
            listed = list(container.get("args") or ())
            if value is not MISSING and listed:
                text = flag if value is True else f"{flag}={text_of(value)}"
                yield want(flag, placed, (*path, "args"), [*listed, text], label_value=text_of(value))


def _argument(
    search: SettingSearch, placed: Placed, path: YamlPath, listed: list[str], at: int, container: Mapping[str, Any]
) -> Iterator[SettingChange]:
    flag = search.setting.argument
    _, equals, text = listed[at].partition("=")
    if search.rule.removed:
        follows = not equals and at + 1 < len(listed) and not listed[at + 1].startswith("-")
        rest = [*listed[:at], *listed[at + (2 if follows else 1) :]]
        yield want(flag, placed, path, rest, label_value=REMOVED)
    elif equals:
        value = search.wanted(text)
        if value is not MISSING and search.fits_memory(value, container):
            yield want(flag, placed, (*path, at), f"{flag}={text_of(value)}", label_value=text_of(value))
    elif at + 1 < len(listed):
        value = search.wanted(listed[at + 1])
        if value is not MISSING:
            yield want(flag, placed, (*path, at + 1), text_of(value))


def in_container(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a field of the container itself."""
    for placed, container, path in software_containers(search.inquiry, search.recipe, search.applications):
        below = indexed(container, search.path(search.setting.container))
        value = search.wanted(get(container, below)) if below else MISSING
        if value is not MISSING:
            yield want(format_path(below), placed, (*path, *below), value)


def in_config(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of a key in a file that a ConfigMap holds."""
    request = search.captured.get("path", "")
    for placed in search.placed("ConfigMap"):
        data = placed.body.get("data")
        for name, text in data.items() if isinstance(data, dict) else ():
            if not isinstance(text, str) or not fnmatch.fnmatchcase(str(name), search.setting.file):
                continue
            current = setting_in(text, search.setting, request)
            value = MISSING if current is None else search.wanted(current)
            if value is MISSING:
                continue
            changed = with_setting(text, search.setting, value, exists=current is not MISSING, request=request)
            if changed is not None:
                yield want(
                    f"{search.setting.config} in {name}", placed, ("data", name), changed, label_value=text_of(value)
                )
