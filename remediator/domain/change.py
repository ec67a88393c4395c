"""The values of a proposed change: places, edits, proposals and pull requests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from remediator.domain.base import Value
from remediator.domain.yaml_paths import YamlPath

Proof = Literal["direct", "proved", "read", "unproved"]
"""`direct`: the manifest itself holds the field. `proved`: a canary set there arrives in the rendered
field and nowhere else. `read`: found by reading templates or patches, not rendered. `unproved`: the
chart is not at hand, only an existing values key of that meaning."""
EditOperation = Literal["set", "insert", "delete", "append", "insert_item", "rename", "write", "remove"]


class Place(Value):
    """The position of a value: file, document and path, with the proof that it is the right one."""

    file: str
    """Relative to the checkout's root, POSIX separators."""
    document: int = 0
    path: YamlPath = ()
    inside: YamlPath = ()
    """A second path, inside the YAML text that the string at `path` holds."""
    value: Any = None
    exists: bool = True
    """False: the value must be inserted at `path`."""
    proof: Proof = "direct"
    why: str = ""
    also_feeds: tuple[str, ...] = ()
    """Names of other Applications that the same place feeds."""
    notes: tuple[str, ...] = ()
    """Facts a reviewer must know: an HPA owns replicas, ignoreDifferences hides the field …"""


class Edit(Value):
    """One edit, as data. `write` and `remove` are for whole files (a manifest that does not parse)."""

    op: EditOperation
    file: str
    document: int = 0
    path: YamlPath = ()
    inside: YamlPath = ()
    value: Any = None
    """New value; the new key for `rename`; the full text for `write`."""

    @classmethod
    def at(cls, place: Place, op: EditOperation, value: Any = None) -> Edit:
        """Return the edit of this place in its file."""
        return cls(op=op, file=place.file, document=place.document, path=place.path, inside=place.inside, value=value)


class Proposal(Value):
    """One way to end the incident: a typed action with its parameters, reasoned and located."""

    id: str
    """Unique within the incident: the action id, with `#2` … where an action is proposed twice."""
    action: str
    title: str
    """Imperative, lower case, fits behind `fix(scope): `."""
    parameters: dict[str, str] = Field(default_factory=dict)
    reason: str
    """The reason for this action and this value, in one or two sentences."""
    evidence_ids: tuple[str, ...]
    places: tuple[Place, ...] = ()
    edits: tuple[Edit, ...] = ()
    source: Literal["rules", "model", "reviewer"] = "rules"
    """The author of the change. A model's never merges by itself."""
    risk: Literal["low", "medium", "high"] = "medium"
    score: float = 0.0
    """Rank among alternatives, 0 to 1."""
    rendered: tuple[str, ...] = ()
    """The changes in the objects that Argo CD applies, a line each: `app: Kind/name path: old → new`."""
    remade: tuple[str, ...] = ()
    """Workloads, each `Kind/name`, whose pods the change recreates: their pod template changes."""
    history: tuple[str, ...] = ()
    """The history of the value, newest first: who set it when, and its value before."""
    policy: tuple[str, ...] = ()
    """The policy decisions in words: the bounds kept, whether it may merge by itself."""
    weakens: tuple[str, ...] = ()
    """One sentence for each protection that it lowers."""
    on_request: bool = False
    """True where it lowers a protection and nothing admits that: it is tried only where a person asks for it."""


class PullRequest(Value):
    """A pull request as the forge knows it; `number` 0 and `url` empty for a local one."""

    branch: str
    base: str
    title: str
    body: str
    head: str = ""
    """Commit id of the branch's head."""
    number: int = 0
    url: str = ""
    state: Literal["open", "merged", "closed"] = "open"
    merge_commit: str = ""
    note: str = ""
    """A note for its readers beside the body, for example why it does not merge by itself."""
