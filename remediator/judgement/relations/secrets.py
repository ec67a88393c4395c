"""Relations of External Secrets: who makes the Secret that others read."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import mapping, spec
from remediator.judgement.world import Placed, World

_MAKERS = ("Secret", "SealedSecret")


def merged_secret_is_made(world: World) -> Iterator[Broken]:
    """Yield External Secrets that only merge into a Secret which nothing of the repository makes.

    https://external-secrets.io/latest/guides/ownership-deletion-policy/ tells what each policy does.
    """
    for external in world.of_kind("ExternalSecret"):
        target = mapping(spec(external).get("target"))
        name = str(target.get("name") or external.name)
        if target.get("creationPolicy") != "Merge" or _is_made(world, external, name):
            continue
        if not world.is_complete(external.namespace):
            continue
        yield Broken(
            relation="merged_secret_is_made", at=external, path=("spec", "target", "creationPolicy"), value="Owner", sure=0.85,
            message=f"ExternalSecret {external.name} only merges into Secret {name}, which nothing makes",
            causes=("config_error", "signal:secret_not_found"), words=(name, external.name, "creationPolicy"),
        )  # fmt: skip


def _is_made(world: World, external: Placed, name: str) -> bool:
    if any(item.name == name for item in world.of_kind(*_MAKERS, near=external)):
        return True
    return any(
        str(mapping(spec(other).get("target")).get("name") or other.name) == name
        for other in world.of_kind("ExternalSecret", near=external)
        if other is not external and mapping(spec(other).get("target")).get("creationPolicy", "Owner") == "Owner"
    )
