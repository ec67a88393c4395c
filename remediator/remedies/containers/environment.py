"""Environment variables that are missing, misspelt or empty, and ports in their values that no Service has.

A variable is renamed only where exactly one set variable is a slip away and nothing in the evidence asks for it: two
variables with similar names (DB_HOST, DB_PORT) are usually both right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    """Rename a misspelt variable to the name that the program asks for."""
    for name, evidence in _missing_variables(case):
        for target, container, path in containers(case, evidence):
            items = [item for item in container.get("env") or () if isinstance(item, dict)]
            if any(item.get("name") == name for item in items) or _comes_from_import(case, target, container, name):
                continue
            if wrong := _misspelt_name(case, name, [str(item.get("name", "")) for item in items]):
                index = next(
                    at
                    for at, item in enumerate(container["env"])
                    if isinstance(item, dict) and item.get("name") == wrong
                )
                yield _rename_fix(
                    case, target.application, target.manifest, (*path, "env", index), wrong, name, evidence
                )
                continue
            for config, keys in _imported_configs(case, target, container):
                if wrong := _misspelt_name(case, name, keys):
                    yield _rename_fix(case, target.application, config, ("data", wrong), wrong, name, evidence)


def _misspelt_name(case: RemedyContext, name: str, names: list[str]) -> str:
    """Return the one name that is a slip of `name` and that nothing in the evidence asks for; empty where there is none."""
    option = case.action.options.get("words")
    words = [str(word) for word in option] if isinstance(option, list) else []
    wrong = nearest(name, [candidate for candidate in names if _one_word_off(candidate, name, words)])
    return "" if not wrong or case.mentions(wrong) else wrong


def _one_word_off(wrong: str, name: str, words: list[str]) -> bool:
    """Return True where just one word of the name is misspelt: DB_HOST is no slip of DB_PORT, but another variable."""
    wrong_parts, right_parts = wrong.lower().split("_"), name.lower().split("_")
    if len(wrong_parts) != len(right_parts):
        return wrong.replace("_", "") == name.replace("_", "")
    differing = [pair for pair in zip(wrong_parts, right_parts, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1:
        return not differing and wrong != name
    wrong_part, right_part = differing[0]
    return wrong_part not in words and distance(wrong_part, right_part) <= (1 if len(right_part) < 8 else 2)


def _imported_configs(
    case: RemedyContext, target: Match, container: dict[str, Any]
) -> Iterator[tuple[Manifest, list[str]]]:
    """Yield the ConfigMaps that `envFrom` imports without a prefix, with their keys."""
    names = {
        get(item, ("configMapRef", "name"))
        for item in container.get("envFrom") or ()
        if isinstance(item, dict) and not item.get("prefix")
    }
    for manifest in case.siblings(target.application):
        data = manifest.body.get("data")
        if manifest.kind == "ConfigMap" and manifest.name in names and isinstance(data, dict):
            yield manifest, [str(key) for key in data]


def _rename_fix(
    case: RemedyContext,
    application: Application,
    manifest: Manifest,
    path: YamlPath,
    wrong: str,
    name: str,
    evidence: Sequence[Evidence],
) -> Fix:
    """Set the field `name` of a list item, or rename the key of a mapping (of a ConfigMap or of a chart's values)."""
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
        location = {"file": place.file, "document": place.document, "path": place.path, "inside": place.inside}
        key = (place.inside or place.path)[-1]
        if key == wrong:
            edit = Edit(op="rename", value=name, **location)
        elif str(place.value).startswith(f"{wrong}="):
            edit = Edit(op="set", value=name + str(place.value)[len(wrong) :], **location)
        else:
            continue
        return replace(fix, edits=(edit,), places=(place,), applications=(application,))
    return replace(fix, score=0.0)


def _missing_variables(case: RemedyContext) -> Iterator[tuple[str, list[Evidence]]]:
    groups: dict[str, list[Evidence]] = {}
    for piece in case.signals("env_not_set"):
        groups.setdefault(piece.facts.get("variable", ""), []).append(piece)
    if password := case.signals("superuser_password"):
        groups.setdefault("POSTGRES_PASSWORD", []).extend(password)
    yield from ((name, group) for name, group in groups.items() if name)


def _comes_from_import(case: RemedyContext, target: Match, container: dict[str, Any], name: str) -> bool:
    """Return True where a ConfigMap or Secret of `envFrom` sets the variable, or where its keys are not known."""
    for item in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            source = item.get(field) if isinstance(item, dict) else None
            if isinstance(source, dict):
                keys = keys_by_name(case, target, kind).get(str(source.get("name")))
                if keys is None or name in {f"{item.get('prefix') or ''}{key}" for key in keys}:
                    return True
    return False


def fix_environment(case: RemedyContext) -> Iterator[Fix]:
    """Correct the value of a variable: an empty one, or a port that the named Service does not have."""
    yield from _empty_value(case)
    yield from _wrong_port(case)


def _empty_value(case: RemedyContext) -> Iterator[Fix]:
    """Restore the older value of a variable that is empty: nothing else in the repository tells the value."""
    for name, evidence in _missing_variables(case):
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
    for host, port, evidence in _failed_connections(case):
        for target in callers(case, evidence):
            ports = _service_ports(case, target, host)
            if not ports or port in ports:
                continue
            for text in strings(case, target):
                pattern = re.compile(rf"({word_pattern(host, HOST_JOINERS).pattern}:){port}(?!\d)", re.IGNORECASE)
                if not pattern.search(text.value):
                    continue
                new = ports[0] if len(ports) == 1 else ""
                value = pattern.sub(rf"\g<1>{new}", text.value) if new else text.value
                yield Fix(
                    title=f"call `{host}` on port {new} instead of {port}",
                    reason=f"Service `{host}` has port {', '.join(ports)}; nothing listens on {port}.",
                    evidence=case.cite(*evidence),
                    wants=(text.want(value),),
                    parameters={"host": host, "from": port, "to": new, "variable": text.variable},
                    score=0.55 if new else 0.0,
                    accepts=without_match(pattern),
                )
                break


def _failed_connections(case: RemedyContext) -> Iterator[tuple[str, str, list[Evidence]]]:
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for piece in case.signals("connection_refused", "connection_timeout", "host_unavailable"):
        host, port = host_in(piece.text)
        if host and port:
            groups.setdefault((host, port), []).append(piece)
    yield from ((host, port, group) for (host, port), group in groups.items())


def _service_ports(case: RemedyContext, target: Match, host: str) -> list[str]:
    """Return the ports of the Service that a host name means; empty where the repository does not have it."""
    labels = host.split(".")
    namespace = labels[1] if len(labels) > 1 else namespace_of(target)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            service_namespace = manifest.namespace_in(application) or namespace
            if manifest.kind == "Service" and manifest.name == labels[0] and service_namespace == namespace:
                ports = (manifest.body.get("spec") or {}).get("ports") or ()
                return [str(item.get("port")) for item in ports if isinstance(item, dict) and item.get("port")]
    return []
