"""Incidents that were written before anyone looked at how the rules read them: one YAML file each, with its repository."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).parent
"""The folder that holds a folder per batch."""
NEWEST = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
"""When the newest commit of each incident's repository was made, unless it says how many days ago."""
_GIT = ("git", "-c", "user.name=ops", "-c", "user.email=ops@example.com", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class FieldIncident:
    """One incident: what came in, the repository with its history, and which edits end it."""

    name: str
    batch: str
    title: str
    source: str
    """Where the facts come from: an address or the title of a document."""
    kind: str
    fixable: bool
    categories: tuple[str, ...]
    """Categories that are right, the best first."""
    severities: tuple[str, ...]
    applications: tuple[str, ...]
    commits: tuple[dict[str, Any], ...]
    inputs: tuple[tuple[str, str], ...]
    """Name and text of each input."""
    expected: tuple[tuple[dict[str, Any], ...], ...]
    """Alternatives; each is a tuple of checks that must all hold (see `scoring`)."""
    reference: tuple[dict[str, Any], ...]
    """One right change as texts to replace; it shows that the checks can be met."""
    reason: str
    """Why no change of the repository is right, where none is."""

    def build(self, root: Path, *, history: bool = True) -> None:
        """Write the repository to `root`, commit by commit, or the newest state as the only commit."""
        root.mkdir(parents=True)
        _git(root, "init", "-q", "-b", "main")
        last = len(self.commits) - 1
        for number, commit in enumerate(self.commits):
            for name, text in commit["files"].items():
                path = root / name
                if text is None:
                    path.unlink()
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            if history or number == last:
                _commit(root, str(commit["message"]), NEWEST - timedelta(days=commit.get("days_ago", last - number)))

    def write_inputs(self, folder: Path) -> list[Path]:
        """Write the inputs to `folder` and return their paths in order."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for name, text in self.inputs:
            path = folder / name
            path.write_text(text, encoding="utf-8")
            paths.append(path)
        return paths

    def apply_reference(self, root: Path) -> dict[str, str | None]:
        """Return the new text of each file that the reference changes (None: deleted). Raise ValueError for a text that is not there."""
        texts: dict[str, str | None] = {}
        for edit in self.reference:
            name = edit["file"]
            if "create" in edit:
                texts[name] = edit["create"]
            elif edit.get("delete"):
                texts[name] = None
            else:
                before = texts.get(name)
                text = before if before is not None else (root / name).read_text(encoding="utf-8")
                if edit["old"] not in text:
                    raise ValueError(f"{self.name}: {name} does not hold {edit['old']!r}")
                texts[name] = text.replace(edit["old"], edit["new"], edit.get("count", 1))
        return texts


def load(path: Path) -> FieldIncident:
    """Read one incident. Raises ValueError with the file's name for a key that is missing or unknown."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    keys = {"title", "source", "kind", "fixable", "categories", "severities", "applications", "commits", "inputs"}
    optional = {"expected", "reference", "reason"}
    if not isinstance(data, dict) or keys - set(data) or set(data) - keys - optional:
        given = set(data) if isinstance(data, dict) else set()
        raise ValueError(f"{path.name}: missing {sorted(keys - given)}, unknown {sorted(given - keys - optional)}")
    return FieldIncident(
        name=path.stem,
        batch=path.parent.name,
        title=data["title"],
        source=data["source"],
        kind=data["kind"],
        fixable=data["fixable"],
        categories=tuple(data["categories"]),
        severities=tuple(data["severities"]),
        applications=tuple(data["applications"]),
        commits=tuple(data["commits"]),
        inputs=tuple((one["name"], one["text"]) for one in data["inputs"]),
        expected=tuple(tuple(alternative) for alternative in data.get("expected") or ()),
        reference=tuple(data.get("reference") or ()),
        reason=data.get("reason", ""),
    )


def incidents(batch: str = "*", name: str = "*") -> list[FieldIncident]:
    """Return the incidents whose batch and name match the glob patterns, in order of their paths."""
    return [load(path) for path in sorted(HOME.glob(f"incidents/{batch}/{name}.yaml"))]


def _commit(root: Path, message: str, when: datetime) -> None:
    _git(root, "add", "-A")
    stamp = when.strftime("%Y-%m-%dT%H:%M:%S+0000")
    subprocess.run(
        [*_GIT, "commit", "-q", "--allow-empty", "-m", message],
        cwd=root,
        check=True,
        env={"PATH": "/usr/bin:/bin", "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp, "HOME": str(root)},
    )


def _git(root: Path, *arguments: str) -> None:
    subprocess.run([*_GIT, *arguments], cwd=root, check=True)
