"""Kinds that something of the repository makes only while it syncs: the dry run before the sync cannot know them yet.

Argo CD skips the dry run of a kind whose CustomResourceDefinition is part of the same sync. It cannot know a kind that a
controller makes (a Gatekeeper template, a Crossplane definition) or that another Application brings.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.yaml_paths import get
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.world import Placed
from remediator.remedies.engine.case import Want

OPTIONS = "argocd.argoproj.io/sync-options"
SKIP = "SkipDryRunOnMissingResource=true"
_NAMES = {
    "ConstraintTemplate": ("spec", "crd", "spec", "names", "kind"),
    "CompositeResourceDefinition": ("spec", "names", "kind"),
    "CustomResourceDefinition": ("spec", "names", "kind"),
}
_MOST = 5
"""More objects of one kind want the option on the Application, which a person decides."""


def dry_run_of_a_later_kind(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield the option that leaves out the dry run, for all objects of a missing kind that this repository makes later."""
    for piece in distinct_evidence(inquiry):
        kind = piece.facts.get("requested_kind", "")
        if piece.signal != "crd_missing" or not kind:
            continue
        objects = [item for item in inquiry.world.of_kind(kind) if item.application in inquiry.applications]
        makers = [item for item in inquiry.world.objects if _makes(item, kind)]
        makers = [item for item in makers if item.kind != "CustomResourceDefinition" or _is_of_another(item, objects)]
        if not makers or not 0 < len(objects) <= _MOST:
            continue
        wants = tuple(_want(item) for item in objects if SKIP not in _options(item))
        names = ", ".join(f"`{item.name}`" for item in objects)
        yield Demand(
            rule="dry_run_of_a_later_kind",
            title=f"leave out the dry run of {names} while its kind is missing",
            reason=f"{makers[0].kind} `{makers[0].name}` makes the kind {kind} while it syncs, and the dry run before that fails.",
            evidence=(piece.id,),
            words=(kind,),
            wants=wants,
            predicts=("signal:crd_missing",),
            sure=0.8,
        )


def _makes(item: Placed, kind: str) -> bool:
    return item.kind in _NAMES and get(item.body, _NAMES[item.kind]) == kind


def _is_of_another(item: Placed, objects: list[Placed]) -> bool:
    return all(item.application.key != placed.application.key for placed in objects)


def _options(item: Placed) -> str:
    text = get(item.body, ("metadata", "annotations", OPTIONS))
    return text if isinstance(text, str) else ""


def _want(item: Placed) -> Want:
    options = ",".join(filter(None, (_options(item), SKIP)))
    return Want(item.application, item.manifest, ("metadata", "annotations", OPTIONS), options)
