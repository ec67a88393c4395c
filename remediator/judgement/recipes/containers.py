"""The containers that run a recipe's software, in the objects that the incident is about."""

from __future__ import annotations

from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.recipes.software import is_image
from remediator.judgement.world import Placed
from remediator.policy import Recipe

Running = tuple[Placed, dict[str, Any], YamlPath]


def software_containers(inquiry: Inquiry, recipe: Recipe, applications: tuple[Application, ...]) -> list[Running]:
    """Return the containers of the culprit that run the software; without a culprit, the only one that does."""
    if not recipe.software.images:
        return _culprits(inquiry) if not recipe.software.charts else []
    running = [
        (placed, container, path)
        for placed in inquiry.world.workloads
        if placed.application in applications
        for container, path, init in placed.containers()
        if not init and is_image(str(container.get("image") or ""), recipe.software)
    ]
    meant = [item for item in running if (item[0].kind, item[0].name) in inquiry.culprits]
    return meant or (running if len(running) == 1 else [])


def _culprits(inquiry: Inquiry) -> list[Running]:
    """Return the containers that the evidence means."""
    context = inquiry.context("apply_recipe")
    return [
        (Placed(target.application, target.manifest, target.manifest.namespace_in(target.application)), body, path)
        for target, body, path in context.workloads()
        if target.manifest.tracked != "unseen"
    ]
