"""Hypotheses from contradictions in the rendered world, for the ones that can have to do with this incident."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.gitops import Application
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.registry import REMEDIES_OF, broken
from remediator.remedies.engine.candidates import possible_actions
from remediator.remedies.engine.case import Fix, Want

ACTION = "mend_relation"


def from_relations(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield one hypothesis for each contradiction that has one right end."""
    considered_actions = {action.id for action in possible_actions(inquiry.diagnosis, inquiry.policies)}
    for contradiction in broken(inquiry.world):
        if considered_actions.intersection(REMEDIES_OF.get(contradiction.relation, ())):
            continue  # that remedy sees more: live state, endpoints, which side changed last
        if contradiction.value is None and not contradiction.edits:
            continue
        concerns = _concerns(inquiry, contradiction)
        if not concerns and not _is_named(inquiry, contradiction):
            continue
        yield Hypothesis(
            generator="relations",
            rule=contradiction.relation,
            action=ACTION,
            cause=contradiction.message,
            fix=_fix(inquiry, contradiction),
            predicts=contradiction.causes,
            excludes=contradiction.excludes,
            words=contradiction.words,
            features={
                "value_sure": contradiction.sure,
                "on_culprit": float(concerns),
            },
        )


def _concerns(inquiry: Inquiry, contradiction: Broken) -> bool:
    placed = (contradiction.at, *contradiction.sufferers, *(item for item, _, _ in contradiction.also))
    return any((item.kind, item.name) in inquiry.culprits for item in placed)


def _is_named(inquiry: Inquiry, contradiction: Broken) -> bool:
    """Return True where the evidence names the object that holds the wrong value, or one that suffers from it.

    A repository holds contradictions that hurt nobody; without a name there is nothing that ties one to this incident.
    """
    placed = (contradiction.at, *contradiction.sufferers)
    spaces = {subject.namespace for subject in (inquiry.diagnosis.subject, *inquiry.diagnosis.victims)} - {""}
    near = [item for item in placed if not spaces or not item.namespace or item.namespace in spaces]
    if any(inquiry.mentions([item.name for item in near])):
        return True
    if not inquiry.diagnosis.subject.name and any(item.name in inquiry.unwell for item in near):
        return True
    own = {name for item in near for name in (item.name, *(str(body.get("name")) for body, _, _ in item.containers()))}
    return bool(own & inquiry.named_by_files)


def _fix(inquiry: Inquiry, contradiction: Broken) -> Fix:
    wants = [] if contradiction.edits else [(contradiction.at, contradiction.path, contradiction.value)]
    wants += contradiction.also
    return Fix(
        title=_title(contradiction),
        reason=f"{contradiction.message}.",
        evidence=inquiry.citing(contradiction.words),
        wants=tuple(Want(item.application, item.manifest, path, value) for item, path, value in wants),
        edits=contradiction.edits,
        places=contradiction.places,
        applications=tuple(dict.fromkeys((contradiction.at.application, *_readers(inquiry, contradiction)))),
        score=contradiction.sure,
        relation=contradiction.relation,
    )


def _readers(inquiry: Inquiry, contradiction: Broken) -> Iterator[Application]:
    """Yield the Applications that apply the texts which the edits change: their rendering may change too."""
    for file in dict.fromkeys(edit.file for edit in contradiction.edits):
        yield from inquiry.repository.feeds.readers(file)


def _title(contradiction: Broken) -> str:
    from remediator.domain.yaml_paths import MISSING, format_path

    path = contradiction.path
    shown = next((length for length in (2, 3, 4) if length <= len(path) and isinstance(path[-length], str)), len(path))
    field = format_path(path[-shown:])
    if contradiction.value is MISSING:
        return f"remove {field} of `{contradiction.at.name}`"
    if isinstance(contradiction.value, dict | list) or contradiction.edits:
        return f"correct {field} of `{contradiction.at.name}`"
    return f"set {field} of `{contradiction.at.name}` to {contradiction.value}"
