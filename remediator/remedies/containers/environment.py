"""Environment variables that are missing, misspelt or empty, and ports in their values that no Service has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from remediator.diagnosis.hosts import host_in
from remediator.domain.change import Edit
from remediator.domain.incident import Evidence
from remediator.domain.text import HOST_JOINERS, word_pattern
from remediator.domain.yaml_paths import YamlPath, get
from remediator.gitops import Application, Manifest, Match
from remediator.remedies.containers.hosts import callers, namespace_of, strings
from remediator.remedies.engine.acceptable_values import without_match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import distance, nearest
from remediator.remedies.views.config_objects import keys_by_name
from remediator.remedies.views.start_texts import containers, variables


def restore_environment(case: RemedyContext) -> Iterator[Fix]:
    """Give a variable that the program asks for its right name, where it stands under a misspelt one."""
    for name, evidence in _asked_for(case):
        for target, container, path in containers(case, evidence):
            items = [item for item in container.get("env") or () if isinstance(item, dict)]
            if any(item.get("name") == name for item in items) or _elsewhere(case, target, container, name):
                continue
            if wrong := _misspelt(case, name, [str(item.get("name", "")) for item in items]):
                index = next(
                    at
                    for at, item in enumerate(container["env"])
                    if isinstance(item, dict) and item.get("name") == wrong
                )
                yield _renamed(case, target.application, target.manifest, (*path, "env", index), wrong, name, evidence)
                continue
            for config, keys in _read_whole(case, target, container):
                if wrong := _misspelt(case, name, keys):
                    yield _renamed(case, target.application, config, ("data", wrong), wrong, name, evidence)


def _misspelt(case: RemedyContext, name: str, names: list[str]) -> str:
    """The one name that is a slip of the wanted one, and that nothing in the evidence asks for."""
    words = case.action.options.get("words")
    known = [str(word) for word in words] if isinstance(words, list) else []
    wrong = nearest(name, [other for other in names if _one_word_off(other, name, known)])
    return "" if not wrong or case.mentions(wrong) else wrong


def _one_word_off(wrong: str, name: str, known: list[str]) -> bool:
    """Whether just one word of the name is misspelt: DB_HOST is no slip of DB_PORT, but another variable."""
    ours, theirs = wrong.lower().split("_"), name.lower().split("_")
    if len(ours) != len(theirs):
        return wrong.replace("_", "") == name.replace("_", "")
    strange = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    if len(strange) != 1:
        return not strange and wrong != name
    slip, right = strange[0]
    return slip not in known and distance(slip, right) <= (1 if len(right) < 8 else 2)


def _read_whole(case: RemedyContext, target: Match, container: dict[str, Any]) -> Iterator[tuple[Manifest, list[str]]]:
    """ConfigMaps whose every key becomes a variable, with their keys."""
    named = {
        get(item, ("configMapRef", "name"))
        for item in container.get("envFrom") or ()
        if isinstance(item, dict) and not item.get("prefix")
    }
    for manifest in case.siblings(target.application):
        data = manifest.body.get("data")
        if manifest.kind == "ConfigMap" and manifest.name in named and isinstance(data, dict):
            yield manifest, [str(key) for key in data]


def _renamed(
    case: RemedyContext,
    application: Application,
    manifest: Manifest,
    path: YamlPath,
    wrong: str,
    name: str,
    evidence: list[Evidence],
) -> Fix:
    """A field `name` is set; a key of a mapping (a ConfigMap's, or that of a chart's values) is renamed where it stands."""
    in_list = path[0] != "data"
    want = Want(application, manifest, (*path, "name") if in_list else path, name)
    fix = Fix(
        title=f"rename variable `{wrong}` to `{name}`",
        reason=f"the program asks for `{name}`, which nothing sets; `{wrong}` is one slip away and nothing asks for it.",
        evidence=case.cite(*evidence),
        parameters={"object": manifest.name, "from": wrong, "to": name},
        score=0.75,
    )
    if in_list and case.repository.locate(application, manifest, want.path).status == "located":
        return replace(fix, wants=(want,))
    located = case.repository.locate(application, manifest, (*path, "value") if in_list else path)
    for place in located.places if located.status == "located" else ():
        where = {"file": place.file, "document": place.document, "path": place.path, "inside": place.inside}
        key = (place.inside or place.path)[-1]
        if key == wrong:
            edit = Edit(op="rename", value=name, **where)
        elif str(place.value).startswith(f"{wrong}="):
            edit = Edit(op="set", value=name + str(place.value)[len(wrong) :], **where)
        else:
            continue
        return replace(fix, edits=(edit,), places=(place,), applications=(application,))
    return replace(fix, score=0.0)


def _asked_for(case: RemedyContext) -> Iterator[tuple[str, list[Evidence]]]:
    groups: dict[str, list[Evidence]] = {}
    for one in case.signals("env_not_set"):
        groups.setdefault(one.facts.get("variable", ""), []).append(one)
    if password := case.signals("superuser_password"):
        groups.setdefault("POSTGRES_PASSWORD", []).extend(password)
    yield from ((name, group) for name, group in groups.items() if name)


def _elsewhere(case: RemedyContext, target: Match, container: dict[str, Any], name: str) -> bool:
    """Whether a ConfigMap or Secret of `envFrom` brings the variable, or may bring it."""
    for item in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            source = item.get(field) if isinstance(item, dict) else None
            if isinstance(source, dict):
                keys = keys_by_name(case, target, kind).get(str(source.get("name")))
                if keys is None or name in {f"{item.get('prefix') or ''}{key}" for key in keys}:
                    return True
    return False


def fix_environment(case: RemedyContext) -> Iterator[Fix]:
    """Correct a variable's value: an empty one, or a port that the Service it names does not have."""
    yield from _empty(case)
    yield from _wrong_port(case)


def _empty(case: RemedyContext) -> Iterator[Fix]:
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


def _wrong_port(case: RemedyContext) -> Iterator[Fix]:
    for host, port, evidence in _dialled(case):
        for target in callers(case, evidence):
            service = _service_ports(case, target, host)
            if not service or port in service:
                continue
            for text in strings(case, target):
                pattern = re.compile(rf"({word_pattern(host, HOST_JOINERS).pattern}:){port}(?!\d)", re.IGNORECASE)
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
                    accepts=without_match(pattern),
                )
                break


def _dialled(case: RemedyContext) -> Iterator[tuple[str, str, list[Evidence]]]:
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for one in case.signals("connection_refused", "connection_timeout", "host_unavailable"):
        host, port = host_in(one.text)
        if host and port:
            groups.setdefault((host, port), []).append(one)
    yield from ((host, port, group) for (host, port), group in groups.items())


def _service_ports(case: RemedyContext, target: Match, host: str) -> list[str]:
    """Ports of the Service that a host name means; empty where the repository does not know it."""
    labels = host.split(".")
    namespace = labels[1] if len(labels) > 1 else namespace_of(target)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            own = manifest.namespace_in(application) or namespace
            if manifest.kind == "Service" and manifest.name == labels[0] and own == namespace:
                ports = (manifest.body.get("spec") or {}).get("ports") or ()
                return [str(one.get("port")) for one in ports if isinstance(one, dict) and one.get("port")]
    return []
