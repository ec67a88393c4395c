"""Image references that cannot be pulled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from remediator.remedies.case import Case, Fix, Want
from remediator.remedies.names import is_typo, nearest, similarity


@dataclass(frozen=True)
class Reference:
    """An image reference in its parts, as the distribution spec splits it."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        rest, _, digest = text.partition("@")
        head, slash, tail = rest.partition("/")
        registry = head if slash and ("." in head or ":" in head or head == "localhost") else ""
        path = tail if registry else rest
        name, colon, tag = path.rpartition(":")
        if not colon or "/" in tag:
            name, tag = path, ""
        return cls(registry, name, tag, digest)

    def __str__(self) -> str:
        text = f"{self.registry}/{self.repository}" if self.registry else self.repository
        text += f":{self.tag}" if self.tag else ""
        return text + (f"@{self.digest}" if self.digest else "")

    @property
    def full(self) -> str:
        """Registry and repository, Docker Hub's defaults written out."""
        registry = self.registry or "docker.io"
        official = registry == "docker.io" and "/" not in self.repository
        return f"{registry}/{'library/' if official else ''}{self.repository}"


def correct_image(case: Case) -> Iterator[Fix]:
    """Correct a tag or name to the nearest that a sibling uses; the history is asked by the way of `accepts`."""
    failed = case.signals(*case.action.ends)
    for target, container, path in case.workloads():
        present = str(container.get("image", ""))
        reference = Reference.parse(present)
        if not present or not _named_in(case, reference):
            continue
        known = _known_references(case)
        new = _corrected(reference, known - {present})
        name = container.get("name", "")
        want = Want(target.application, target.manifest, (*path, "image"), new or present)
        yield Fix(
            title=f"correct image of `{name}` from {present} to {new}" if new else f"restore image of `{name}`",
            reason=f"`{present}` does not exist; `{new}` is what was meant: it is used elsewhere or is one slip away.",
            evidence=case.cite(*failed),
            wants=(want,),
            parameters={"container": name, "from": present, "to": new},
            score=0.65 if new else 0.0,
            accepts=lambda old, present=present: bool(old) and str(old) != present,
        )


def _named_in(case: Case, reference: Reference) -> bool:
    """Whether the evidence is about this very image: else the repository was changed since, or it is another one."""
    images = case.facts("image") + [one.subject.image for one in case.statements if one.subject.image]
    if not images:
        return True
    return any(_same(Reference.parse(image), reference) for image in images)


def _same(a: Reference, b: Reference) -> bool:
    return a.full == b.full and (a.tag or "latest") == (b.tag or "latest") and (not a.digest or not b.digest or a.digest == b.digest)


def _known_references(case: Case) -> set[str]:
    """Every image that the repository's rendered workloads use, those of the same Applications first."""
    return {
        str(container["image"])
        for application in case.repository.applications
        for manifest in case.repository.objects(application)
        for container, _, _ in manifest.containers()
        if container.get("image")
    }


def _corrected(wrong: Reference, known: set[str]) -> str:
    """The reference that was meant: same repository and a near tag, or a near repository that is in use."""
    references = [Reference.parse(text) for text in sorted(known)]
    same = [other for other in references if other.full == wrong.full and other.tag != wrong.tag and other.tag]
    if same:
        tags = dict.fromkeys(other.tag for other in same)
        if tag := nearest(wrong.tag, tags) or (next(iter(tags)) if len(tags) == 1 else ""):
            return str(Reference(wrong.registry, wrong.repository, tag, ""))
    if tag := _well_formed(wrong.tag):
        return str(Reference(wrong.registry, wrong.repository, tag, ""))
    near = [other for other in references if other.full != wrong.full and is_typo(wrong.full, other.full)]
    if near:
        best = max(near, key=lambda other: similarity(wrong.full, other.full))
        return str(Reference(best.registry, best.repository, wrong.tag, wrong.digest))
    return ""


def _well_formed(tag: str) -> str:
    """A tag that no publisher writes, in the form they do: `1.17.-0` → `1.17.0`, `v1..2` → `v1.2`."""
    repaired = re.sub(r"[.\-_]*([.\-_])[.\-_]+(?=[0-9])", lambda found: "." if "." in found[0] else found[1], tag)
    repaired = repaired.strip(".-")
    return repaired if repaired != tag and re.fullmatch(r"v?\d+(\.\d+)+([-+.][\w.]+)?", repaired) else ""
