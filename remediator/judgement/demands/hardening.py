"""Security settings that an admission policy demands and a container lacks: the one key that its message names, set as told.

Only settings that restrict, and that no program notices while it does nothing it should not. A demand that may break the
program (another user, a read-only root) is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.yaml_paths import YamlPath, get
from remediator.judgement.demands.demand import Demand, platform_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.world import Placed
from remediator.remedies.engine.case import Want

_GATEKEEPER = re.compile(r"Privilege escalation container is not allowed: (?P<container>[\w.-]+)")
_KYVERNO = re.compile(r"resource (?P<kind>\w+)/(?P<namespace>[\w.-]+)/(?P<name>[\w.-]+) was blocked")
_KYVERNO_PATH = re.compile(r"failed at path (?P<path>/[\w/-]*securityContext/allowPrivilegeEscalation)/?")
_FIELD: YamlPath = ("securityContext", "allowPrivilegeEscalation")


def privilege_escalation(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield `allowPrivilegeEscalation: false` for the container that a policy of Gatekeeper or Kyverno names."""
    for piece in platform_evidence(inquiry):
        text = piece.text.replace('\\"', '"')
        names = {match["container"] for match in _GATEKEEPER.finditer(text)}
        places = [
            (placed, (*path, *_FIELD))
            for placed in inquiry.world.workloads
            if placed.application in inquiry.applications and _concerns(inquiry, placed)
            for body, path, _ in placed.containers()
            if body.get("name") in names
        ]
        places += _kyverno(inquiry, text)
        wanted = [(placed, path) for placed, path in places if get(placed.body, path) is not False]
        if wanted and len({(placed.kind, placed.name) for placed, _ in wanted}) == 1:
            holder = wanted[0][0]
            yield Demand(
                rule="privilege_escalation",
                title=f"forbid privilege escalation in `{holder.name}`",
                reason=f"An admission policy refuses pods of `{holder.name}` whose containers may gain privileges.",
                evidence=(piece.id,),
                words=(holder.name, *sorted(names)),
                wants=tuple(Want(placed.application, placed.manifest, path, value=False) for placed, path in wanted),
                predicts=("permission_denied",),
            )


def _concerns(inquiry: Inquiry, placed: Placed) -> bool:
    return not inquiry.culprits or (placed.kind, placed.name) in inquiry.culprits


def _kyverno(inquiry: Inquiry, text: str) -> list[tuple[Placed, YamlPath]]:
    """Return the field of the blocked object that the message names by its path; nothing where it names several objects."""
    blocked = {match.groups() for match in _KYVERNO.finditer(text)}
    if len(blocked) != 1:
        return []
    kind, namespace, name = blocked.pop()
    return [
        (placed, tuple(int(step) if step.isdigit() else step for step in match["path"].strip("/").split("/")))
        for match in _KYVERNO_PATH.finditer(text)
        for placed in inquiry.world.of_kind(kind)
        if placed.name == name and placed.namespace in ("", namespace)
    ]
