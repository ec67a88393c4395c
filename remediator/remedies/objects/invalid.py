"""Objects that the API server refuses: what its message demands of the field it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import YamlPath
from remediator.domain.incident import Evidence
from remediator.gitops import Application, Manifest
from remediator.gitops.paths import MISSING, get
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.objects.invalid_relations import related
from remediator.remedies.objects.undecodable import undecodable
from remediator.remedies.objects.unknown_fields import unknown_fields
from remediator.remedies.views.application_field import complained

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
class Refusal:
    """One field that the API server refuses, as it says so."""

    application: Application
    manifest: Manifest
    path: YamlPath
    problem: str
    value: str
    """As the message quotes it, without quotes."""
    detail: str
    evidence: Evidence

    @property
    def present(self) -> Any:
        """What stands at the field now."""
        return get(self.manifest.body, self.path)


def refusals(case: RemedyContext, *signals: str) -> list[Refusal]:
    """Every refused field of an object that this repository holds, each once."""
    found: dict[tuple[str, str, YamlPath, str], Refusal] = {}
    for application, one in complained(case, *signals):
        match = _OBJECT.search(message_of(one)) or _OBJECT.search(one.text.replace('\\"', '"'))
        if match is None:
            continue
        for manifest in case.repository.objects(application):
            if manifest.kind != match["kind"] or manifest.name != match["name"]:
                continue
            for field in _FIELD.finditer(match["errors"]):
                path = path_of(field["field"])
                value, detail = _value_and_detail(field["rest"] or "")
                key = (manifest.kind, manifest.name, path, field["problem"])
                found.setdefault(key, Refusal(application, manifest, path, field["problem"], value, detail, one))
    return list(found.values())


def message_of(one: Evidence) -> str:
    """The sentence itself, without the log line round it and its escapes."""
    return (one.facts.get("msg") or one.text).replace('\\"', '"')


def path_of(field: str) -> YamlPath:
    """`spec.containers[0].resources.limits[memory]` as steps."""
    steps: list[str | int] = []
    for name, index in _STEP.findall(field):
        if name:
            steps.append(name)
        else:
            steps.append(int(index) if index.isdigit() else index.strip("'\""))
    return tuple(steps)


def _value_and_detail(rest: str) -> tuple[str, str]:
    if rest.startswith('"'):
        value, _, detail = rest[1:].partition('"')
        return value, detail.removeprefix(":").strip()
    value, _, detail = rest.partition(": ")
    return (value, detail.strip()) if detail else ("", rest.strip()) if " " in rest else (rest, "")


def fix_invalid_field(case: RemedyContext) -> Iterator[Fix]:
    """Set the field to what the message demands; the value that stood there before is asked first."""
    for refusal in refusals(case, "object_invalid"):
        made = False
        for rule in (_supported, related, _demanded, _removed, _repeated):
            for fix in rule(case, refusal):
                made = True
                yield fix
            if made:
                break
        if not made:
            yield from _only_history(case, refusal)
    yield from unknown_fields(case)
    yield from undecodable(case)


def fix_of(
    case: RemedyContext,
    refusal: Refusal,
    *,
    path: YamlPath,
    value: Any,
    title: str,
    reason: str,
    score: float,
    accepts: Callable[[Any], bool] | None,
) -> Fix:
    """A fix of one field of the refused object."""
    return Fix(
        title=title,
        reason=reason,
        evidence=case.cite(refusal.evidence),
        wants=(Want(refusal.application, refusal.manifest, path, value),),
        parameters={
            "object": f"{refusal.manifest.kind}/{refusal.manifest.name}",
            "to": "" if value is MISSING else str(value),
        },
        score=score,
        accepts=accepts,
    )


def _differs(present: Any) -> Callable[[Any], bool]:
    return lambda old: old is not MISSING and not isinstance(old, dict | list) and old != present


def _supported(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """`Unsupported value: "x": supported values: "a", "b"`: the near one, or the only one."""
    if (
        refusal.problem != "Unsupported value"
        or isinstance(refusal.present, dict | list)
        or str(refusal.present) != refusal.value
    ):
        return
    values = re.findall(r'"([^"]+)"', refusal.detail)
    folded = [value for value in values if value.lower() == refusal.value.lower()]
    new = folded[0] if folded else nearest(refusal.value, values) or (values[0] if len(values) == 1 else "")
    name = str(refusal.path[-1])
    yield fix_of(
        case,
        refusal,
        path=refusal.path,
        value=new or refusal.present,
        score=0.8 if new else 0.0,
        title=f"set {name} of `{refusal.manifest.name}` to {new}",
        reason=f"`{refusal.value}` is no value of {name}; the API server takes {', '.join(values)}.",
        accepts=lambda old: str(old) in values,
    )


_MUST_BE = re.compile(r"^must be (?P<value>\d+|true|false)(?: for [a-z ]+)?$")


def _demanded(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """`must be 1`: there is but one value."""
    found = _MUST_BE.match(refusal.detail.rstrip(". "))
    if found is None or refusal.present is MISSING or isinstance(refusal.present, dict | list):
        return
    if str(refusal.present).lower() != refusal.value.lower():
        return
    text = found["value"]
    value: Any = int(text) if text.isdigit() else text == "true"
    yield fix_of(
        case,
        refusal,
        path=refusal.path,
        value=value,
        score=0.75,
        title=f"set {refusal.path[-1]} of `{refusal.manifest.name}` to {text}",
        reason=f"the API server says that it {refusal.detail}.",
        accepts=lambda old: str(old).lower() == text,
    )


_MAY_NOT = re.compile(r"(?i)may not be (?:specified|used|set) when|must not be (?:set|specified)|may not be set when")
_REMOVABLE = (
    "rollingUpdate",
    "nodePort",
    "externalTrafficPolicy",
    "healthCheckNodePort",
    "loadBalancerSourceRanges",
    "loadBalancerClass",
    "allocateLoadBalancerNodePorts",
)


def _removed(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """`may not be specified when …`: a setting that has no effect there goes."""
    last = str(refusal.path[-1]) if refusal.path else ""
    if not _MAY_NOT.search(refusal.detail) or refusal.present is MISSING or last not in _REMOVABLE:
        return
    yield fix_of(
        case,
        refusal,
        path=refusal.path,
        value=MISSING,
        score=0.65,
        title=f"remove {last} from `{refusal.manifest.name}`",
        reason=f"the API server says that {last} {refusal.detail}.",
        accepts=None,
    )


def _repeated(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """`Duplicate value`: an item that is the same as an earlier one goes; one that differs is for the history."""
    if refusal.problem != "Duplicate value":
        return
    at = next((index for index in range(len(refusal.path) - 1, -1, -1) if isinstance(refusal.path[index], int)), None)
    if at is None:
        return
    parent = get(refusal.manifest.body, refusal.path[:at])
    position = refusal.path[at]
    items = parent if isinstance(parent, list) else []
    if not isinstance(position, int) or position >= len(items) or items[position] not in items[:position]:
        return
    yield fix_of(
        case,
        refusal,
        path=refusal.path[: at + 1],
        value=MISSING,
        score=0.7,
        title=f"remove the second `{refusal.value}` from {refusal.path[at - 1]} of `{refusal.manifest.name}`",
        reason=f"`{refusal.value}` stands there twice, both times the same.",
        accepts=None,
    )


def _only_history(case: RemedyContext, refusal: Refusal) -> Iterator[Fix]:
    """No rule knows the value: what stood there before, if the refused value is still what stands there."""
    present = refusal.present
    if present is MISSING or isinstance(present, dict | list):
        return
    if refusal.value and refusal.value != str(present):
        return
    yield fix_of(
        case,
        refusal,
        path=refusal.path,
        value=present,
        score=0.0,
        title=f"restore {refusal.path[-1]} of `{refusal.manifest.name}`",
        reason=f"the API server refuses `{present}`: {refusal.detail or refusal.problem}.",
        accepts=_differs(present),
    )
