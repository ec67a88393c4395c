"""Image references that cannot be pulled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import distance, is_typo, nearest, similarity
from remediator.remedies.views.image_reference import ImageReference


def correct_image(case: RemedyContext) -> Iterator[Fix]:
    """Correct a tag, name or registry to the one that was meant; the history is asked by the way of `accepts`."""
    failed = case.signals(*case.action.ends)
    for target, container, path in _containers(case, failed):
        present = str(container.get("image", ""))
        reference = ImageReference.parse(present)
        if present and _named_in(case, failed, reference, present):
            yield _fix(case, target, container, path, reference, failed)


def _containers(case: RemedyContext, failed: list[Evidence]) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    """The containers that the evidence names, else those that have the very image it names, else the only one."""
    images = {ImageReference.parse(text) for text in _images(failed)}
    for target in case.targets:
        every = [(body, path) for body, path, _ in target.manifest.containers()]
        named = [pair for pair in every if pair[0].get("name") == target.container]
        having = [
            pair
            for pair in every
            if any(_same(image, ImageReference.parse(str(pair[0].get("image", "")))) for image in images)
        ]
        chosen = [pair for pair in having if pair in named] or having or named or (every if len(every) == 1 else [])
        for body, path in chosen:
            yield target, body, path


def _fix(
    case: RemedyContext,
    target: Match,
    container: dict[str, Any],
    path: YamlPath,
    reference: ImageReference,
    failed: list[Evidence],
) -> Fix:
    present, name = str(container.get("image", "")), str(container.get("name", ""))
    signals = {one.signal for one in failed}
    refused = signals <= {"image_denied", "registry_unknown"}
    names = [name, target.manifest.name, target.application.name]
    new, why = (
        _corrected(case, target, reference, present, names, refused=refused)
        if signals != {"image_platform"}
        else ("", "it exists for other platforms only.")
    )
    return Fix(
        title=f"correct image of `{name}` from {present} to {new}" if new else f"restore image of `{name}`",
        reason=f"`{present}` cannot be pulled; {why}",
        evidence=case.cite(*failed),
        wants=(Want(target.application, target.manifest, (*path, "image"), new or present),),
        parameters={"container": name, "from": present, "to": new},
        score=0.65 if new else 0.0,
        accepts=lambda old: _would_do(str(old or ""), reference, refused=refused),
    )


def _would_do(old: str, present: ImageReference, *, refused: bool) -> bool:
    """Whether an older image would end it: any other, but where the registry refuses only one of another name.

    A login that no longer holds refuses every tag of a repository alike.
    """
    earlier = ImageReference.parse(old)
    if not old or _same(earlier, present):
        return False
    return not refused or earlier.full != present.full


def _images(evidence: Iterable[Evidence]) -> list[str]:
    """Images that the evidence names."""
    return list(
        dict.fromkeys(image for one in evidence for image in (one.facts.get("image", ""), one.subject.image) if image)
    )


def _named_in(case: RemedyContext, failed: list[Evidence], reference: ImageReference, present: str) -> bool:
    """Whether the evidence is about this very image: else the repository was changed since, or it is another one."""
    images = _images(failed) or _images(case.statements)
    if any(present and f'"{present}"' in one.text for one in failed):
        return True
    return not images or any(_same(ImageReference.parse(image), reference) for image in images)


def _same(a: ImageReference, b: ImageReference) -> bool:
    return (
        a.full == b.full
        and (a.tag or "latest") == (b.tag or "latest")
        and (not a.digest or not b.digest or a.digest == b.digest)
    )


def _known_references(case: RemedyContext, beside: Match | None = None) -> set[str]:
    """Every image that the rendered workloads use; `beside` an object only those of its Application and namespace."""
    return {
        str(container["image"])
        for application in ([beside.application] if beside else case.repository.applications)
        for manifest in case.repository.objects(application)
        if not beside or manifest.namespace == beside.manifest.namespace
        for container, _, _ in manifest.containers()
        if container.get("image")
    }


def _corrected(
    case: RemedyContext, target: Match, wrong: ImageReference, present: str, names: list[str], *, refused: bool
) -> tuple[str, str]:  # fmt: skip
    """The reference that was meant and why; where the registry refuses, only a slip in the name counts."""
    if spelt := _spelt_right(present):
        return spelt, f"`{spelt}` is how a reference is written."
    known = [ImageReference.parse(text) for text in sorted(_known_references(case) - {present})]
    siblings = [ImageReference.parse(text) for text in sorted(_known_references(case, target))]
    if not refused and (tag := _tag(wrong, known, siblings, _words(case, "tags"))):
        return str(
            ImageReference(wrong.registry, wrong.repository, tag, "")
        ), f"tag `{tag}` is one slip away or what its neighbours run."
    if case.signals("registry_unknown"):
        hosts = {other.registry for other in known if other.registry} | set(_words(case, "registries"))
        if wrong.registry not in hosts and (host := nearest(wrong.registry, hosts)):
            return str(
                ImageReference(host, wrong.repository, wrong.tag, wrong.digest)
            ), f"registry `{host}` is one slip away."
    near = [other for other in known if other.full != wrong.full and is_typo(wrong.full, other.full)]
    if near and not any(other.full == wrong.full for other in known):
        best = max(near, key=lambda other: similarity(wrong.full, other.full))
        return str(
            ImageReference(best.registry, best.repository, wrong.tag, wrong.digest)
        ), f"`{best.full}` is used elsewhere and one slip away."
    if repository := _repository(wrong, names, _words(case, "official")):
        return str(
            ImageReference(wrong.registry, repository, wrong.tag, wrong.digest)
        ), f"`{repository}` is one slip away."
    return "", "nothing in the repository says which image was meant."


def _words(case: RemedyContext, option: str) -> list[str]:
    value = case.action.options.get(option)
    return [str(word) for word in value] if isinstance(value, list) else []


def _tag(wrong: ImageReference, known: list[ImageReference], siblings: list[ImageReference], words: list[str]) -> str:
    """A well-formed spelling of the tag, one that is used and a slip away, or the one that all siblings have.

    Two versions that both are well formed differ for a reason, and other environments run other versions: there
    only the neighbours tell what was meant.
    """
    if spelt := _well_formed(wrong.tag):
        return spelt
    beside = dict.fromkeys(
        other.tag for other in siblings if other.full == wrong.full and other.tag not in ("", wrong.tag)
    )
    used = (
        {}
        if _VERSION.fullmatch(wrong.tag)
        else dict.fromkeys(other.tag for other in known if other.full == wrong.full and other.tag)
    )
    if tag := nearest(wrong.tag, beside | used):
        return tag
    if len(beside) == 1:
        return next(iter(beside))
    return _common_tag(wrong.tag, words)


_VERSION = re.compile(r"v?\d+(\.\d+)+")


def _well_formed(tag: str) -> str:
    """A tag that no publisher writes, in the form they do: `1.17.-0` → `1.17.0`, `v1..2` → `v1.2`, `1.2l.0` → `1.21.0`."""
    repaired = re.sub(r"[.\-_]*([.\-_])[.\-_]+(?=[0-9])", lambda found: "." if "." in found[0] else found[1], tag)
    repaired = re.sub(r"(?<=[\d.])[lI](?=[\d.]|$)", "1", re.sub(r"(?<=\d\.)[oO](?=\.|$)", "0", repaired)).strip(".-")
    return repaired if repaired != tag and re.fullmatch(r"v?\d+(\.\d+)+([-+.][\w.]+)?", repaired) else ""


def _common_tag(tag: str, words: list[str]) -> str:
    """`15-alpin` → `15-alpine`, `latset` → `latest`: one part is one slip away from just one word of tags."""
    parts = re.split(r"([-_])", tag)
    strange = [index for index, part in enumerate(parts) if re.fullmatch(r"[a-z]{4,}", part) and part not in words]
    if len(strange) != 1:
        return ""
    near = [word for word in words if distance(parts[strange[0]], word, bound=1) <= 1]
    return "".join([*parts[: strange[0]], near[0], *parts[strange[0] + 1 :]]) if len(near) == 1 else ""


def _repository(wrong: ImageReference, names: list[str], official: list[str]) -> str:
    """The name one slip away: that of an official image, or the workload's own."""
    folder, _, last = wrong.repository.rpartition("/")
    if wrong.full.startswith("docker.io/library/"):
        return "" if last in official else nearest(last, official)
    own = nearest(last, [name for name in dict.fromkeys(names) if name])
    return f"{folder}/{own}" if own and folder and distance(last, own, bound=2) <= 2 else ""


def _spelt_right(present: str) -> str:
    """A reference that breaks the grammar, written as it must have been meant; empty where it breaks none of it."""
    if (
        re.fullmatch(r"[a-z0-9][\w.:/@+-]*", present)
        and "::" not in present
        and not present.endswith(":")
        and "://" not in present
    ):
        head, _, tail = present.partition("@")[0].rpartition("/")
        if re.search(r"[A-Z]", head.partition("/")[2] + tail.partition(":")[0]):
            return _lower(present)
        return ""
    fixed = re.sub(r"^[a-z]+://", "", re.sub(r"\s+", "", present)).rstrip(":").replace("::", ":")
    return fixed if fixed != present and re.fullmatch(r"[a-z0-9][\w.:/@+-]*", fixed) else ""


def _lower(present: str) -> str:
    reference = ImageReference.parse(present)
    return str(ImageReference(reference.registry, reference.repository.lower(), reference.tag, reference.digest))
