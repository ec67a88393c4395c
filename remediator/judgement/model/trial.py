"""Try a model's change: the whole proof of a rule's fix, and limits of its own on where it may reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from remediator.domain.change import Edit, Place, Proposal
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path
from remediator.gitops import Application, ObjectChange, Repository, history
from remediator.gitops.change.difference import affected
from remediator.judgement.contradictions import ended_contradiction
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import changed_part, value_text
from remediator.judgement.model.typed_edits import EditMistake, TypedEdits, title_of
from remediator.judgement.model.unseen import check_revision, check_unseen, revision_edits, sync_edits
from remediator.remedies.engine.apply import changes
from remediator.remedies.engine.case import Fix
from remediator.remedies.engine.prove import Proof, proof_of
from remediator.remedies.engine.unprovable import UnconfirmedWord, Unprovable
from remediator.yamledit import EditRefused

ACTION = "investigated_change"
_FIELD_OWNERS: Mapping[tuple[str, str], str] = {
    ("limits", "memory"): "raise_memory_limit",
    ("limits", "cpu"): "raise_cpu_limit",
    ("requests", "memory"): "raise_memory_request",
}
"""The action whose switch governs a field, whoever sets it."""


@dataclass(frozen=True)
class TriedChange:
    """A change that passed the whole proof."""

    id: str
    proposal: Proposal
    differences: tuple[ObjectChange, ...]
    after: Repository
    seen: bool
    """False where the chart is not at hand, so that nothing could be rendered."""


def try_edits(name: str, typed: TypedEdits, cites: tuple[str, ...], scene: Scene) -> TriedChange:
    """Return the tried change; raises `EditMistake` or `Unprovable` with the reason where it is refused."""
    policies = scene.inquiry.policies
    action = policies.actions.get(ACTION)
    if action is None or not action.enabled:
        raise Unprovable(f"the policy disables {ACTION}: conclude without a change")
    title = title_of(typed.titles)
    _check_owners(typed, scene)
    places, edits = _all_edits(typed, cites, scene)
    fix = Fix(title=title, reason="", evidence=cites, wants=tuple(typed.wants))
    reached: tuple[Application, ...] = ()
    if not typed.wants or typed.edits:
        reached = _reached(scene, edits, title)
        fix = replace(fix, wants=(), edits=tuple(edits), places=tuple(places), applications=reached)
    else:
        _check_scope(scene, [want.application for want in typed.wants])
    proof = _proved(scene, fix)
    if proof.proposal.on_request and (restored := _restored(scene, proof.proposal)):
        proof = proof_of(scene.inquiry.context(ACTION), replace(fix, rollback=restored))
    if proof.proposal.on_request:
        raise Unprovable(f"it weakens {'; '.join(proof.proposal.weakens)}: find a change that keeps the protection")
    seen = _is_seen(scene, proof, reached)
    proposal = proof.proposal.model_copy(update={"id": f"{ACTION}#{name}", "source": "model"})
    return TriedChange(name, proposal, proof.differences, scene.repository.with_changes(proof.files), seen)


def _proved(scene: Scene, fix: Fix) -> Proof:
    """Return the proof; a log's word alone is enough where the change ends a contradiction of the repository."""
    context = scene.inquiry.context(ACTION)
    try:
        return proof_of(context, fix)
    except UnconfirmedWord:
        # The placeholder only lets the proof go on to the rendered objects, which then must show the contradiction.
        proof = proof_of(context, replace(fix, relation="to be shown"))
        after = scene.repository.with_changes(proof.files)
        ended = ended_contradiction(scene.inquiry, after, proof.differences)
        if ended is None:
            raise
        return proof


def _restored(scene: Scene, proposal: Proposal) -> str:
    """Return what the change takes back, where each of its values stood there before the newest change; else nothing.

    What ran before and the platform asks for may come back, as the rules' own roll-backs may.
    """
    told = []
    for place, edit in zip(proposal.places, proposal.edits, strict=False):
        newest = history.changes(scene.repository.root, place, limit=1).changes
        wanted = MISSING if edit.op == "delete" else edit.value
        if not newest or newest[0].old != wanted:
            return ""
        told.append(f"{format_path(place.path)} as before {newest[0].commit[:7]}")
    return f"restores {', '.join(told)}" if len(told) == len(proposal.edits) else ""


def _all_edits(typed: TypedEdits, cites: tuple[str, ...], scene: Scene) -> tuple[list[Place], list[Edit]]:
    """Return every edit as one of a file: object fields that come beside file edits are located first."""
    places, edits = list(typed.places), list(typed.edits)
    if typed.wants and typed.edits:
        alone = Fix(title=title_of(typed.titles), reason="", evidence=cites, wants=tuple(typed.wants))
        proposal = proof_of(scene.inquiry.context(ACTION), alone).proposal
        places, edits = [*proposal.places, *places], [*proposal.edits, *edits]
    return places, edits


