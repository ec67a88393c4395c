"""Parts of the texts that a container starts with: an argument, the value of a variable, a line of its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.judgement.recipes.amounts import REMOVED
from remediator.judgement.recipes.containers import software_containers
from remediator.judgement.recipes.search import SettingChange, SettingSearch, text_of, want
from remediator.judgement.world import Placed
from remediator.remedies.views.start_texts import StartText, commands, configs, variables


def in_text(search: SettingSearch) -> Iterator[SettingChange]:
    """Yield the change of the part that the pattern finds, in each text that has it just once."""
    import re2

    pattern = re2.compile(search.setting.text)
    context = search.inquiry.context("apply_recipe")
    for placed, container, path in software_containers(search.inquiry, search.recipe, search.applications):
        texts = (*commands(placed, container, path), *variables(placed, container, path), *configs(context, placed))
        for text in texts:
            matches = list(pattern.finditer(text.value))
            if len(matches) == 1:
                yield from _replaced(search, text, matches[0])


def _replaced(search: SettingSearch, text: StartText, match: Any) -> Iterator[SettingChange]:
    start, end = match.span(match.re.groupindex.get("value", 0))
    old = text.value[start:end]
    value = search.wanted(old)
    placed = Placed(text.application, text.manifest, text.manifest.namespace_in(text.application))
    if value is REMOVED:
        yield _cut(placed, text, start, end)
    elif value is not MISSING:
        new = f"{text.value[:start]}{text_of(value)}{text.value[end:]}"
        yield want(_label(text), placed, text.path, new, label_value=text_of(value))


def _cut(placed: Placed, text: StartText, start: int, end: int) -> SettingChange:
    """Return the change that takes a part out of a text, or the whole argument or variable where nothing else is in it."""
    rest = f"{text.value[:start]}{text.value[end:]}"
    if rest.strip():
        return want(_label(text), placed, text.path, rest, label_value=REMOVED)
    above: YamlPath = text.path[:-1]
    if not isinstance(text.path[-1], int):  # the variable or the key goes with its value
        return want(_label(text), placed, above if isinstance(above[-1], int) else text.path, REMOVED)
    listed = get(text.manifest.body, above)
    items = [item for index, item in enumerate(listed) if index != text.path[-1]]
    return want(_label(text), placed, above, items, label_value=REMOVED)


def _label(text: StartText) -> str:
    return text.variable or str(text.path[-2] if isinstance(text.path[-1], int) else text.path[-1])
