"""Environment variables that are missing or misspelt, and values that name a host or port that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.diagnosis.hosts import host_in
from remediator.domain.incident import Evidence
from remediator.gitops import Match
from remediator.remedies.accepting import without
from remediator.remedies.case import Case, Fix, Want
from remediator.remedies.names import is_typo, nearest
from remediator.remedies.texts import Text, commands, configs, containers, host_pattern, variables

_HOST = re.compile(r"(?<![\w.@-])([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?![\w-])", re.IGNORECASE)
_SUFFIX = ["svc", "cluster", "local"]
_NAMED = re.compile(
    r"(?i)(?:failed to resolve|could not resolve host:?|lookup|ENOTFOUND|EAI_AGAIN|bad address|UnknownHostException:?|translate host name|"
    r"not found in upstream|unknown mysql server host|name resolution[^'\"]{0,40}|resolve(?: host(?:name)?)?:?)\s*['\"(]?([a-z0-9][a-z0-9.-]*[a-z0-9])"
)


def restore_environment(case: Case) -> Iterator[Fix]:
    """Give a variable that the program asks for its right name, where it stands under a misspelt one."""
    for name, evidence in _asked_for(case):
        for target, container, path in containers(case, evidence):
            items = [item for item in container.get("env") or () if isinstance(item, dict)]
            if any(item.get("name") == name for item in items) or _elsewhere(case, target, container, name):
                continue
            wrong = nearest(name, [str(item.get("name", "")) for item in items])
            if not wrong or case.says(wrong):
                continue
            index = next(i for i, item in enumerate(container["env"]) if isinstance(item, dict) and item.get("name") == wrong)
            yield Fix(
                title=f"rename variable `{wrong}` of `{container.get('name', '')}` to `{name}`",
                reason=f"the program asks for `{name}`, which nothing sets; `{wrong}` is one slip away and nothing asks for it.",
                evidence=case.cite(*evidence),
                wants=(Want(target.application, target.manifest, (*path, "env", index, "name"), name),),
                parameters={"container": str(container.get("name", "")), "from": wrong, "to": name},
                score=0.75,
            )


def _asked_for(case: Case) -> Iterator[tuple[str, list[Evidence]]]:
    groups: dict[str, list[Evidence]] = {}
    for one in case.signals("env_not_set"):
        groups.setdefault(one.facts.get("variable", ""), []).append(one)
    if password := case.signals("superuser_password"):
        groups.setdefault("POSTGRES_PASSWORD", []).extend(password)
    yield from ((name, group) for name, group in groups.items() if name)


def _elsewhere(case: Case, target: Match, container: dict[str, Any], name: str) -> bool:
    """Whether a ConfigMap or Secret of `envFrom` brings the variable, or may bring it."""
    from remediator.remedies.references import holders_of

    for item in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            source = item.get(field) if isinstance(item, dict) else None
            if isinstance(source, dict):
                keys = holders_of(case, target, kind).get(str(source.get("name")))
                if keys is None or name in {f"{item.get('prefix') or ''}{key}" for key in keys}:
                    return True
    return False


def fix_environment(case: Case) -> Iterator[Fix]:
    """Correct a variable's value: an empty one, or a port that the Service it names does not have."""
    yield from _empty(case)
    yield from _wrong_port(case)


def _empty(case: Case) -> Iterator[Fix]:
    """A variable that is there but empty: what it held before is the only value anybody can know."""
    for name, evidence in _asked_for(case):
        for target, container, path in containers(case, evidence):
            for text in variables(target, container, path):
                if text.variable == name and not text.value.strip():
                    yield Fix(
                        title=f"give variable `{name}` its value back",
                        reason=f"the program asks for `{name}`, which is empty.",
                        evidence=case.cite(*evidence),
                        wants=(text.want(text.value),),
                        parameters={"container": text.container, "variable": name},
                        score=0.0,
                        accepts=lambda old: bool(str(old or "").strip()),
                    )


def _wrong_port(case: Case) -> Iterator[Fix]:
    for host, port, evidence in _dialled(case):
        for target in _callers(case, evidence):
            service = _service_ports(case, target, host)
            if not service or port in service:
                continue
            for text in _strings(case, target):
                pattern = re.compile(rf"({host_pattern(host).pattern}:){port}(?!\d)", re.IGNORECASE)
                if not pattern.search(text.value):
                    continue
                new = service[0] if len(service) == 1 else ""
                value = pattern.sub(rf"\g<1>{new}", text.value) if new else text.value
                yield Fix(
                    title=f"call `{host}` on port {new} instead of {port}",
                    reason=f"Service `{host}` has port {', '.join(service)}; nothing listens on {port}.",
                    evidence=case.cite(*evidence),
                    wants=(text.want(value),),
                    parameters={"host": host, "from": port, "to": new, "variable": text.variable},
                    score=0.55 if new else 0.0,
                    accepts=without(pattern),
                )
                break


