"""The question to a model about an incident: the rules' verdict, cited evidence, and the changes that the rules offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.domain.model_answer import ChangeTarget, EvidenceExcerpt, ModelQuestion, Offer, Parameter, PastIncident

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.domain.change import Proposal
    from remediator.domain.incident import Diagnosis
    from remediator.domain.lifecycle import HistoryEntry
    from remediator.policy import Action, Catalogue

UNKNOWN = "unknown"
"""The category of what no rule knows."""

VALUE = "value"
"""The one parameter of an offer: what is to stand at its target."""


def brief_of(
    diagnosis: Diagnosis,
    proposals: Sequence[Proposal],
    actions: Mapping[str, Action],
    catalogue: Catalogue,
    redact: Callable[[str], str],
    *,
    history: Sequence[HistoryEntry] = (),
    language: str = "English",
) -> ModelQuestion:
    """Return the question; causes come first, so that the least telling evidence is cut if it is too long."""
    targets, offers = _offers(proposals, actions, diagnosis, redact)
    return ModelQuestion(
        category=diagnosis.category,
        severity=diagnosis.severity,
        summary=redact(diagnosis.summary),
        windows=_windows(diagnosis, redact),
        targets=targets,
        offers=offers,
        past=tuple(
            PastIncident(
                summary=redact(record.get("words", "")),
                action=record.get("action", ""),
                outcome=record["outcome"],
            )
            for record in history
            if record.get("kind") == "earlier" and record.get("outcome")
        ),
        categories=tuple(category.id for category in catalogue.categories),
        language=language,
    )


def _windows(diagnosis: Diagnosis, redact: Callable[[str], str]) -> tuple[EvidenceExcerpt, ...]:
    """Return the cited evidence; if no rule matched, the lines that look most severe, without a category."""
    cited = [(e.id, e) for e in diagnosis.evidence[:40]]
    if diagnosis.category == UNKNOWN:
        cited += [(f"E{number}", e) for number, e in enumerate(diagnosis.context, start=len(cited) + 1)][:20]
    return tuple(
        EvidenceExcerpt(
            id=name,
            category="" if diagnosis.category == UNKNOWN else e.category,
            signal=e.signal,
            text=redact(f"{e.reason} {e.text}".strip()),
        )
        for name, e in cited
    )


def _offers(
    proposals: Sequence[Proposal], actions: Mapping[str, Action], diagnosis: Diagnosis, redact: Callable[[str], str]
) -> tuple[tuple[ChangeTarget, ...], tuple[Offer, ...]]:
    targets, offers = [], []
    signals = {name for piece in diagnosis.evidence for name in (piece.signal, f"category:{piece.category}")}
    for number, proposal in enumerate(proposals[:6], start=1):
        values = [edit for edit in proposal.edits if edit.op in {"set", "insert"} and _scalar(edit.value)]
        if len(values) != 1 or redact(str(values[0].value)) != str(values[0].value):
            continue  # a value that must not be shown cannot be chosen
        name = f"P{number}"
        old = next((p.value for p in proposal.places if (p.file, p.path) == (values[0].file, values[0].path)), None)
        history = tuple(redact(line) for line in proposal.history[:2])
        targets.append(ChangeTarget(id=name, value=redact(f"{values[0].path[-1]} {old}"), history=history))
        action = actions.get(proposal.action)
        ends = [fault for fault in (action.ends if action else ()) if fault in signals]
        borne = {e.signal for e in diagnosis.evidence if e.signal in ends or f"category:{e.category}" in ends}
        bounds = action.bounds if action else None
        parameter = Parameter(
            name=VALUE,
            values=(redact(str(values[0].value)),),
            minimum=bounds.minimum if bounds else "",
            maximum=bounds.maximum if bounds else "",
        )
        offers.append(
            Offer(action=proposal.action, targets=(name,), ends=tuple(sorted(borne)), parameters=(parameter,))
        )
    return tuple(targets), tuple(offers)


def _scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
