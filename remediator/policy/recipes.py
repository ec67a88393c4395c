"""Recipes: known failures of known software, each with the setting that ends it and the source that message so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from remediator.domain.base import Value
from remediator.domain.incident import Channel, Severity
from remediator.domain.yaml_paths import parse_path

Scalar = bool | int | float | str
Item = Mapping[str, str]
SIGNAL_PREFIX = "recipe:"
_GROUP = re.compile(r"\(\?P?<(\w+)>")
_PLACES = ("values", "annotation", "environment", "argument", "config", "text", "container", "field", "application")
_SIGNAL_KEYS = ("channels", "severity", "role", "unless", "match", "blames")


class Software(Value):
    """The names by which a piece of software is recognised; empty: whichever container prints the message."""

    charts: tuple[str, ...] = ()
    """Names of its Helm charts."""
    images: tuple[str, ...] = ()
    """Ends of its images' repositories, without registry and tag: `grafana/loki`."""


class RightValue(Value):
    """The value that a setting should have: fixed, captured from the message, a multiple of the present one, or none."""

    fixed: Scalar | Item | None = None
    """The value itself; `{name}` in a text stands for what a named group of the pattern captured."""
    removed: bool = False
    """True: the setting should not stand there at all."""
    capture: str = ""
    """Named group of the pattern whose text is the value."""
    factor: float = 0
    """The present value, or the default, is multiplied by it; its unit is kept."""
    default: Scalar | None = None
    """The value that the software uses where the setting is absent."""
    unit: Literal["", "size", "time"] = ""
    """The kind of unit in which the value and the captured quantities are written."""
    scale: float = 1
    """Base units in one of a plain number: 1048576 for a setting in MiB."""
    minimum: float = 0
    """Lower bound of the number, in the unit that is written."""
    maximum: float = 0
    """Upper bound of the number, in the unit that is written; 0: none."""
    within_memory: float = 0
    """Share of the container's memory limit that the value, a size, may take; 0: it is no share of the memory."""
    limit: str = ""
    """Named group with the limit that was hit: a setting of another value is not the one that was hit."""
    at_least: str = ""
    """Named group with the quantity that must fit."""

    @model_validator(mode="after")
    def _one_kind(self) -> RightValue:
        if [self.fixed is not None, self.removed, bool(self.capture), bool(self.factor)].count(True) != 1:
            raise ValueError("a value is one of fixed, removed, capture and factor")
        if self.factor and self.factor <= 1:
            raise ValueError("factor must be above 1")
        return self


class Setting(Value):
    """One place where the setting can live; the first that the repository has is changed."""

    values: str = ""
    """Path in the values of the software's chart."""
    charts: tuple[str, ...] = ()
    """The charts that have this values key; empty: all of the software's."""
    annotation: str = ""
    """Annotation of the object that the message names."""
    environment: str = ""
    """Environment variable of the software's container; a `*` in its name stands for any text."""
    argument: str = ""
    """Command line flag of the software's container, with its dashes."""
    config: str = ""
    """Key in a file that a ConfigMap of the Application holds."""
    file: str = "*"
    """Pattern of the file's name in the ConfigMap."""
    format: Literal["yaml", "properties", "ini", "directives"] = "yaml"
    """`properties`: `key=value`. `ini`: the same in sections. `directives`: `key value`, with or without `;`."""
    text: str = ""
    """google-re2 expression of the one text that the software's container starts with: an argument, the value of a
    variable, a line of a ConfigMap that it reads. What it matches, or its group `value`, is replaced."""
    container: str = ""
    """Field of the software's container: `volumeMounts[mountPath=/data].mountPath`."""
    field: str = ""
    """Field of an object of one of the `kinds`."""
    application: str = ""
    """Field of the Argo CD Application itself."""
    kinds: tuple[str, ...] = ()
    beside: str = ""
    """Path that must exist in the same values, file or object."""
    unless: tuple[str, ...] = ()
    """Paths that must not exist there: blocks that take the place of the setting."""
    existing: bool = False
    """True: the setting is changed where it stands and never added."""
    absent: bool = False
    """True: the setting is added where it is absent and never changed."""
    option: str = ""
    """Start of the option that holds the value inside the variable's text: `-Xmx`."""
    append: bool = False
    """True: the value is one more item of a list."""
    value: RightValue | None = None
    """The value where it differs from the recipe's, such as in another unit."""

    @property
    def place(self) -> str:
        """Return the name of the place: `values`, `annotation`, `environment` and so on."""
        return next(name for name in _PLACES if getattr(self, name))

    @model_validator(mode="after")
    def _one_place(self) -> Setting:
        if [bool(getattr(self, name)) for name in _PLACES].count(True) != 1:
            raise ValueError(f"a setting has exactly one of {', '.join(_PLACES)}")
        for text in (self.values, self.container, self.field, self.application, self.beside, *self.unless):
            parse_path(text)
        return self


