#!/usr/bin/env python3
"""Make a git repository of `gitops/` with a past in which the faulty values were others, and worked.

    make_repository.py DIR [--force]

DIR must not exist, or be a repository that this program made before (then `--force` replaces it).
The newest commit is exactly `gitops/`; each older one undoes a change in it. Names and dates are fixed, so the
commit ids are the same everywhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "gitops"
MADE = "remediator-example"
"""A file in .git by which our own work is known before it is deleted."""


@dataclass(frozen=True)
class Change:
    """One commit of the past: in `file`, `old` became `new`."""

    date: str
    author: str
    message: str
    file: str
    old: str
    new: str


BEGAN = "2025-11-05T09:00:00+00:00"

PAST = (
    Change(
        "2025-12-30T14:10:00+00:00",
        "Ines Duarte",
        "Give checkout room for the sale\n\nThe heap stood at 90 % of 384Mi on the last busy weekend.",
        "workloads/checkout/values-production.yaml",
        "memory: 384Mi  # the JVM takes 75 % of it",
        "memory: 512Mi  # the JVM takes 75 % of it",
    ),
    Change(
        "2026-02-26T10:31:00+00:00",
        "Tomas Lindqvist",
        "Storefront 2.14.0 to staging",
        "workloads/storefront/overlays/staging/kustomization.yaml",
        "newTag: 2.13.4",
        "newTag: 2.14.0",
    ),
    Change(
        "2026-03-02T16:05:00+00:00",
        "Mei Tanaka",
        "Trim memory limits\n\nThe dashboard shows 200Mi on average.",
        "workloads/checkout/values-production.yaml",
        "memory: 512Mi  # the JVM takes 75 % of it",
        "memory: 256Mi  # the JVM takes 75 % of it",
    ),
    Change(
        "2026-03-03T09:20:00+00:00",
        "Tomas Lindqvist",
        "Storefront 2.14.0 to production",
        "workloads/storefront/overlays/production/kustomization.yaml",
        "newTag: 2.13.4",
        "newTag: 2.41.0",
    ),
    Change(
        "2026-03-03T17:45:00+00:00",
        "Ines Duarte",
        "Read all of catalog's database settings from its ConfigMap",
        "workloads/catalog/deployment.yaml",
        """          env:
            - name: DATABASE_HOST
              valueFrom:
                configMapKeyRef:
                  name: catalog-database
                  key: DATABASE_HOST
            - name: LOG_LEVEL
""",
        """          envFrom:
            - configMapRef:
                name: catalog-databse
          env:
            - name: LOG_LEVEL
""",
    ),
)
"""Oldest first."""


def git(repository: Path, *arguments: str, date: str = BEGAN, author: str = "Ines Duarte") -> str:
    """Run git untouched by the user's own configuration, as that author, at that time."""
    email = author.lower().replace(" ", ".") + "@northwind.example"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": author,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_COMMITTER_DATE": date,
    }
    done = subprocess.run(
        ["git", "-c", "core.autocrlf=false", *arguments],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def replace_once(file: Path, old: str, new: str) -> None:
    """The past must fit the present, or the example has drifted."""
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        sys.exit(f"{file}: expected exactly once: {old!r}")
    file.write_text(text.replace(old, new), encoding="utf-8", newline="\n")


def make(repository: Path) -> str:
    """The repository with its whole past; returns the newest commit's id."""
    repository.mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch=main")
    (repository / ".git" / MADE).touch()
    shutil.copytree(SOURCE, repository, dirs_exist_ok=True)
    for change in reversed(PAST):
        replace_once(repository / change.file, change.new, change.old)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Bring up the shop's applications")
    for change in PAST:
        replace_once(repository / change.file, change.old, change.new)
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message", change.message, date=change.date, author=change.author)
    return git(repository, "rev-parse", "HEAD")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--force", action="store_true", help="replace a repository that this program made")
    given = parser.parse_args()
    repository: Path = given.directory.resolve()
    if repository.exists() and any(repository.iterdir()):
        if not (given.force and (repository / ".git" / MADE).is_file()):
            sys.exit(
                f"{given.directory} is not empty; choose another directory, or --force if it is an earlier example"
            )
        shutil.rmtree(repository)
    elif repository.exists():
        repository.rmdir()
    print(f"{given.directory} at {make(repository)[:7]}, {len(PAST) + 1} commits")


if __name__ == "__main__":
    main()
