"""Image references in their parts, as the distribution specification splits them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageReference:
    """An image reference in its parts, as the distribution spec splits it."""

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Return the reference for a text; parts that the text omits are empty."""
        name_and_tag, _, digest = text.partition("@")
        head, slash, tail = name_and_tag.partition("/")
        registry = head if slash and ("." in head or ":" in head or head == "localhost") else ""
        path = tail if registry else name_and_tag
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
        """Registry and repository, with Docker Hub's defaults filled in."""
        registry = self.registry or "docker.io"
        official = registry == "docker.io" and "/" not in self.repository
        return f"{registry}/{'library/' if official else ''}{self.repository}"
