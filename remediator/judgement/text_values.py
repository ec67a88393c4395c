"""Walk the scalars of a document, also of YAML that one of its strings holds (a config file in a ConfigMap)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import Place
from remediator.domain.yaml_paths import YamlPath
from remediator.errors import ConfigError
from remediator.gitops import Application, Repository, yamlread
from remediator.judgement.text_changes import own_files
from remediator.policy.leaves import documents


@dataclass(frozen=True)
class TextValue:
    """One scalar in the texts that an Application reads."""

    application: Application
    file: str
    document: int
    path: YamlPath
    inside: YamlPath
    value: Any

    @property
    def position(self) -> tuple[str, int, YamlPath, YamlPath]:
        """Return its position in the checkout, whichever Application reads it."""
        return (self.file, self.document, self.path, self.inside)

    @property
    def full_path(self) -> YamlPath:
        """Return the path from the document's root, through a string that holds YAML."""
        return (*self.path, *self.inside)

    def place(self, why: str) -> Place:
        """Return its place, matched by evidence and not by rendering."""
        return Place(
            file=self.file, document=self.document, path=self.path, inside=self.inside, value=self.value,
            proof="unproved", why=f"matched by evidence: {why}",
        )  # fmt: skip

    def readers(self, repository: Repository) -> tuple[Application, ...]:
        """Return the Applications that a change of it concerns, its own first."""
        return tuple(dict.fromkeys((self.application, *repository.feeds.readers(self.file))))


def application_values(repository: Repository, application: Application) -> Iterator[TextValue]:
    """Yield every scalar of the YAML files that the Application reads, and of its own document."""
    for file in sorted(own_files(repository, application)):
        try:
            parsed = documents(repository.read(file)) if file.endswith((".yaml", ".yml")) else None
        except ConfigError:
            continue
        for index, body in enumerate(parsed or ()):
            if file == application.file and index != application.document:
                continue
            for path, inside, value in text_values(body):
                yield TextValue(application, file, index, path, inside, value)


def text_values(
    node: Any, path: YamlPath = (), inside: YamlPath = (), *, nested: bool = False
) -> Iterator[tuple[YamlPath, YamlPath, Any]]:
    """Yield every scalar with its path, and those of YAML that a string holds."""
    parent = inside if nested else path
    if isinstance(node, dict | list):
        steps = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in steps:
            below = (*parent, key)
            yield from text_values(value, path if nested else below, below if nested else (), nested=nested)
    elif isinstance(node, str) and "\n" in node and ":" in node and not nested:
        inner = yamlread.single_mapping(node)
        if inner is not None:
            yield from text_values(inner, path, (), nested=True)
    else:
        yield path, inside, node
