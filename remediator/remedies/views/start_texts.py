"""The strings that a workload starts with: command, arguments, variables, and the ConfigMaps it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Manifest, Match
from remediator.remedies.engine.case import AppliedObject, RemedyContext, Want
from remediator.remedies.views.object_references import object_references

_HOOKS = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True)
class StartText:
    """One string of a rendered object."""

    application: Application
    manifest: Manifest
    path: YamlPath
    value: str
    container: str = ""
    variable: str = ""
    """The environment variable that has this value; empty for other texts."""

    def want(self, value: str) -> Want:
        """Return a `Want` of another value for this string."""
        return Want.of(self, self.path, value)


def containers(case: RemedyContext, evidence: Sequence[Evidence]) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    """Yield every container that the evidence can mean: those that it names, else all, init containers too."""
    names = {item.subject.container or item.facts.get("container", "") for item in evidence} - {""}
    for target in case.targets:
        for body, path, _ in target.manifest.containers():
            if not names or body.get("name") in names:
                yield target, body, path


def commands(target: AppliedObject, container: dict[str, Any], path: YamlPath) -> Iterator[StartText]:
    """Yield the words that are executed: command and args, then those of probes and hooks."""
    name = str(container.get("name", ""))

    def words(items: Any, at: YamlPath) -> Iterator[StartText]:
        for index, word in enumerate(items if isinstance(items, list) else ()):
            if isinstance(word, str):
                yield StartText(target.application, target.manifest, (*at, index), word, name)

    for key in ("command", "args"):
        yield from words(container.get(key), (*path, key))
    for hook in _HOOKS:
        yield from words(_exec(container.get(hook)), (*path, hook, "exec", "command"))
    lifecycle = container.get("lifecycle")
    for hook, body in lifecycle.items() if isinstance(lifecycle, dict) else ():
        yield from words(_exec(body), (*path, "lifecycle", hook, "exec", "command"))


def _exec(body: Any) -> Any:
    probe = body.get("exec") if isinstance(body, dict) else None
    return probe.get("command") if isinstance(probe, dict) else None


def variables(target: AppliedObject, container: dict[str, Any], path: YamlPath) -> Iterator[StartText]:
    """Yield the literal values of environment variables."""
    name = str(container.get("name", ""))
    for index, item in enumerate(container.get("env") or ()):
        if isinstance(item, dict) and isinstance(item.get("value"), str):
            at = (*path, "env", index, "value")
            yield StartText(target.application, target.manifest, at, item["value"], name, str(item.get("name", "")))


def configs(case: RemedyContext, target: AppliedObject) -> Iterator[StartText]:
    """Yield every value of the ConfigMaps that the workload reads, and of Secrets in plain text."""
    references = {(reference.kind, reference.name) for reference in object_references(target.manifest)}
    for manifest in case.siblings(target.application):
        if (manifest.kind, manifest.name) not in references:
            continue
        for part in ("data", "stringData") if manifest.kind == "Secret" else ("data",):
            data = manifest.body.get(part)
            for key, value in data.items() if isinstance(data, dict) else ():
                plain = manifest.kind == "ConfigMap" or part == "stringData"
                if isinstance(value, str) and plain:
                    yield StartText(target.application, manifest, (part, key), value, variable=str(key))
