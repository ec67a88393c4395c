"""Faults times layouts times history: the corpus, and how one answer to one incident is judged."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.corpus import messages
from tests.corpus.faults import Fault, all_faults
from tests.corpus.shop import LAYOUTS

Verdict = Literal["fixed", "declined", "harm"]
_GIT = (
    "git",
    "-c",
    "user.name=ops",
    "-c",
    "user.email=ops@example.com",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "init.defaultBranch=main",
)


@dataclass(frozen=True)
class Incident:
    """One fault in one layout, with or without a history that shows the healthy state."""

    fault: Fault
    layout: str
    history: bool
    file: str
    """The broken file; empty where nothing is broken."""
    number: int

    @property
    def name(self) -> str:
        return f"{self.fault.kind}-{self.layout}{'' if self.history else '-nohist'}"

    @property
    def fixable(self) -> bool:
        return self.fault.need == "nothing" or (self.fault.need == "history" and self.history)

    @property
    def log(self) -> str:
        return (messages.noise(self.number) if self.number % 3 else "") + self.fault.log

    def build(self, root: Path) -> None:
        """The repository with the fault in its newest commit."""
        healthy = LAYOUTS[self.layout]()
        faulty = dict(healthy)
        if self.file:
            faulty[self.file] = healthy[self.file].replace(self.fault.old, self.fault.new, 1)
        steps = (
            [(healthy, "Add the shop"), (faulty, "Tidy up")]
            if self.history and self.file
            else [(faulty, "Add the shop")]
        )
        root.mkdir(parents=True)
        _git(root, "init", "-q")
        for day, (files, message) in enumerate(steps):
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            _git(root, "add", "-A")
            _git(root, "commit", "-q", "-m", message, date=f"2026-03-0{1 + day}T0{7 + day}:00:00+0000")

    def judge(self, changes: dict[str, str | None]) -> Verdict:
        """Return whether these changes (path → new text) mend just what was broken."""
        if not changes:
            return "declined"
        if not self.file or set(changes) - {self.file}:
            return "harm"
        after = changes[self.file]
        healthy = LAYOUTS[self.layout]()[self.file]
        if after is None:
            return "harm"
        if self.fault.accept is not None:
            return "fixed" if self.fault.accept(after) else "harm"
        return "fixed" if _documents(after) == _documents(healthy) else "harm"


def corpus() -> Iterator[Incident]:
    """Every fault in every layout whose text can break that way, with and without history."""
    number = 0
    for fault in all_faults():
        for layout, build in LAYOUTS.items():
            files = [
                name for name, text in build().items()
                if fault.old and fault.old in text and fault.file in name and not name.startswith("charts/")
                and (fault.file or not name.startswith("argocd/") or layout == "helm-inline")
            ]  # fmt: skip
            if fault.need == "never" and layout in ("plain", "kustomize", "helm"):
                files = [""]
            for file in files[:1]:
                for history in (True, False):
                    number += 1
                    yield Incident(fault, layout, history, file, number)


def _documents(text: str) -> list[Any] | None:
    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return None


def _git(root: Path, *arguments: str, date: str = "2026-03-01T07:00:00+0000") -> None:
    environment = {
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(root),
    }
    subprocess.run([*_GIT, *arguments], cwd=root, check=True, capture_output=True, env=environment)
