"""What may be changed where no rendering shows it: values of a chart that is not at hand, and the revision of a source.

Nothing of it is ever more than a draft. What could lower a protection there is refused by its words, since the object
that would show it is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import MISSING, YamlPath, format_path, get, leaves
from remediator.gitops import Application, Repository, history, yamlread
from remediator.judgement.model.facts import mentions
from remediator.judgement.model.scene import Scene
from remediator.judgement.model.texts import value_text
from remediator.remedies.engine.image_reference import ImageReference
from remediator.remedies.engine.known_images import moved_image
from remediator.remedies.engine.unprovable import Unprovable

_FREE_FORM = frozenset(
    {
        "annotations", "labels", "podAnnotations", "podLabels", "commonAnnotations", "commonLabels", "env", "extraEnv", "extraEnvVars",
        "envVars", "environment", "nodeSelector", "serviceAccountAnnotations",
    }
)  # fmt: skip
"""Mappings and lists that charts copy as they are, so that an entry of any name reaches the object."""
_GUARDED = frozenset(
    {
        "admin", "anonymous", "apparmor", "auth", "authentication", "authorization", "capabilities",
        "credential", "credentials", "deploy", "hook", "hooks", "insecure", "lifecycle", "manifests", "objects", "passwd",
        "password", "privileged", "rbac", "role", "roles", "rules", "scc", "seccomp", "secret", "secrets",
        "security", "sidecar", "sidecars", "sudo", "tls", "token", "tokens", "webhook", "webhooks",
    }
)  # fmt: skip
"""Words of a key that may stand for a protection, a secret or an object of any kind."""
_GUARDED_KEYS = re.compile(
    r"(?i)^(host(Network|PID|IPC|Path|Port|Aliases)|externalIPs|loadBalancer\w*|nodePort|service\.type|init_?containers|"
    r"extra_?(init_?)?containers|extra_?volumes|containers|(api|private|access|encryption)_?key)$"
)
_GUARDED_VALUES = re.compile(
    r"(?i)insecure|skip[-_]?(tls[-_]?)?verify|privileged|anonymous|(disable|no|without)[-_]?\w*(auth|tls)"
)
_HARMLESS = frozenset({"fsGroup", "fsGroupChangePolicy"})
_NAMING_KEYS = frozenset({"image", "repository", "registry", "imageregistry", "repourl", "hub", "chart"})
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?([^/:\s]+)|^(?:[\w-]+\.)+[a-z]{2,}(?=[:/]|$)", re.IGNORECASE)
_SYNC_OPTIONS = frozenset(
    {
        "CreateNamespace=true", "ServerSideApply=true", "SkipDryRunOnMissingResource=true", "RespectIgnoreDifferences=true",
        "ApplyOutOfSyncOnly=true", "PruneLast=true", "FailOnSharedResource=true",
    }
)  # fmt: skip
"""Options that neither leave a check out nor delete anything more."""
_REVISION = ("targetRevision",)


def check_unseen(scene: Scene, edits: Sequence[Edit], unseen: Sequence[Application]) -> None:
    """Raise `Unprovable` where a change of what is not rendered could do more than its words say."""
    for edit in edits:
        for path, value, is_new in put_values(scene.repository, edit):
            _check_named(scene, path, value)
            if path[-1:] == _REVISION:
                check_revision(scene, edit, value)
            elif is_new and not any(str(step) in _FREE_FORM for step in path[:-1]):
                _check_new_key(scene, path, value, unseen)


def check_revision(scene: Scene, edit: Edit, value: Any) -> None:
    """Raise where neither another source, nor the history of the place, nor the facts know a revision."""
    known = {source.revision for app in scene.repository.applications for source in app.sources}
    place = _place(edit)
    known |= {str(change.old) for change in history.changes(scene.repository.root, place, limit=20).changes}
    if str(value) not in known and not mentions(scene.facts.text, str(value)):
        raise Unprovable(f"no source, no earlier value and no fact knows the revision {value_text(value, 60)}")


def revision_edits(edits: Sequence[Edit]) -> bool:
    """Return whether every edit sets the revision of a source, which shows in no object of this checkout."""
    return bool(edits) and all(edit.op == "set" and (edit.inside or edit.path)[-1:] == _REVISION for edit in edits)


def sync_edits(edits: Sequence[Edit]) -> bool:
    """Return whether the edits only add options of a sync that weaken no check; they show in the Application alone."""
    pairs = [
        (path, value)
        for edit in edits
        for base in [edit.inside or edit.path]
        for path, value in (
            [(base, edit.value)] if not isinstance(edit.value, dict | list) else _under(base, edit.value)
        )
    ]
    return (
        bool(pairs)
        and all(edit.op in ("set", "insert", "append") for edit in edits)
        and all("syncOptions" in path and str(value) in _SYNC_OPTIONS for path, value in pairs)
    )


def _under(base: YamlPath, value: Any) -> list[tuple[YamlPath, Any]]:
    return [((*base, *at), leaf) for at, leaf in leaves(value)]


def put_values(repository: Repository, edit: Edit) -> Iterator[tuple[YamlPath, Any, bool]]:
    """Yield each scalar that an edit puts into a file: its path, the value, and True where its key was not there."""
    path = edit.inside or edit.path
    if edit.op == "rename":
        yield (*path[:-1], str(edit.value)), None, True
    if edit.op not in ("set", "insert", "insert_item", "append"):
        return
    old = _old(repository, edit) if edit.op == "set" else MISSING
    known = {at for at, _ in leaves(old)} if old is not MISSING else set()
    for at, value in leaves(edit.value):
        yield (*path, *at), value, at not in known


def _old(repository: Repository, edit: Edit) -> Any:
    documents = yamlread.documents(repository.read(edit.file))
    old = get(documents[edit.document], edit.path) if edit.document < len(documents) else MISSING
    if edit.inside and isinstance(old, str):
        old = get((yamlread.documents(old) or [None])[0], edit.inside)
    return old


def _place(edit: Edit) -> Place:
    return Place(file=edit.file, document=edit.document, path=edit.path, inside=edit.inside)


def _check_new_key(scene: Scene, path: YamlPath, value: Any, unseen: Sequence[Application]) -> None:
    names = [str(step) for step in path if isinstance(step, str)]
    words = {word.lower() for name in names[-3:] for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}
    guarded = sorted(words & _GUARDED) or [name for name in (*names, ".".join(names[-2:])) if _GUARDED_KEYS.match(name)]
    if names[-1:] and names[-1] in _HARMLESS:
        guarded = []
    if guarded or _GUARDED_VALUES.search(str(value)):
        raise Unprovable(
            f"the chart of {unseen[0].name} is not at hand, and {format_path(path)} may lower a protection there"
            f" ({guarded[0] if guarded else value_text(value, 40)}): only a value that exists can be changed"
        )
    for match in _HOST.finditer(str(value)):
        host = match[1] or match[0]
        if not history.ever_had(scene.repository.root, host):
            raise Unprovable(f"this repository has never had the host {host[:80]}, and no rendering shows its use")


def _check_named(scene: Scene, path: YamlPath, value: Any) -> None:
    """Raise where an image, a registry or a source gets a name that the repository has never had."""
    names = [str(step).lower() for step in path if isinstance(step, str)]
    if not names or names[-1] not in _NAMING_KEYS or not isinstance(value, str) or not value:
        return
    name = value.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    if not history.ever_had(scene.repository.root, name) and name not in _moved_names(scene):
        raise Unprovable(
            f"this repository has never had {names[-1]} {value_text(name, 80)}, and no rendering shows its use"
        )


def _moved_names(scene: Scene) -> set[str]:
    """Return the names, with and without their registry, that publishers gave to the images of the facts."""
    context = scene.inquiry.context("investigated_change")
    images = {piece.subject.image for piece in context.statements} | {
        piece.facts.get("image", "") for piece in context.statements
    }
    moved = [ImageReference.parse(name) for image in images if image and (name := moved_image(context, image))]
    return {name for item in moved for name in (item.full, item.full.partition("/")[2])}
