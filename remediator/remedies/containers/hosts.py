"""Host names that do not resolve, in whatever a workload reads its addresses from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.diagnosis.hosts import host_in
from remediator.domain.incident import Evidence
from remediator.domain.text import HOST_JOINERS, word_pattern
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import without_match
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.spelling import is_typo, nearest
from remediator.remedies.views.start_texts import StartText, commands, configs, variables

_HOST = re.compile(
    r"(?<![\w.@-])([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?![\w-])", re.IGNORECASE
)
_SUFFIX = ["svc", "cluster", "local"]
_NAMED = re.compile(
    r"(?i)(?:failed to resolve|could not resolve host:?|lookup|ENOTFOUND|EAI_AGAIN|bad address|UnknownHostException:?|translate host name|"
    r"not found in upstream|unknown mysql server host|name resolution[^'\"]{0,40}|resolve(?: host(?:name)?)?:?)\s*['\"(]?([a-z0-9][a-z0-9.-]*[a-z0-9])"
)


def fix_host_name(case: RemedyContext) -> Iterator[Fix]:
    """Correct a host name that does not resolve to the Service that was meant, wherever the workload reads it."""
    for host, evidence in _unresolved(case):
        for target in callers(case, evidence):
            yield from _host_fix(case, target, host, evidence)


def _host_fix(case: RemedyContext, target: Match, host: str, evidence: list[Evidence]) -> Iterator[Fix]:
    for spelling in _spellings(host):
        pattern = word_pattern(spelling, HOST_JOINERS, ignore_case=True)
        texts = [text for text in strings(case, target) if pattern.search(text.value)]
        if not texts:
            continue
        new, why = _meant(case, target, spelling)
        if new is None:
            return
        yield Fix(
            title=f"call `{new}` instead of `{spelling}`",
            reason=f"no Service `{spelling}` exists; {why}",
            evidence=case.cite(*evidence),
            wants=tuple(text.want(pattern.sub(new, text.value) if new else text.value) for text in texts),
            parameters={"from": spelling, "to": new, "variable": texts[0].variable},
            score=0.75 if new else 0.0,
            accepts=without_match(pattern),
        )
        return


def _unresolved(case: RemedyContext) -> Iterator[tuple[str, list[Evidence]]]:
    groups: dict[str, list[Evidence]] = {}
    for one in case.signals("name_not_resolved"):
        named = _NAMED.search(one.text)
        host = (named[1].lower() if named else "") or host_in(one.text)[0]
        if host and not re.fullmatch(r"[\d.]+", host):
            groups.setdefault(host, []).append(one)
    yield from groups.items()


def _spellings(host: str) -> Iterator[str]:
    """The name as it was looked up, then without what the resolver's search list may have added."""
    yield host
    labels = host.split(".")
    for suffix in (2, 3, 4):
        rest = labels[: len(labels) - suffix]
        if (rest and labels[-suffix:] in (_SUFFIX[1:], _SUFFIX)) or (suffix == 4 and labels[-3:] == _SUFFIX and rest):
            yield ".".join(rest)


def _meant(case: RemedyContext, target: Match, host: str) -> tuple[str | None, str]:
    """The name that was meant and why; empty where only the history can tell, None where the name is right."""
    labels = host.split(".")
    services = _services(case, target)
    at = (
        1
        if len(labels) > 1 and re.search(r"-\d+$", labels[0]) and any(labels[1] == name for name, _ in services)
        else 0
    )
    name, space = labels[at], labels[at + 1] if len(labels) > at + 1 else ""
    own = namespace_of(target)
    tail = labels[at + 2 :]
    inside = not tail or is_typo(".".join(tail), ".".join(_SUFFIX)) or tail[0] == "svc" or tail == _SUFFIX[: len(tail)]
    if inside and ((name, space or own) in services or (name, "") in services):
        return _tail_or_none(labels, at, tail)
    if inside and not space:
        return _short_name(name, own, services, case, target, host)
    spaces = {where for one, where in services if one == name}
    if inside and (where := nearest(space, spaces)):
        return ".".join([*labels[: at + 1], where, *tail]), f"Service `{name}` is in namespace `{where}`."
    if inside and (new := nearest(name, [one for one, where in services if where == space])):
        return ".".join(
            [*labels[:at], new, *labels[at + 1 :]]
        ), f"Service `{new}` of namespace `{space}` is one slip away."
    return _used_elsewhere(case, target, host)


def _tail_or_none(labels: list[str], at: int, tail: list[str]) -> tuple[str | None, str]:
    """The Service exists: then only the rest of the name can be wrong."""
    if tail and tail not in (_SUFFIX, _SUFFIX[:1]):
        right = _SUFFIX if len(tail) > 1 else _SUFFIX[:1]
        return ".".join([*labels[: at + 2], *right]), f"names of Services end in `{'.'.join(right)}`."
    return None, ""


def _short_name(
    name: str, own: str, services: set[tuple[str, str]], case: RemedyContext, target: Match, host: str
) -> tuple[str | None, str]:
    if new := nearest(name, [one for one, where in services if where in (own, "")]):
        return new, f"Service `{new}` in the same namespace is one slip away."
    elsewhere = sorted({where for one, where in services if one == name and where != own})
    if len(elsewhere) == 1:
        return f"{name}.{elsewhere[0]}", f"the only Service `{name}` is in namespace `{elsewhere[0]}`."
    return _used_elsewhere(case, target, host)


def _used_elsewhere(case: RemedyContext, target: Match, host: str) -> tuple[str | None, str]:
    """A host one slip away that other workloads of the namespace call by name."""
    names: set[str] = set()
    for manifest in case.namespace_objects(target):
        for body, _, _ in manifest.containers():
            for item in body.get("env") or ():
                if isinstance(item, dict) and isinstance(item.get("value"), str):
                    names |= {one.lower() for one in _HOST.findall(item["value"]) if "." in one or "-" in one}
    names.discard(host)
    if new := nearest(host, [one for one in names if len(one) > 5]):
        return new, f"`{new}` is one slip away, and others in the namespace call it."
    return "", "nothing in the repository was surely meant."


def _services(case: RemedyContext, target: Match) -> set[tuple[str, str]]:
    """(name, namespace) of every Service in the target's cluster; a namespace may be unknown."""
    found = set()
    for application in case.repository.applications:
        if application.cluster == target.application.cluster:
            for manifest in case.repository.objects(application):
                if manifest.kind == "Service":
                    found.add((manifest.name, manifest.namespace_in(application)))
    return found


def callers(case: RemedyContext, evidence: list[Evidence]) -> list[Match]:
    """The workloads that complain, not the one they complain about."""
    found: dict[tuple[str, str], Match] = {}
    for subject in dict.fromkeys(one.subject for one in evidence):
        if not (subject.pod or subject.name):
            continue
        matches = case.repository.find(subject)
        for match in matches:
            if match.score > matches[0].score - 0.1 and match.manifest.pod_spec():
                found[match.application.name, match.manifest.name] = match
    return list(found.values()) or [target for target in case.targets if target.manifest.pod_spec()]


def strings(case: RemedyContext, target: Match) -> Iterator[StartText]:
    """All that a workload may read an address from."""
    for container, path, _ in target.manifest.containers():
        yield from variables(target, container, path)
        yield from commands(target, container, path)
    yield from configs(case, target)


def namespace_of(target: Match) -> str:
    """Where the target runs."""
    return target.manifest.namespace_in(target.application)
