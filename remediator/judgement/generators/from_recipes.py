"""Hypotheses from recipes: the software says what its documentation names a remedy for."""

from __future__ import annotations

from collections.abc import Iterator

from remediator.domain.incident import Evidence
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.judgement.recipes.places import changes
from remediator.judgement.recipes.search import SettingChange, SettingSearch
from remediator.judgement.recipes.software import running
from remediator.policy import Recipe, RightValue
from remediator.remedies.engine.apply import changes as edited_files
from remediator.remedies.engine.case import Fix
from remediator.yamledit import EditRefused

ACTION = "apply_recipe"


def from_recipes(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield one hypothesis for each recipe whose message is in the evidence and whose setting the repository has."""
    if not inquiry.policies.actions[ACTION].enabled:
        return
    by_signal = {recipe.signal: recipe for recipe in inquiry.policies.recipes}
    pieces: dict[str, Evidence] = {}
    for piece in inquiry.diagnosis.evidence:
        if piece.signal in by_signal:
            pieces.setdefault(piece.signal, piece)
    for signal, piece in pieces.items():
        yield _hypothesis(inquiry, by_signal[signal], piece)


def _hypothesis(inquiry: Inquiry, recipe: Recipe, piece: Evidence) -> Hypothesis:
    cause = recipe.cause.rstrip(".")
    if recipe.decline:
        return Hypothesis("recipes", recipe.id, ACTION, f"{cause}. {recipe.decline.rstrip('.')}", None)
    applications = running(inquiry, recipe)
    for setting in recipe.settings:
        search = SettingSearch(inquiry, recipe, setting, piece.facts, applications)
        candidates = [change for change in changes(search) if _has_effect(inquiry, change)]
        if len({change.position for change in candidates}) > 1:
            places = ", ".join(sorted(" ".join(filter(None, change.position)) for change in candidates))
            return Hypothesis("recipes", recipe.id, ACTION, f"{cause}; several settings could be meant: {places}", None)
        if candidates:
            return _proposed(inquiry, recipe, piece, candidates[0], search.rule)
        if search.settled:
            words = f"{cause}; the setting stands at {search.settled[0]}, and the recipe gives no better value"
            return Hypothesis("recipes", recipe.id, ACTION, words, None)
    words = f"{cause}, but its setting was not found in this repository ({recipe.source})"
    return Hypothesis("recipes", recipe.id, ACTION, words, None)


def _proposed(inquiry: Inquiry, recipe: Recipe, piece: Evidence, change: SettingChange, rule: RightValue) -> Hypothesis:
    readers = [app for place in change.places for app in inquiry.repository.feeds.readers(place.file)]
    exact = rule.fixed is not None or rule.removed or bool(rule.capture)
    return Hypothesis(
        generator="recipes",
        rule=recipe.id,
        action=ACTION,
        cause=recipe.cause,
        fix=Fix(
            title=f"remove {change.label}" if rule.removed else f"set {change.label} to {change.value}",
            reason=f"{recipe.cause.rstrip('.')}. Documented in {recipe.source}",
            evidence=(piece.id,),
            wants=change.wants,
            edits=change.edits,
            places=change.places,
            applications=tuple(dict.fromkeys((change.application, *readers))),
            parameters={"recipe": recipe.id},
        ),
        predicts=(f"signal:{recipe.signal}",),
        features={
            "on_culprit": float(change.application in inquiry.applications),
            "value_sure": 1.0 if exact else 0.5 if rule.at_least else 0.0,
            "guess": 0.0 if exact or rule.at_least else 1.0,
        },
    )


def _has_effect(inquiry: Inquiry, change: SettingChange) -> bool:
    """Return False where the chart is rendered and the values key reaches nothing of it."""
    repository, app = inquiry.repository, change.application
    if not change.edits or change.places[0].path[:2] == ("spec", "syncPolicy") or not inquiry.is_rendered(app):
        return True
    try:
        return bool(repository.difference(repository.with_changes(edited_files(change.edits, repository.read))))
    except EditRefused:
        return False
