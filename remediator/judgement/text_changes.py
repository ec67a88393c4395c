"""Find what recent commits changed in the texts of one Application, also where no tool can render what it does.

A chart that is not in the repository hides which rendered field a value reaches. What is still known: the value stands
in the Application's own text or in a values file that only it reads, a commit changed it shortly before the incident,
and it reads today as that commit left it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.domain.yaml_paths import YamlPath
from remediator.errors import ConfigError
from remediator.gitops import Application, Repository, history, yamlread
from remediator.gitops.history import Commit
from remediator.policy.leaves import documents
from remediator.remedies.rollback.differences import Difference, changed_places, differences

COMMITS = 12
"""Commits that are looked at; what is older has proved that it works."""
FILES = 40
"""A commit of more files than these is an import or a move, not a slip in one value."""
CHANGES = 40
"""Differences of one commit that are looked at."""


@dataclass(frozen=True)
class TextChange:
    """One value that a commit changed and that still reads as the commit left it."""

    commit: Commit
    age: int
    """Commits that touched the Application since."""
    file: str
    document: int
    difference: Difference
    """Its path lies inside the string at `string` where that is not empty."""
    string: YamlPath = ()
    """Path of a string that holds YAML; empty where the difference lies in the document itself."""

    @property
    def full_path(self) -> YamlPath:
        """Return the path from the document's root, through a string that holds YAML."""
        return (*self.string, *self.difference.path)

    def revert(self) -> Edit:
        """Return the edit that takes it back."""
        edit = self.difference.revert(self.file, self.document)
        return edit.model_copy(update={"path": self.string, "inside": edit.path}) if self.string else edit

    def place(self) -> Place:
        """Return where it stands, matched by the commit and not by rendering."""
        path = {"path": self.string, "inside": self.difference.path} if self.string else {"path": self.difference.path}
        return Place(
            file=self.file, document=self.document, value=self.difference.new, exists=self.difference.op != "removed",
            proof="unproved", why="matched by evidence: the commit changed it here", **path,
        )  # fmt: skip


def text_changes(repository: Repository, application: Application, until: str = "") -> Iterator[TextChange]:
    """Yield what the newest commits changed in the Application's own texts, the newest first."""
    files_read = own_files(repository, application)
    age = 0
    for commit in history.recent(repository.root, limit=COMMITS, until=until):
        files = [file for file in commit.files if file in files_read and file.endswith((".yaml", ".yml"))]
        if not files:
            continue
        if len(commit.files) <= FILES:
            changes = [change for file in files for change in _of_file(repository, application, commit, age, file)]
            yield from changes[:CHANGES]
        age += 1


def own_files(repository: Repository, application: Application) -> frozenset[str]:
    """Return the files of the checkout that the Application reads, its own text included.

    A values file `$name/path` counts where it lies at that path here: whose repository the reference means cannot
    always be told from a clone, and a file of that very path is seldom another's.
    """
    files = {application.file, *repository.files_of(application)}
    for source in application.sources:
        for entry in source.options("helm").get("valueFiles") or ():
            name = str(entry).partition("/")[2] if str(entry).startswith("$") else ""
            if name and repository.store.is_file(name):
                files.add(name)
    return frozenset(files - {""})


def _of_file(
    repository: Repository, application: Application, commit: Commit, age: int, file: str
) -> Iterator[TextChange]:
    old_value, after = history.files_at(repository.root, [(f"{commit.commit}^", file), (commit.commit, file)])
    older, newer = documents(old_value), documents(after)
    try:
        current = documents(repository.read(file))
    except ConfigError:
        return
    if older is None or newer is None or current is None or not (len(older) == len(newer) == len(current)):
        return
    for index, (old, new, now) in enumerate(zip(older, newer, current, strict=True)):
        if old == new or (file == application.file and index != application.document):
            continue
        commit_differences = [difference for difference, _ in _nested(old, new)]
        for difference, string in _nested(old, now):
            if any(_is_same(difference, counterpart) for counterpart in commit_differences):
                yield TextChange(commit, age, file, index, difference, string)


def _nested(old: Any, new: Any) -> Iterator[tuple[Difference, YamlPath]]:
    """Yield all differences; of two strings that both hold a YAML mapping, the differences inside them."""
    for difference in differences(old, new):
        old_value, after = _embedded(difference.old), _embedded(difference.new)
        if difference.op == "changed" and old_value is not None and after is not None:
            yield from ((part, difference.path) for part in differences(old_value, after))
        else:
            yield from ((place, ()) for place in changed_places(difference))


def _embedded(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, str) or "\n" not in value or ":" not in value:
        return None
    return yamlread.single_mapping(value)


def _is_same(difference: Difference, counterpart: Difference) -> bool:
    """Return True where a commit made this difference; of a text, where it changed the same lines to the same."""
    ours, theirs = (item.part or (item.old, item.new) for item in (difference, counterpart))
    return (difference.op, difference.label, ours, difference.path[:-1]) == (
        counterpart.op, counterpart.label, theirs, counterpart.path[:-1],
    )  # fmt: skip


IMAGE_KEYS = frozenset({"image", "repository", "tag", "digest", "registry", "name", "newTag", "newName"})


def together(changes: list[TextChange]) -> list[tuple[TextChange, ...]]:
    """Group changes of one commit that are one value: an image's parts, and the same slip in several places."""
    groups: list[list[TextChange]] = []
    for change in changes:
        for group in groups:
            if any(_belong(change, counterpart) for counterpart in group):
                group.append(change)
                break
        else:
            groups.append([change])
    return [tuple(group) for group in groups]


def _belong(change: TextChange, counterpart: TextChange) -> bool:
    if (change.commit, change.file, change.document, change.string) != (
        counterpart.commit,
        counterpart.file,
        counterpart.document,
        counterpart.string,
    ):
        return False
    first, second = change.difference, counterpart.difference
    if {first.op, second.op} == {"added", "removed"}:
        return first.label == second.label  # an entry that was moved from one list to another
    if first.path[:-1] == second.path[:-1] and {str(first.path[-1]), str(second.path[-1])} <= IMAGE_KEYS:
        return True
    same_slip = (first.op, first.old, first.new) == (second.op, second.old, second.new) and first.op == "changed"
    same_key = str(first.path[-1]) == str(second.path[-1]) and first.path[:-3] == second.path[:-3]
    return same_slip and same_key and len(first.path) > 3
