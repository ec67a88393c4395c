"""Host names that do not resolve, in everything that a workload reads addresses from.

A name is corrected only to a Service that the repository contains, or to a host that other workloads of the namespace
call. A name whose Service exists is left alone: then the cluster, not the name, is at fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from remediator.diagnosis.hosts import host_in
from remediator.domain.incident import Evidence
from remediator.domain.text import HOST_JOINERS, word_pattern
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import without_match
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.intended_name import intended_name
from remediator.remedies.engine.spelling import is_typo, nearest
from remediator.remedies.views.start_texts import StartText, commands, configs, variables

_HOST = re.compile(
    r"(?<![\w.@-])([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?![\w-])", re.IGNORECASE
)
_SUFFIX = ["svc", "cluster", "local"]
_UNRESOLVED_NAME = re.compile(
    r"(?i)(?:failed to resolve|could not resolve host:?|lookup|ENOTFOUND|EAI_AGAIN|bad address|UnknownHostException:?|translate host name|"
    r"not found in upstream|unknown mysql server host|name resolution[^'\"]{0,40}|resolve(?: host(?:name)?)?:?)\s*['\"(]?([a-z0-9][a-z0-9.-]*[a-z0-9])"
)


def fix_host_name(case: RemedyContext) -> Iterator[Fix]:
    """Correct a host name that does not resolve, wherever the workload reads it."""
    for host, evidence in _unresolved(case):
        for target in callers(case, evidence):
            yield from _host_fix(case, target, host, evidence)


def _host_fix(case: RemedyContext, target: Match, host: str, evidence: Sequence[Evidence]) -> Iterator[Fix]:
    for spelling in _shortened_names(host):
        pattern = word_pattern(spelling, HOST_JOINERS, ignore_case=True)
        texts = [text for text in strings(case, target) if pattern.search(text.value)]
        if not texts:
            continue
        new, why = _intended_host(case, target, spelling)
        if new is None:
            return
        yield Fix(
            title=f"call `{new}` instead of `{spelling}`",
            reason=f"no Service `{spelling}` exists; {why}",
            evidence=case.cite(*evidence),
            wants=tuple(text.want(_with_host(text.value, spelling, new, pattern)) for text in texts),
            parameters={"from": spelling, "to": new, "variable": texts[0].variable},
            score=0.75 if new else 0.0,
            accepts=without_match(pattern),
        )
        return


def _with_host(text: str, old: str, new: str, pattern: re.Pattern[str]) -> str:
    """Return the text with another host; in a file that also uses the name for a thing of its own, in addresses alone."""
    if not new:
        return text
    address = re.compile(rf"(?<![\w.-]){re.escape(old)}(?=:\d)|(?<=//){re.escape(old)}(?![\w.-])", re.IGNORECASE)
    return (address if "\n" in text and address.search(text) else pattern).sub(new, text)


def _unresolved(case: RemedyContext) -> Iterator[tuple[str, list[Evidence]]]:
    groups: dict[str, list[Evidence]] = {}
    for piece in case.signals("name_not_resolved"):
        match = _UNRESOLVED_NAME.search(piece.text)
        host = (match[1].lower() if match else "") or host_in(piece.text)[0]
        if host and not re.fullmatch(r"[\d.]+", host):
            groups.setdefault(host, []).append(piece)
    yield from groups.items()


def _shortened_names(host: str) -> Iterator[str]:
    """Yield the name as it was looked up, then without the suffixes that the resolver's search list may have added."""
    yield host
    labels = host.split(".")
    for suffix in (2, 3, 4):
        short_name = labels[: len(labels) - suffix]
        if (short_name and labels[-suffix:] in (_SUFFIX[1:], _SUFFIX)) or (
            suffix == 4 and labels[-3:] == _SUFFIX and short_name
        ):
            yield ".".join(short_name)


