"""One setting that is looked for on behalf of a recipe, and the change that it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.domain import quantities
from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, YamlPath, get, position
from remediator.gitops import Application
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.recipes.amounts import REMOVED, base_amount, is_limit, right_value
from remediator.judgement.recipes.texts import steps
from remediator.judgement.world import Placed
from remediator.policy import Recipe, RightValue, Setting
from remediator.remedies.engine.case import Want


@dataclass(frozen=True)
class SettingChange:
    """A change of one setting: fields of rendered objects, or edits of texts."""

    label: str
    """The setting as people call it."""
    value: Any
    application: Application
    wants: tuple[Want, ...] = ()
    edits: tuple[Edit, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def position(self) -> tuple[str, ...]:
        """Return what distinguishes it from a change of another place."""
        return (
            self.label,
            self.application.name,
            self.application.cluster,
            *(want.manifest.name for want in self.wants),
        )


@dataclass(frozen=True)
class SettingSearch:
    """One setting that is looked for on behalf of one recipe and one message."""

    inquiry: Inquiry
    recipe: Recipe
    setting: Setting
    captured: Mapping[str, str]
    applications: tuple[Application, ...] = ()
    settled: list[str] = field(default_factory=list)
    """Values that the setting has in this repository and that the recipe would not change."""

    @property
    def rule(self) -> RightValue:
        """Return the rule for the value in this place."""
        value = self.setting.value or self.recipe.value
        assert value is not None  # noqa: S101 - the model refuses a setting without a value
        return value

    def wanted(self, current: Any) -> Any:
        """Return the right value beside the current one; MISSING where there is nothing to change."""
        value = self._wanted(current)
        if value is MISSING and current is not MISSING:
            self.settled.append(str(current))
        return value

    def _wanted(self, current: Any) -> Any:
        if (self.setting.existing and current is MISSING) or (self.setting.absent and current is not MISSING):
            return MISSING
        if self.rule.limit and current is not MISSING and not is_limit(current, self.rule, self.captured):
            return MISSING
        return right_value(current, self.rule, self.captured)

    def path(self, text: str) -> YamlPath:
        """Return a path of the recipe, with the names that the message gives put in."""
        return tuple(
            re.sub(r"\{(\w+)\}", lambda group: self.captured.get(group[1], ""), step) if isinstance(step, str) else step
            for step in steps(text)
        )

    def fits_memory(self, value: Any, container: Mapping[str, Any]) -> bool:
        """Return False where the value would take more than its share of the container's memory limit."""
        limit = quantities.parse(get(container, ("resources", "limits", "memory")))
        amount = base_amount(value, self.rule, scaled=True)
        if not self.rule.within_memory or limit is None or amount is None:
            return True
        return amount <= float(limit) * self.rule.within_memory

    def placed(self, *kinds: str) -> Iterator[Placed]:
        """Yield the rendered objects of these kinds in the software's Applications."""
        for placed in self.inquiry.world.of_kind(*kinds):
            if placed.application in self.applications:
                yield placed


def indexed(node: Any, path: YamlPath) -> YamlPath:
    """Return the path with each chosen list item by its place; empty where an item is not there."""
    steps: list[str | int] = []
    for step in path:
        found: Any = position(node, step) if isinstance(node, list) else step
        if found is None:
            return ()
        steps.append(found)
        node = get(node, (found,))
    return tuple(steps)


def text_of(value: Any) -> str:
    """Return the value as a text setting holds it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def want(label: str, placed: Placed, path: YamlPath, value: Any, *, label_value: Any = None) -> SettingChange:
    """Return the change of one field of a rendered object."""
    want = Want(placed.application, placed.manifest, path, MISSING if value is REMOVED else value)
    return SettingChange(label, value if label_value is None else label_value, placed.application, wants=(want,))
