"""Entries of a kustomization in the form of an older field: a bare file name where an object with `path` belongs.

`patchesStrategicMerge` lists file names, its successor `patches` lists objects. Who renames the field alone gets
"cannot unmarshal string into Go struct field Kustomization.patches".
The file itself shows the fault, so it does not matter who reports it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.change import Edit, Place
from remediator.errors import ConfigError
from remediator.gitops import Application
from remediator.gitops.file_paths import join
from remediator.gitops.files import kustomization_file
from remediator.judgement.demands.demand import Demand, distinct_evidence
from remediator.judgement.inquiry import Inquiry
from remediator.policy.leaves import documents
from remediator.remedies.sources.kustomizations import entries_below

_STRING_ENTRY = re.compile(
    r"cannot unmarshal string into Go struct field Kustomization\.(?P<field>patches|replacements) "
)
"""The fields whose entries may consist of `path` alone."""


def bare_kustomize_entries(inquiry: Inquiry) -> Iterator[Demand]:
    """Yield one demand for the kustomization whose bare entries the message refuses; none where two could be meant."""
    for piece in distinct_evidence(inquiry):
        match = _STRING_ENTRY.search(piece.text)
        if match is None:
            continue
        field = match["field"]
        files = {
            file: entries
            for application in _named_applications(inquiry, piece.text)
            for file in _kustomizations(inquiry, application)
            if (entries := _bare_entries(inquiry, file, field))
        }
        if len(files) != 1:
            continue
        file, entries = files.popitem()
        if not all(_is_file(inquiry, file, value) for _, value in entries):
            continue  # an inline patch, or a file that is missing as well
        yield Demand(
            rule="bare_kustomize_entry",
            title=f"write the {field} of {file} as objects with `path`",
            reason=f"Each entry of {field} must be an object; {file} lists {', '.join(value for _, value in entries)} as a bare name.",
            evidence=(piece.id,),
            words=(f"Kustomization.{field}", posixpath.dirname(file)),
            edits=tuple(Edit(op="set", file=file, path=(field, at), value={"path": value}) for at, value in entries),
            places=tuple(
                Place(file=file, path=(field, at), value=value, why="the entry that the message refuses")
                for at, value in entries
            ),
            applications=tuple(dict.fromkeys(inquiry.repository.feeds.readers(file))),
        )


def _named_applications(inquiry: Inquiry, text: str) -> list[Application]:
    """Return the Applications whose own source path is the directory that the message says was built."""
    return [
        app
        for app in inquiry.repository.applications
        if any(
            source.local and source.path and re.search(rf"/{re.escape(source.path.strip('/'))}(?![\w/.-])", text)
            for source in app.sources
        )
    ]


def _kustomizations(inquiry: Inquiry, application: Application) -> Iterator[str]:
    """Yield the kustomization of each local source and those that it includes."""
    files = set()
    for source in application.sources:
        if source.local:
            files |= {entry.file for entry in entries_below(inquiry.repository, source.path)}
            files.add(kustomization_file(inquiry.repository.store, source.path) or "")
    yield from sorted(files - {""})


def _bare_entries(inquiry: Inquiry, file: str, field: str) -> list[tuple[int, str]]:
    try:
        bodies: Any = documents(inquiry.repository.read(file))
    except ConfigError:
        return []
    items = bodies[0].get(field) if bodies and isinstance(bodies[0], dict) else None
    return [(at, item) for at, item in enumerate(items) if isinstance(item, str)] if isinstance(items, list) else []


def _is_file(inquiry: Inquiry, file: str, value: str) -> bool:
    return "\n" not in value and inquiry.repository.store.is_file(join(posixpath.dirname(file), value))