def _intended_host(case: RemedyContext, target: Match, host: str) -> tuple[str | None, str]:
    """Return the intended name and the reason; empty where only the history can tell, None where the name is right."""
    labels = host.split(".")
    services = _services(case, target)
    index = (
        1
        if len(labels) > 1 and re.search(r"-\d+$", labels[0]) and any(labels[1] == name for name, _ in services)
        else 0
    )
    name, space = labels[index], labels[index + 1] if len(labels) > index + 1 else ""
    own_namespace = namespace_of(target)
    tail = labels[index + 2 :]
    inside = not tail or is_typo(".".join(tail), ".".join(_SUFFIX)) or tail[0] == "svc" or tail == _SUFFIX[: len(tail)]
    if inside and ((name, space or own_namespace) in services or (name, "") in services):
        return _corrected_tail(labels, index, tail)
    if inside and not space:
        return _short_name(name, own_namespace, services, case, target, host)
    spaces = {service_space for service, service_space in services if service == name}
    if inside and (near := nearest(space, spaces)):
        return ".".join([*labels[: index + 1], near, *tail]), f"Service `{name}` is in namespace `{near}`."
    new, why = intended_name(case, name, [service for service, at in services if at == space]) if inside else ("", "")
    if new:
        return ".".join([*labels[:index], new, *labels[index + 1 :]]), why
    return _used_elsewhere(case, target, host)


def _corrected_tail(labels: list[str], index: int, tail: list[str]) -> tuple[str | None, str]:
    """Correct the domain of a Service that exists: only the domain can be wrong then."""
    if tail and tail not in (_SUFFIX, _SUFFIX[:1]):
        right = _SUFFIX if len(tail) > 1 else _SUFFIX[:1]
        return ".".join([*labels[: index + 2], *right]), f"names of Services end in `{'.'.join(right)}`."
    return None, ""


def _short_name(
    name: str, own_namespace: str, services: set[tuple[str, str]], case: RemedyContext, target: Match, host: str
) -> tuple[str | None, str]:
    new, why = intended_name(case, name, [service for service, at in services if at in (own_namespace, "")])
    if new:
        return new, why
    elsewhere = sorted({namespace for service, namespace in services if service == name and namespace != own_namespace})
    if len(elsewhere) == 1:
        return f"{name}.{elsewhere[0]}", f"the only Service `{name}` is in namespace `{elsewhere[0]}`."
    return _used_elsewhere(case, target, host)


def _used_elsewhere(case: RemedyContext, target: Match, host: str) -> tuple[str | None, str]:
    """Return a host one slip away that other workloads of the namespace call by name."""
    names: set[str] = set()
    for manifest in case.namespace_objects(target):
        for body, _, _ in manifest.containers():
            for item in body.get("env") or ():
                if isinstance(item, dict) and isinstance(item.get("value"), str):
                    names |= {
                        host_name.lower()
                        for host_name in _HOST.findall(item["value"])
                        if "." in host_name or "-" in host_name
                    }
    names.discard(host)
    if new := nearest(host, [host_name for host_name in names if len(host_name) > 5]):
        return new, f"`{new}` is one slip away, and others in the namespace call it."
    return "", "no Service or host of the repository is clearly the intended one."


def _services(case: RemedyContext, target: Match) -> set[tuple[str, str]]:
    """Return (name, namespace) of every Service in the target's cluster; a namespace may be unknown."""
    services = set()
    for application in case.repository.applications:
        if application.cluster == target.application.cluster:
            for manifest in case.repository.objects(application):
                if manifest.kind == "Service":
                    services.add((manifest.name, manifest.namespace_in(application)))
    return services


def callers(case: RemedyContext, evidence: Sequence[Evidence]) -> list[Match]:
    """Return the workloads that complain, not the one they complain about."""
    workloads: dict[tuple[str, str], Match] = {}
    for subject in dict.fromkeys(piece.subject for piece in evidence):
        if not (subject.pod or subject.name):
            continue
        matches = case.repository.find(subject)
        for match in matches:
            if match.score > matches[0].score - 0.1 and match.manifest.pod_spec():
                workloads[match.application.name, match.manifest.name] = match
    return list(workloads.values()) or [target for target in case.targets if target.manifest.pod_spec()]


def strings(case: RemedyContext, target: Match) -> Iterator[StartText]:
    """Yield every string that a workload may read an address from."""
    for container, path, _ in target.manifest.containers():
        yield from variables(target, container, path)
        yield from commands(target, container, path)
    yield from configs(case, target)


def namespace_of(target: Match) -> str:
    """Return the namespace that the target runs in."""
    return target.manifest.namespace_in(target.application)
