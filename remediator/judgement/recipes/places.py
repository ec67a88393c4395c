"""Places of a recipe's setting in this repository: each kind gives changes, or none where it is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from remediator.judgement.recipes.chart_settings import in_annotation, in_values
from remediator.judgement.recipes.container_settings import in_argument, in_config, in_container, in_environment
from remediator.judgement.recipes.container_texts import in_text
from remediator.judgement.recipes.object_settings import in_application, in_field
from remediator.judgement.recipes.search import SettingChange, SettingSearch


def changes(search: SettingSearch) -> list[SettingChange]:
    """Return the changes that the setting would need, one for each place where it can be meant."""
    return list(_FINDERS[search.setting.place](search))


_FINDERS: Mapping[str, Callable[[SettingSearch], Iterator[SettingChange]]] = {
    "values": in_values,
    "annotation": in_annotation,
    "environment": in_environment,
    "argument": in_argument,
    "config": in_config,
    "text": in_text,
    "container": in_container,
    "field": in_field,
    "application": in_application,
}
