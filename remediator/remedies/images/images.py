"""Image references that cannot be pulled.

Which images exist is not asked of a registry. An image is corrected only towards one that the repository uses elsewhere,
or to a form that publishers use; otherwise only an older image from the history is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.image_reference import ImageReference
from remediator.remedies.engine.known_images import moved_image
from remediator.remedies.engine.spelling import distance, is_typo, nearest, similarity


def correct_image(case: RemedyContext) -> Iterator[Fix]:
    """Correct a tag, name or registry to the intended one; `accepts` tells which older images would do as well."""
    failed = case.signals(*case.action.ends)
    for target, container, path in _failing_containers(case, failed):
        image = str(container.get("image", ""))
        reference = ImageReference.parse(image)
        if image and _is_about(case, failed, reference, image):
            yield _image_fix(case, target, container, path, reference, failed)


def _failing_containers(
    case: RemedyContext, failed: Sequence[Evidence]
) -> Iterator[tuple[Match, dict[str, Any], YamlPath]]:
    """Yield the containers with the named image, else the named containers, else the only one."""
    images = {ImageReference.parse(text) for text in _named_images(failed)}
    for target in case.targets:
        containers = [(body, path) for body, path, _ in target.manifest.containers()]
        by_name = [pair for pair in containers if pair[0].get("name") == target.container]
        by_image = [
            pair
            for pair in containers
            if any(_is_same_image(image, ImageReference.parse(str(pair[0].get("image", "")))) for image in images)
        ]
        chosen = (
            [pair for pair in by_image if pair in by_name]
            or by_image
            or by_name
            or (containers if len(containers) == 1 else [])
        )
        for body, path in chosen:
            yield target, body, path


def _image_fix(
    case: RemedyContext,
    target: Match,
    container: dict[str, Any],
    path: YamlPath,
    reference: ImageReference,
    failed: Sequence[Evidence],
) -> Fix:
    image, name = str(container.get("image", "")), str(container.get("name", ""))
    signals = {piece.signal for piece in failed}
    refused = signals <= {"image_denied", "registry_unknown"}
    names = [name, target.manifest.name, target.application.name]
    new, why = (
        _intended_image(case, target, reference, image, names, refused=refused)
        if signals != {"image_platform"}
        else ("", "it exists for other platforms only.")
    )
    return Fix(
        title=f"correct image of `{name}` from {image} to {new}" if new else f"restore image of `{name}`",
        reason=f"`{image}` cannot be pulled; {why}",
        evidence=case.cite(*failed),
        wants=(Want.of(target, (*path, "image"), new or image),),
        parameters={"container": name, "from": image, "to": new},
        score=0.65 if new else 0.0,
        accepts=lambda old: _accepts_image(str(old or ""), reference, refused=refused),
    )


def _accepts_image(old: str, current: ImageReference, *, refused: bool) -> bool:
    """Return True for an older image that would end the incident.

    Where the registry refuses the login, only an image of another repository does: every tag is refused alike.
    """
    earlier = ImageReference.parse(old)
    if not old or _is_same_image(earlier, current):
        return False
    return not refused or earlier.full != current.full


def _named_images(evidence: Iterable[Evidence]) -> list[str]:
    """Return the images that the evidence names."""
    return list(
        dict.fromkeys(
            image for piece in evidence for image in (piece.facts.get("image", ""), piece.subject.image) if image
        )
    )


def _is_about(case: RemedyContext, failed: Sequence[Evidence], reference: ImageReference, spelling: str) -> bool:
    """Return True where the evidence is about this image; otherwise the repository was changed since."""
    images = _named_images(failed) or _named_images(case.statements)
    if any(spelling and f'"{spelling}"' in piece.text for piece in failed):
        return True
    return not images or any(_is_same_image(ImageReference.parse(image), reference) for image in images)


def _is_same_image(a: ImageReference, b: ImageReference) -> bool:
    return (
        a.full == b.full
        and (a.tag or "latest") == (b.tag or "latest")
        and (not a.digest or not b.digest or a.digest == b.digest)
    )


def _used_images(case: RemedyContext, beside: Match | None = None) -> set[str]:
    """Return every image of the rendered workloads; with `beside`, only those of its Application and namespace."""
    return {
        str(container["image"])
        for application in ([beside.application] if beside else case.repository.applications)
        for manifest in case.repository.objects(application)
        if not beside or manifest.namespace == beside.manifest.namespace
        for container, _, _ in manifest.containers()
        if container.get("image")
    }


def _intended_image(
    case: RemedyContext, target: Match, wrong: ImageReference, spelling: str, names: list[str], *, refused: bool
) -> tuple[str, str]:  # fmt: skip
    """Return the intended reference and the reason; where the registry refuses access, only typos in the name count."""
    if valid := _valid_spelling(spelling):
        return valid, f"`{valid}` is how a reference is written."
    if not refused and (moved := moved_image(case, spelling)):
        return moved, "its publisher has moved it there."
    used = [ImageReference.parse(text) for text in sorted(_used_images(case) - {spelling})]
    siblings = [ImageReference.parse(text) for text in sorted(_used_images(case, target))]
    if not refused and (tag := _intended_tag(wrong, used, siblings, _option_words(case, "tags"))):
        return str(
            ImageReference(wrong.registry, wrong.repository, tag, "")
        ), f"tag `{tag}` is one slip away or what its neighbours run."
    if case.signals("registry_unknown"):
        hosts = {candidate.registry for candidate in used if candidate.registry} | set(
            _option_words(case, "registries")
        )
        if wrong.registry not in hosts and (host := nearest(wrong.registry, hosts)):
            return str(
                ImageReference(host, wrong.repository, wrong.tag, wrong.digest)
            ), f"registry `{host}` is one slip away."
    near = [candidate for candidate in used if candidate.full != wrong.full and is_typo(wrong.full, candidate.full)]
    if near and not any(candidate.full == wrong.full for candidate in used):
        best = max(near, key=lambda candidate: similarity(wrong.full, candidate.full))
        return str(
            ImageReference(best.registry, best.repository, wrong.tag, wrong.digest)
        ), f"`{best.full}` is used elsewhere and one slip away."
    if repository := _intended_repository(wrong, names, _option_words(case, "official")):
        return str(
            ImageReference(wrong.registry, repository, wrong.tag, wrong.digest)
        ), f"`{repository}` is one slip away."
    return "", "nothing in the repository says which image was meant."


def _option_words(case: RemedyContext, option: str) -> list[str]:
    value = case.action.options.get(option)
    return [str(word) for word in value] if isinstance(value, list) else []


def _intended_tag(
    wrong: ImageReference, used: list[ImageReference], siblings: list[ImageReference], words: list[str]
) -> str:
    """Return a well-formed spelling of the tag, else a used tag one slip away, else the tag of all siblings.

    Two well-formed versions differ for a reason, and other environments run other versions: for a version only the
    siblings of the same Application and namespace tell the intended tag.
    """
    if valid := _well_formed(wrong.tag):
        return valid
    sibling_tags = dict.fromkeys(
        candidate.tag for candidate in siblings if candidate.full == wrong.full and candidate.tag not in ("", wrong.tag)
    )
    candidates = (
        {}
        if _VERSION.fullmatch(wrong.tag)
        else dict.fromkeys(candidate.tag for candidate in used if candidate.full == wrong.full and candidate.tag)
    )
    if tag := nearest(wrong.tag, sibling_tags | candidates):
        return tag
    if len(sibling_tags) == 1:
        return next(iter(sibling_tags))
    return _common_tag(wrong.tag, words)


_VERSION = re.compile(r"v?\d+(\.\d+)+")


def _well_formed(tag: str) -> str:
    """Return a malformed tag in the form that publishers use: `1.17.-0` → `1.17.0`, `v1..2` → `v1.2`, `1.2l.0` → `1.21.0`."""
    repaired = re.sub(r"[.\-_]*([.\-_])[.\-_]+(?=[0-9])", lambda match: "." if "." in match[0] else match[1], tag)
    repaired = re.sub(r"(?<=[\d.])[lI](?=[\d.]|$)", "1", re.sub(r"(?<=\d\.)[oO](?=\.|$)", "0", repaired)).strip(".-")
    return repaired if repaired != tag and re.fullmatch(r"v?\d+(\.\d+)+([-+.][\w.]+)?", repaired) else ""


def _common_tag(tag: str, words: list[str]) -> str:
    """Return `15-alpine` for `15-alpin`: one part is one slip away from just one common word of tags."""
    parts = re.split(r"([-_])", tag)
    unknown = [index for index, part in enumerate(parts) if re.fullmatch(r"[a-z]{4,}", part) and part not in words]
    if len(unknown) != 1:
        return ""
    near = [word for word in words if distance(parts[unknown[0]], word, bound=1) <= 1]
    return "".join([*parts[: unknown[0]], near[0], *parts[unknown[0] + 1 :]]) if len(near) == 1 else ""


def _intended_repository(wrong: ImageReference, names: list[str], official: list[str]) -> str:
    """Return the repository one slip away: that of an official image, or the workload's own name."""
    folder, _, last = wrong.repository.rpartition("/")
    if wrong.full.startswith("docker.io/library/"):
        return "" if last in official else nearest(last, official)
    own_name = nearest(last, [name for name in dict.fromkeys(names) if name])
    return f"{folder}/{own_name}" if own_name and folder and distance(last, own_name, bound=2) <= 2 else ""


def _valid_spelling(spelling: str) -> str:
    """Return a reference that breaks the grammar in its valid form; empty where it breaks none of it."""
    if (
        re.fullmatch(r"[a-z0-9][\w.:/@+-]*", spelling)
        and "::" not in spelling
        and not spelling.endswith(":")
        and "://" not in spelling
    ):
        head, _, tail = spelling.partition("@")[0].rpartition("/")
        if re.search(r"[A-Z]", head.partition("/")[2] + tail.partition(":")[0]):
            return _lowercase_repository(spelling)
        return ""
    fixed = re.sub(r"^[a-z]+://", "", re.sub(r"\s+", "", spelling)).rstrip(":").replace("::", ":")
    return fixed if fixed != spelling and re.fullmatch(r"[a-z0-9][\w.:/@+-]*", fixed) else ""


def _lowercase_repository(spelling: str) -> str:
    reference = ImageReference.parse(spelling)
    return str(ImageReference(reference.registry, reference.repository.lower(), reference.tag, reference.digest))