class Recipe(Value):
    """One known failure: the message, its cause, the setting that ends it and the right value."""

    id: str
    software: Software = Software()
    enabled: bool = True
    message: str
    """google-re2 expression of the message; named groups are captured."""
    unless: str = ""
    channels: tuple[Channel, ...] = ()
    match: Literal["reason", "text", "both"] = "both"
    role: Literal["cause", "symptom"] = "cause"
    blames: Literal["subject", "callee", "route", "account"] = "subject"
    category: str
    severity: Severity | None = None
    cause: str
    """One sentence that says what is wrong."""
    speaker: Literal["itself", "client"] = "itself"
    """`client`: others print the message about the software whose limit it is."""
    settings: tuple[Setting, ...] = ()
    value: RightValue | None = None
    decline: str = ""
    """Reason, in place of `settings`, why no setting ends it, and what a person should do."""
    risk: Literal["low", "medium", "high"] = "medium"
    source: str
    """Address of the documentation or the maintainer's answer."""
    weakens: Literal[False] = False

    @property
    def signal(self) -> str:
        """Return the id of the signal by which diagnosis knows the message."""
        return SIGNAL_PREFIX + self.id

    @model_validator(mode="after")
    def _complete(self) -> Recipe:
        if bool(self.settings) == bool(self.decline):
            raise ValueError("a recipe has either settings (settings) or a reason to decline")
        values = [setting.value or self.value for setting in self.settings]
        if None in values:
            raise ValueError("a setting has no value")
        groups = set(_GROUP.findall(self.message))
        for name in {name for value in values if value for name in (value.capture, value.limit, value.at_least)} - {""}:
            if name not in groups:
                raise ValueError(f"the pattern captures no {name!r}")
        return self


class RecipeBook(Value):
    """The recipes of one piece of software."""

    title: str
    software: Software = Software()
    recipes: tuple[Recipe, ...] = Field(default=())


def recipes_of(books: Mapping[str, Mapping[str, Any]]) -> tuple[Recipe, ...]:
    """Return the enabled recipes of all books, each with its book's software."""
    recipes: list[Recipe] = []
    for _, body in sorted(books.items()):
        software = body.get("software") or {}
        book = RecipeBook.model_validate(
            {**body, "recipes": [{"software": software, **recipe} for recipe in body.get("recipes") or ()]}
        )
        recipes += [recipe for recipe in book.recipes if recipe.enabled]
    return tuple(recipes)


def with_signals(categories: Mapping[str, Any], recipes: tuple[Recipe, ...]) -> dict[str, Any]:
    """Return the categories with a signal for each recipe, so that diagnosis recognises its message."""
    extended = {name: dict(body) for name, body in categories.items()}
    for recipe in recipes:
        if recipe.category in extended:
            body = extended[recipe.category]
            body["signals"] = [*body.get("signals", ()), dict(_signal(recipe))]
    return extended


def _signal(recipe: Recipe) -> Iterator[tuple[str, Any]]:
    yield from (("id", recipe.signal), ("pattern", recipe.message), ("weight", 2.5), ("transient", False))
    yield "summary", "{workload}: " + recipe.cause.rstrip(".").replace("{", "(").replace("}", ")")
    yield "abstain", recipe.decline or f"See {recipe.source}."
    for key in _SIGNAL_KEYS:
        if value := getattr(recipe, key):
            yield key, value


def mistakes(recipes: tuple[Recipe, ...], categories: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a schema cannot see: ids that stand twice, categories that do not exist."""
    ids: set[str] = set()
    for recipe in recipes:
        if recipe.id in ids:
            yield f"the recipe {recipe.id!r} stands twice"
        ids.add(recipe.id)
        if recipe.category not in categories:
            yield f"the recipe {recipe.id!r} names the category {recipe.category!r}, which is defined nowhere"