def _check_owners(typed: TypedEdits, scene: Scene) -> None:
    paths: list[YamlPath] = [want.path for want in typed.wants] + [edit.inside or edit.path for edit in typed.edits]
    actions = scene.inquiry.policies.actions
    for path in paths:
        owner = actions.get(_FIELD_OWNERS.get((str(path[-2]), str(path[-1])), "") if len(path) > 1 else "")
        if owner is not None and not owner.enabled:
            raise Unprovable(f"the policy disables {owner.id}, whose field this is")


def _check_scope(scene: Scene, applications: Sequence[Application]) -> None:
    outside = sorted({app.name for app in applications if not scene.covers(app)})
    if outside:
        names = ", ".join(app.name for app in scene.scope[:8]) or "none"
        raise EditMistake(
            f"{', '.join(outside[:4])} has nothing to do with this incident as far as the facts say; in scope: {names}"
        )


def _reached(scene: Scene, edits: Sequence[Edit], title: str) -> tuple[Application, ...]:
    """Return the Applications that the edited files can change; one of them at least must be the incident's."""
    repository = scene.repository
    try:
        after = repository.with_changes(changes(edits, repository.read))
    except EditRefused as error:
        raise Unprovable(f"{title}: the edit was refused: {error}") from error
    reached = affected(repository, after)
    before = {app.key: app for app in repository.applications}
    known = [before.get(app.key, app) for app in reached]
    files = {edit.file for edit in edits}
    readers = [app for file in sorted(files) for app in scene.readers(file)]
    project_files = {file for file, _, _ in repository.projects}
    everything = tuple(dict.fromkeys([*known, *readers]))
    for file in sorted(files):
        own = [app for app in scene.readers(file) if scene.covers(app)]
        if not own and file not in project_files and not any(scene.covers(app) for app in known):
            _check_scope(scene, scene.readers(file) or known)
            raise EditMistake(f"{file} is read by no Application of this incident: locate tells which file is")
    return everything


def _is_seen(scene: Scene, proof: Proof, reached: tuple[Application, ...]) -> bool:
    """Return whether the rendered objects show the change; `Unprovable` where they should and do not."""
    if proof.differences:
        return True
    files = set(proof.files)
    if files & {file for file, _, _ in scene.repository.projects}:
        return True
    unseen = [
        app
        for app in reached
        if any(not problem.fault for problem in scene.repository.problems_of(app))
        or any(item.tracked == "unseen" for item in scene.repository.objects(app))
        or any(source.chart for source in app.sources)
    ]
    edits = proof.proposal.edits
    if not unseen and (_mends(scene, proof, reached) or sync_edits(edits)):
        return False
    if not unseen and revision_edits(edits):
        for edit in edits:
            check_revision(scene, edit, edit.value)
        return False
    if not unseen:
        raise Unprovable("nothing that Argo CD applies would change: the value is not read, or is set again elsewhere")
    check_unseen(scene, edits, unseen)
    return False


def _mends(scene: Scene, proof: Proof, reached: Sequence[Application]) -> bool:
    """Return whether an Application renders after the change that did not before, though its known objects stay the same."""
    faulty = [app for app in reached if any(problem.fault for problem in scene.repository.problems_of(app))]
    after = scene.repository.with_changes(proof.files) if faulty else scene.repository
    return any(
        (now := after.application(app.name)) is not None
        and not any(problem.fault for problem in after.problems_of(now))
        for app in faulty
    )


def describe(tried: TriedChange, scene: Scene) -> list[str]:
    """Return what a tried change does, a line each: files, the rendered difference, what else is affected."""
    own = {app.name for app in scene.inquiry.applications}
    lines = [f"{tried.id} passed the proof: located, edited, rendered, validated and allowed."]
    lines += [f"file {place.file} {format_path(place.inside or place.path)}" for place in tried.proposal.places]
    for change in tried.differences[:30]:
        field = f" {format_path(change.path)}" if change.path else ""
        sides = changed_part(change.before, change.after)
        before, after = (value_text(side) if change.path else _whole(side) for side in sides)
        lines.append(f"rendered {change.application}: {change.kind}/{change.name}{field}: {before} → {after}")
    if len(tried.differences) > 30:
        lines.append(f"… and {len(tried.differences) - 30} more differences")
    if not tried.seen:
        lines.append("No rendering shows its effect here: it can only become a draft.")
    others = sorted({change.application for change in tried.differences} - own)
    feeds = sorted({name for place in tried.proposal.places for name in place.also_feeds} - own)
    if also := sorted({*others, *feeds}):
        lines.append(f"It also affects {', '.join(also[:12])}.")
    if tried.proposal.remade:
        lines.append(f"Pods are recreated: {', '.join(tried.proposal.remade[:6])}.")
    return lines


def _whole(side: Any) -> str:
    return "absent" if side is MISSING else "present"
