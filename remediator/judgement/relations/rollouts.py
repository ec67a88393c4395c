"""Relations between rollouts and the analyses that judge them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import YamlPath, mappings
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, spec
from remediator.judgement.world import Placed, World


def analysis_arguments_are_given(world: World) -> Iterator[Broken]:
    """Yield analyses of a rollout that give an argument nobody asks for, and leave one out that a template needs."""
    for rollout in world.of_kind("Rollout"):
        for path, analysis in mappings(rollout.body):
            names = [str(item.get("templateName", "")) for item in items(analysis.get("templates"))]
            templates = [template for name in names if (template := _template(world, rollout, name)) is not None]
            if not names or len(templates) != len(names):
                continue
            arguments = items(analysis.get("args"))
            given = [str(argument.get("name", "")) for argument in arguments]
            asked = {str(arg.get("name")): arg for template in templates for arg in items(spec(template).get("args"))}
            missing = [name for name, arg in asked.items() if name not in given and not _has_default(arg)]
            unused = [index for index, name in enumerate(given) if name not in asked]
            if len(missing) != 1 or len(unused) != 1:
                continue
            at: YamlPath = (*path, "args", unused[0], "name")
            yield Broken(
                relation="analysis_arguments_are_given", at=rollout, path=at, value=missing[0], sure=0.9,
                message=f"The analysis of Rollout {rollout.name} gives {given[unused[0]]}, which no template asks for, and not {missing[0]}",
                causes=("config_error", "sync_error", "unknown"), words=(missing[0], given[unused[0]], rollout.name, *names),
            )  # fmt: skip


def _template(world: World, rollout: Placed, name: str) -> Placed | None:
    found = world.named("AnalysisTemplate", name, rollout)
    return found or next((item for item in world.of_kind("ClusterAnalysisTemplate") if item.name == name), None)


def _has_default(argument: dict[str, Any]) -> bool:
    return "value" in argument or bool(mapping(argument.get("valueFrom")))
