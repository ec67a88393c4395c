"""Every relation by its name; nothing registers itself. A new one is a function of the world and a line here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from remediator.judgement.relations import network
from remediator.judgement.relations.broken import Broken, Relation
from remediator.judgement.world import World

RELATIONS: Mapping[str, Relation] = {relation.__name__: relation for relation in (network.service_target_port_exists,)}


def broken(world: World) -> Iterator[Broken]:
    """Yield all contradictions of a world, in the order of the registry."""
    for relation in RELATIONS.values():
        yield from relation(world)
