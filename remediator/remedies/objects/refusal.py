"""Fields that the API server refuses: read its messages, and make the fix of one field of the refused object.

The message names the object, the field and the problem ("spec.ports[0].port: Invalid value: 99999: must be between 1
and 65535"). A refusal is kept only for an object that this repository holds, because only that one can be fixed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.remedies.engine.case import Fix, ObjectField, RemedyContext, Want
from remediator.remedies.views.application_field import complaints

_OBJECT = re.compile(
    r'(?P<kind>[A-Z]\w+)(?:\.[\w.-]+)? \\?"(?P<name>[^"\\]+)\\?" is invalid: (?P<errors>.*)', re.DOTALL
)
_FIELD = re.compile(
    r"(?:^|[\[,:]\s*)(?P<field>[a-z]\w*(?:\.[\w-]+|\[[^\]]*\])*): "
    r"(?P<problem>Invalid value|Required value|Not found|Unsupported value|Forbidden|Duplicate value|Too long|Too many)"
    r"(?:: (?P<rest>.*?))?(?=, [a-z]\w*(?:\.[\w-]+|\[[^\]]*\])+: (?:Invalid|Required|Not found|Unsupported|Forbidden|Duplicate|Too)|\]?\s*(?:\(retried|\. Retrying|$))",
    re.DOTALL,
)
_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


@dataclass(frozen=True)
class Refusal(ObjectField):
    """One field that the API server refuses, in the words of its message."""

    problem: str
    value: str
    """The value that the message quotes, without its quotes."""
    detail: str
    evidence: Evidence

    @property
    def current(self) -> Any:
        """The value of the field in the repository now."""
        return get(self.manifest.body, self.path)

    @property
    def name(self) -> str:
        """The name of the refused object."""
        return self.manifest.name


@dataclass(frozen=True)
class FieldRepair:
    """One value that would satisfy the API server, with the words for the fix; `MISSING` removes the field."""

    path: YamlPath
    value: Any
    title: str
    reason: str
    score: float = 0.0
    """0.0 where only an older value from the history may be proposed."""
    accepts: Callable[[Any], bool] | None = None
    """True for an older value that would satisfy the API server too."""


def refusals(case: RemedyContext, *signals: str) -> list[Refusal]:
    """Return every refused field of an object that this repository holds, each once."""
    result: dict[tuple[str, str, YamlPath, str], Refusal] = {}
    for application, evidence in complaints(case, *signals):
        match = _OBJECT.search(message_of(evidence)) or _OBJECT.search(evidence.text.replace('\\"', '"'))
        if match is None:
            continue
        for manifest in case.repository.objects(application):
            if manifest.kind != match["kind"] or manifest.name != match["name"]:
                continue
            for field in _FIELD.finditer(match["errors"]):
                path = path_of(field["field"])
                value, detail = _value_and_detail(field["rest"] or "")
                key = (manifest.kind, manifest.name, path, field["problem"])
                result.setdefault(key, Refusal(application, manifest, path, field["problem"], value, detail, evidence))
    return list(result.values())


def fix_of(case: RemedyContext, refusal: Refusal, repair: FieldRepair) -> Fix:
    """Return the fix that makes this repair in the refused object."""
    manifest, value = refusal.manifest, repair.value
    return Fix(
        title=repair.title,
        reason=repair.reason,
        evidence=case.cite(refusal.evidence),
        wants=(Want(refusal.application, manifest, repair.path, value),),
        parameters={"object": f"{manifest.kind}/{manifest.name}", "to": "" if value is MISSING else str(value)},
        score=repair.score,
        accepts=repair.accepts,
    )


def message_of(evidence: Evidence) -> str:
    """Return the sentence itself, without the log line around it and without its escapes."""
    return (evidence.facts.get("msg") or evidence.text).replace('\\"', '"')


def path_of(field: str) -> YamlPath:
    """Return `spec.containers[0].resources.limits[memory]` as steps."""
    steps: list[str | int] = []
    for name, index in _STEP.findall(field):
        if name:
            steps.append(name)
        else:
            steps.append(int(index) if index.isdigit() else index.strip("'\""))
    return tuple(steps)


def _value_and_detail(text: str) -> tuple[str, str]:
    """Split `"x": must be …` into the quoted value and the explanation; either may be absent."""
    if text.startswith('"'):
        value, _, detail = text[1:].partition('"')
        return value, detail.removeprefix(":").strip()
    value, _, detail = text.partition(": ")
    return (value, detail.strip()) if detail else ("", text.strip()) if " " in text else (text, "")
