"""Judge what a fix does to the rendered objects: refuse it, admit it, or leave it to a person who asks for it.

The files do not matter here: a list, a template or a text that did not parse before is judged by the objects that come
of it. Where the objects cannot be seen, the text is judged as if it were one; what cannot be told is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import ndiff
from typing import Any

from remediator.domain.incident import Evidence, is_log
from remediator.domain.yaml_paths import MISSING
from remediator.gitops import ObjectChange, Repository
from remediator.policy.effect import FieldChange, Weakening, field_changes, touched, weakenings
from remediator.remedies.engine.allowances import allowance
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.engine.known_images import check_image
from remediator.remedies.engine.object_effects import ObjectEffect, object_effects, read_or_none
from remediator.remedies.engine.unprovable import UnconfirmedWord, Unprovable

PLATFORM_CHANNELS = frozenset({"event", "status", "sync", "alert"})
"""Where the API server, the kubelet, the scheduler, a controller or Argo CD speaks; all others are a container's words."""
RUN_ONCE = ("argocd.argoproj.io/hook", "helm.sh/hook")


@dataclass(frozen=True)
class EffectRuling:
    """What a fix lowers, and on which ground it may be proposed all the same."""

    weakens: tuple[str, ...] = ()
    """One sentence for each protection that is lowered."""
    grounds: tuple[str, ...] = ()
    """Why these are admitted, for the reviewer; empty where a person must ask for them."""
    on_request: bool = False
    """True where a person must ask for it."""
    hardening: bool = False
    """True where a protection against attackers is lowered."""


def judge_effect(
    case: RemedyContext,
    fix: Fix,
    after: Repository,
    differences: Sequence[ObjectChange],
    files: Mapping[str, bytes | None],
) -> EffectRuling:
    """Return the ruling on a change; raise `Unprovable` where nobody may have it."""
    effects = list(object_effects(case.repository, after, differences, files))
    added = _added_words(case.repository, files)
    for effect in effects:
        changes = field_changes(effect.before, effect.after)
        _check_kinds(case, fix, effect)
        _check_bounded(case, fix, effect, changes)
        _check_run_once(effect, changes, effects)
        if not effect.reappears:
            check_image(case, fix, changes, effect.label, tuple(files))
            _check_speaker(case, fix, effect, changes)
    lowered = [
        (effect, weakening)
        for effect in effects
        for weakening in weakenings(effect.before, effect.after, case.policies.weakening)
        if not effect.reappears or _is_of(weakening, added)
    ]
    return _ruling(case, fix, lowered)


def _ruling(case: RemedyContext, fix: Fix, lowered: Iterable[tuple[ObjectEffect, Weakening]]) -> EffectRuling:
    sentences: dict[str, str] = {}
    hardening = False
    for effect, weakening in lowered:
        rule = case.policies.weakening.rules[weakening.rule]
        if any(piece.signal in rule.void_after for piece in case.diagnosis.evidence):
            continue  # what stands there never ran, so nothing is lowered
        hardening = hardening or rule.hardening
        field = weakening.change.path.partition(":")[2]
        sentence = f"{effect.label} {field}: {weakening.why}"
        sentences[sentence] = allowance(case, effect, weakening) or _restores(case, fix, weakening, rule.named_by)
    grounds = tuple(dict.fromkeys(ground for ground in sentences.values() if ground))
    return EffectRuling(tuple(sentences), grounds, not all(sentences.values()), hardening)


def _restores(case: RemedyContext, fix: Fix, weakening: Weakening, named_by: str) -> str:
    """Return the ground for a weakening that takes back a recent commit and that the platform names; else nothing."""
    if not fix.rollback or not named_by:
        return ""
    before = "" if weakening.change.before is MISSING else str(weakening.change.before)
    key = re.split(r"[.:\]]", weakening.change.path.partition("=")[0])[-1]
    block = (re.findall(r"(liveness|readiness|startup)Probe", weakening.change.path) or [""])[-1]
    pattern = (
        named_by.replace("{before}", re.escape(before))
        .replace("{key}", re.escape(key))
        .replace("{block}", block or "no such")
    )
    if any(re.search(pattern, text) for text in platform_texts(case)):
        return "restores what ran before a recent commit; the platform names this field"
    return ""


def platform_texts(case: RemedyContext) -> Iterator[str]:
    """Yield what the platform says, and the image that it shows of the container that it speaks about."""
    for piece in case.statements:
        if _is_platform(piece):
            yield f"{piece.reason} {piece.text} {piece.subject.image}"


