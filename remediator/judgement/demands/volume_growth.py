"""Claims that may not grow because their storage class does not say that they may.

Kubernetes refuses a larger request unless the class has `allowVolumeExpansion: true`:
https://kubernetes.io/docs/concepts/storage/storage-classes/#allow-volume-expansion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.domain.yaml_paths import get
from remediator.gitops import Application, Manifest
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.case import Want

_REFUSED = re.compile(
    r'persistentvolumeclaims? "(?P<claim>[a-z0-9.-]+)" is forbidden: only dynamically provisioned pvc can be resized'
)
_BY_HAND = "kubernetes.io/no-provisioner"


def claim_may_grow(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield the demand for expansion in the storage class of the refused claim, where the repository makes the class."""
    for piece in distinct_evidence(inquiry):
        match = _REFUSED.search(piece.text)
        names = _classes_of(inquiry, match["claim"]) if match else set()
        if match is None or len(names) != 1:
            continue
        for application, storage_class in _made(inquiry, names.pop()):
            body = storage_class.body
            if body.get("allowVolumeExpansion") is True or body.get("provisioner") == _BY_HAND:
                continue
            claim, name = match["claim"], storage_class.name
            sentences = (
                f"let claims of StorageClass `{name}` grow",
                f"Claim {claim} may not grow, since its StorageClass {name} does not allow volume expansion",
            )
            want = Want(application, storage_class, ("allowVolumeExpansion",), True)
            yield Demand.of(piece, "claim_may_grow", (claim, "resized"), want, 0.85, sentences)


def _classes_of(inquiry: Inquiry, claim: str) -> set[str]:
    """Return the classes of the claims of this name: as a table shows them, else as the repository has them."""
    statements = (*inquiry.diagnosis.evidence, *inquiry.diagnosis.context)
    shown = {
        item.facts["storageclass"]
        for item in statements
        if item.subject.kind == "PersistentVolumeClaim"
        and item.subject.name == claim
        and item.facts.get("storageclass")
    }
    return shown or {
        str(get(manifest.body, ("spec", "storageClassName")))
        for app in inquiry.repository.applications
        for manifest in inquiry.repository.objects(app)
        if manifest.kind == "PersistentVolumeClaim" and manifest.name == claim
    }


def _made(inquiry: Inquiry, name: str) -> Iterator[tuple[Application, Manifest]]:
    for app in inquiry.repository.applications:
        for manifest in inquiry.repository.objects(app):
            if manifest.kind == "StorageClass" and manifest.name == name:
                yield app, manifest
