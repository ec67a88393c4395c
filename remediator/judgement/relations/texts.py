"""Relations inside configuration that objects carry as text: it must parse as what its name says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from remediator.gitops import yamlread
from remediator.gitops.yamlread import UnreadableYaml
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import mapping, meant, spec
from remediator.judgement.world import World

_CONFIG = ("crashloop", "config_error", "application_error")
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def embedded_json_parses(world: World) -> Iterator[Broken]:
    """Yield JSON files in ConfigMaps that do not parse."""
    yield from _unparsable(world, "embedded_json_parses", (".json",), "JSON", json.loads)


def embedded_yaml_parses(world: World) -> Iterator[Broken]:
    """Yield YAML files in ConfigMaps that do not parse."""
    yield from _unparsable(world, "embedded_yaml_parses", (".yaml", ".yml"), "YAML", yamlread.documents)


def _unparsable(
    world: World, relation: str, endings: tuple[str, ...], language: str, parse: Callable[[str], object]
) -> Iterator[Broken]:
    for config in world.of_kind("ConfigMap"):
        for name, text in mapping(config.body.get("data")).items():
            if not str(name).endswith(endings) or not isinstance(text, str) or "{{" in text:
                continue
            try:
                parse(text)
            except (ValueError, UnreadableYaml) as error:
                yield Broken(
                    relation=relation, at=config, path=("data", name), causes=_CONFIG, words=(str(name), config.name),
                    message=f"{name} of ConfigMap {config.name} is no {language}: {error}",
                )  # fmt: skip


def schedule_is_valid(world: World) -> Iterator[Broken]:
    """Yield CronJobs whose schedule has a field outside its range or not five fields."""
    for job in world.of_kind("CronJob", "ScheduledBackup", "Schedule"):
        schedule = str(spec(job).get("schedule", ""))
        fields = schedule.split()
        if not schedule or schedule.startswith("@") or "{{" in schedule:
            continue
        wrong = next(
            (
                number
                for field, (low, high) in zip(fields, _CRON_RANGES, strict=False)
                for number in field.replace("/", ",").replace("-", ",").split(",")
                if number.isdigit() and not low <= int(number) <= high and f"/{number}" not in field
            ),
            "",
        )
        if (len(fields) not in (5, 6, 7) or (wrong and len(fields) == 5)) and job.kind == "CronJob":
            yield Broken(
                relation="schedule_is_valid", at=job, path=("spec", "schedule"), causes=("sync_error", "config_error"), words=(schedule, job.name),
                message=f"CronJob {job.name} has the schedule `{schedule}`, " + (f"in which {wrong} is out of range" if wrong else f"which has {len(fields)} fields"),
            )  # fmt: skip


def trigger_authentication_exists(world: World) -> Iterator[Broken]:
    """Yield KEDA triggers whose authentication does not exist, where one is a slip away."""
    for scaler in world.of_kind("ScaledObject", "ScaledJob"):
        for index, trigger in enumerate(spec(scaler).get("triggers") or ()):
            reference = mapping(mapping(trigger).get("authenticationRef"))
            kind, name = str(reference.get("kind") or "TriggerAuthentication"), str(reference.get("name", ""))
            candidates = [item.name for item in world.of_kind(kind)]
            value, sure = meant(name, candidates)
            if name and name not in candidates and value and sure > 0.5:
                yield Broken(
                    relation="trigger_authentication_exists", at=scaler, path=("spec", "triggers", index, "authenticationRef", "name"), value=value, sure=sure,
                    message=f"{scaler.kind} {scaler.name} names {kind} {name}, which does not exist; there is {value}",
                    causes=("config_error", "permission_denied"), words=(name,),
                )  # fmt: skip