def _added_words(repository: Repository, files: Mapping[str, bytes | None]) -> frozenset[str]:
    """Return the words that a change adds to the texts: what reappears with an old text was reviewed before."""
    words: set[str] = set()
    for file, text in files.items():
        old = (read_or_none(repository, file) or b"").decode("utf-8", "replace").splitlines()
        lines = list(ndiff(old, (text or b"").decode("utf-8", "replace").splitlines()))
        added, removed = (
            {word for line in lines if line.startswith(sign) for word in re.findall(r"[\w-]+", line[2:])}
            for sign in ("+ ", "- ")
        )
        words |= added - removed
    return frozenset(words)


def _is_of(weakening: Weakening, words: frozenset[str]) -> bool:
    """Return True where a lowered protection of a reappearing object stands in the lines that the change adds."""
    return bool(set(re.findall(r"[\w-]+", re.split(r"[\]:]", weakening.change.path)[-1])) & words)


def _check_kinds(case: RemedyContext, fix: Fix, effect: ObjectEffect) -> None:
    """Raise where a kind is made or deleted that no fix may make; what a recent commit deleted may come back."""
    if effect.kind not in case.policies.weakening.unmade_kinds or fix.rollback or effect.reappears:
        return
    if effect.before is None or effect.after is None:
        verb = "made" if effect.before is None else "deleted"
        raise Unprovable(f"{fix.title}: a {effect.kind} is {verb} by a person alone (unmade_kinds)")


def _check_bounded(case: RemedyContext, fix: Fix, effect: ObjectEffect, changes: Sequence[FieldChange]) -> None:
    """Raise where a source, destination, project or secret gets what the repository has never had."""
    fields = case.policies.weakening.bounded
    for name, change in touched(changes, fields):
        value = change.path.partition("=")[2] if "=" in change.path else change.after
        if effect.before is None or effect.after is None or value is MISSING or change.after is MISSING:
            continue
        if "*" in str(value):
            raise Unprovable(f"{fix.title}: {fields[name].what} of {effect.label} is not widened by a wildcard")
        if name == "secret" or not (fix.rollback or _stands_elsewhere(case, value)):
            raise Unprovable(f"{fix.title}: {fields[name].what} of {effect.label} stays within what the repository has")


def _stands_elsewhere(case: RemedyContext, value: Any) -> bool:
    """Return True where an Application, a project or a Namespace of the repository has the value already."""
    text = str(value)
    bodies: list[Mapping[str, Any]] = [app.body for app in case.repository.applications]
    bodies += [body for _, _, body in case.repository.projects]
    words = {str(leaf) for body in bodies for leaf in _leaves(body)}
    names = {
        manifest.name
        for target in case.targets
        for manifest in case.repository.objects(target.application)
        if manifest.kind == "Namespace"
    }
    return text in words | names


def _leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        for value in node.values():
            yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    else:
        yield node


def _check_run_once(effect: ObjectEffect, changes: Sequence[FieldChange], effects: Sequence[ObjectEffect]) -> None:
    """Raise where the template of an object that runs once changes together with others that use the same value."""
    if not is_run_once(effect.kind, effect.before) or effect.after is None or effect.reappears:
        return
    others = [other for other in effects if other is not effect and other.kind not in ("", "Application")]
    if others and any(":spec.template" in change.path for change in changes):
        names = ", ".join(other.label for other in others[:3])
        raise Unprovable(f"{effect.label} runs once, and the value is used by others too ({names})")


def is_run_once(kind: str, body: Mapping[str, Any] | None) -> bool:
    """Return True for a Job, and for an object that Argo CD or Helm runs as a hook."""
    metadata = (body or {}).get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return kind == "Job" or (isinstance(annotations, Mapping) and any(name in annotations for name in RUN_ONCE))


def _check_speaker(case: RemedyContext, fix: Fix, effect: ObjectEffect, changes: Sequence[FieldChange]) -> None:
    """Raise where only a container's log asks for an image, a permission, a policy or a security setting to change."""
    fields = case.policies.weakening.confirmed
    groups = dict.fromkeys(name for name, _ in touched(changes, fields))
    if not groups or fix.relation or any(_is_platform(piece) for piece in _cited(case, fix)):
        return
    allowed = [
        allowance(case, effect, weakening)
        for weakening in weakenings(effect.before, effect.after, case.policies.weakening)
    ]
    if not allowed or not all(allowed):
        what = " and ".join(fields[name].what for name in groups)
        raise UnconfirmedWord(f"{fix.title}: {what} is not changed on a log's word alone")


def _cited(case: RemedyContext, fix: Fix) -> list[Evidence]:
    return [piece for piece in case.diagnosis.evidence if piece.id in fix.evidence]


def _is_platform(piece: Evidence) -> bool:
    return piece.channel in PLATFORM_CHANNELS and not is_log(piece.speaker)
