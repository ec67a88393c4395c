"""Images that do not run on the processors that their pods are sent to.

"exec format error" on pods that a selector binds to one architecture: the image was built for another. Which one, is told
where the evidence or another workload of the repository names the one architecture that is left.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import get
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.case import Want

_SIGNAL = "image_platform"
_LABEL = "kubernetes.io/arch"
_ARCHITECTURES = ("amd64", "arm64")
"""Two of which an image that does not run on the one was almost surely built for the other."""


def architecture_of_image(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield the demand for the other architecture, for each workload whose selector names the wrong one."""
    failed = [piece.id for piece in distinct_evidence(inquiry) if piece.signal == _SIGNAL]
    for match in inquiry.targets.matches if failed else ():
        pod = match.manifest.pod_spec()
        wrong = str(get(pod[0], ("nodeSelector", _LABEL))) if pod else ""
        if pod is None or wrong not in _ARCHITECTURES:
            continue
        other = next(name for name in _ARCHITECTURES if name != wrong)
        if not (_is_shown(inquiry, other) or _is_asked_for(inquiry, other)):
            continue
        yield Demand(
            rule="architecture_of_image",
            title=f"run `{match.manifest.name}` on {other} nodes instead of {wrong}",
            reason=f"The image of `{match.manifest.name}` has no program for {wrong}, which its node selector asks for",
            evidence=tuple(failed),
            words=(match.manifest.name, "exec format error"),
            wants=(Want.of(match, (*pod[1], "nodeSelector", _LABEL), other),),
            sure=0.9,
            predicts=(f"signal:{_SIGNAL}",),
        )


def _is_shown(inquiry: Inquiry, architecture: str) -> bool:
    statements = (*inquiry.diagnosis.evidence, *inquiry.diagnosis.context)
    return any(contains_word(f"{item.text} {' '.join(item.facts.values())}", architecture) for item in statements)


def _is_asked_for(inquiry: Inquiry, architecture: str) -> bool:
    return any(
        get(pod[0], ("nodeSelector", _LABEL)) == architecture
        for app in inquiry.repository.applications
        for manifest in inquiry.repository.objects(app)
        if (pod := manifest.pod_spec()) is not None
    )