def _dialled(case: Case) -> Iterator[tuple[str, str, list[Evidence]]]:
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for one in case.signals("connection_refused", "connection_timeout", "host_unavailable"):
        host, port = host_in(one.text)
        if host and port:
            groups.setdefault((host, port), []).append(one)
    yield from ((host, port, group) for (host, port), group in groups.items())


def _callers(case: Case, evidence: list[Evidence]) -> list[Match]:
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


def _service_ports(case: Case, target: Match, host: str) -> list[str]:
    """Ports of the Service that a host name means; empty where the repository does not know it."""
    labels = host.split(".")
    namespace = labels[1] if len(labels) > 1 else _namespace(target)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            own = manifest.namespace or application.namespace or namespace
            if manifest.kind == "Service" and manifest.name == labels[0] and own == namespace:
                ports = (manifest.body.get("spec") or {}).get("ports") or ()
                return [str(one.get("port")) for one in ports if isinstance(one, dict) and one.get("port")]
    return []


def _namespace(target: Match) -> str:
    return target.manifest.namespace or target.application.namespace


def _strings(case: Case, target: Match) -> Iterator[Text]:
    """All that a workload may read an address from."""
    for container, path, _ in target.manifest.containers():
        yield from variables(target, container, path)
        yield from commands(target, container, path)
    yield from configs(case, target)


def fix_host_name(case: Case) -> Iterator[Fix]:
    """Correct a host name that does not resolve to the Service that was meant, wherever the workload reads it."""
    for host, evidence in _unresolved(case):
        for target in _callers(case, evidence):
            yield from _host_fix(case, target, host, evidence)


def _host_fix(case: Case, target: Match, host: str, evidence: list[Evidence]) -> Iterator[Fix]:
    for spelling in _spellings(host):
        pattern = host_pattern(spelling)
        texts = [text for text in _strings(case, target) if pattern.search(text.value)]
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
            accepts=without(pattern),
        )
        return


def _unresolved(case: Case) -> Iterator[tuple[str, list[Evidence]]]:
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


def _meant(case: Case, target: Match, host: str) -> tuple[str | None, str]:
    """The name that was meant and why; empty where only the history can tell, None where the name is right."""
    labels = host.split(".")
    services = _services(case, target)
    at = 1 if len(labels) > 1 and re.search(r"-\d+$", labels[0]) and any(labels[1] == name for name, _ in services) else 0
    name, space = labels[at], labels[at + 1] if len(labels) > at + 1 else ""
    own = _namespace(target)
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
        return ".".join([*labels[:at], new, *labels[at + 1 :]]), f"Service `{new}` of namespace `{space}` is one slip away."
    return _used_elsewhere(case, target, host)


def _tail_or_none(labels: list[str], at: int, tail: list[str]) -> tuple[str | None, str]:
    """The Service exists: then only the rest of the name can be wrong."""
    if tail and tail not in (_SUFFIX, _SUFFIX[:1]):
        right = _SUFFIX if len(tail) > 1 else _SUFFIX[:1]
        return ".".join([*labels[: at + 2], *right]), f"names of Services end in `{'.'.join(right)}`."
    return None, ""


def _short_name(
    name: str, own: str, services: set[tuple[str, str]], case: Case, target: Match, host: str
) -> tuple[str | None, str]:
    if new := nearest(name, [one for one, where in services if where in (own, "")]):
        return new, f"Service `{new}` in the same namespace is one slip away."
    elsewhere = sorted({where for one, where in services if one == name and where != own})
    if len(elsewhere) == 1:
        return f"{name}.{elsewhere[0]}", f"the only Service `{name}` is in namespace `{elsewhere[0]}`."
    return _used_elsewhere(case, target, host)


def _used_elsewhere(case: Case, target: Match, host: str) -> tuple[str | None, str]:
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


def _services(case: Case, target: Match) -> set[tuple[str, str]]:
    """(name, namespace) of every Service in the target's cluster; a namespace may be unknown."""
    found = set()
    for application in case.repository.applications:
        if application.cluster == target.application.cluster:
            for manifest in case.repository.objects(application):
                if manifest.kind == "Service":
                    found.add((manifest.name, manifest.namespace or application.namespace))
    return found
