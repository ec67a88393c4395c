"""Log artifacts of a workflow run: found by name, streamed to a file, limited in size.

The archive is never extracted: whoever reads logs opens its members one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from remediator.errors import ConfigError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from remediator.services.github.client import Client

MOST = 2 * 1024**3
"""Bytes of an archive; logs of any incident are far smaller."""

_CHUNK = 1 << 20
_PAGE, _PAGES = 100, 10


def fetch(client: Client, name: str, run: int, into: Path, *, most: int = MOST) -> Path:
    """Download the newest artifact of that name, of that run or (0) of any; ConfigError says which runs have one."""
    title = f"artifact {name!r} of run {run}" if run else f"artifact {name!r}"
    rows = _rows(client, f"/actions/runs/{run}/artifacts" if run else "/actions/artifacts", name, run=run)
    usable = [row for row in rows if not row["expired"]]
    if not usable:
        raise ConfigError(f"{title} {'has expired' if rows else 'does not exist'}; {_other_runs(client, name, run)}")
    newest = max(usable, key=lambda row: int(row["id"]))
    if int(newest["size_in_bytes"]) > most:
        raise ConfigError(f"artifact {name!r} has {newest['size_in_bytes']} bytes; at most {most} are read")
    path = into / f"{newest['id']}.zip"
    size = 0
    with client.stream(f"/actions/artifacts/{newest['id']}/zip") as answer, path.open("wb") as file:
        try:
            for chunk in answer.iter_content(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise ConfigError(f"artifact {name!r} is longer than it says; at most {most} bytes are read")
                file.write(chunk)
        except requests.RequestException as error:
            raise ServiceError(f"the download of {name!r} broke off after {size} bytes", retryable=True) from error
    return path


def _rows(client: Client, path: str, name: str, *, run: int = 0) -> list[Mapping[str, Any]]:
    """Return the artifacts of that name up to the first page with a usable one; newest first, as GitHub lists them."""
    rows: list[Mapping[str, Any]] = []
    for page in range(1, _PAGES + 1):
        parameters = {"name": name, "per_page": str(_PAGE), "page": str(page)}
        # No such run and a token that may not look are both answered with 404; the repository's own list tells them apart.
        reply = client.rest("GET", path, params=parameters, expect={404} if run else ())
        artifacts = list(reply.body["artifacts"]) if reply.status == 200 else []
        rows += artifacts
        if len(artifacts) < _PAGE or not all(row["expired"] for row in artifacts):
            break
    return rows


def _other_runs(client: Client, name: str, run: int) -> str:
    rows = [row for row in _rows(client, "/actions/artifacts", name) if not row["expired"]]
    runs = sorted({int((row.get("workflow_run") or {}).get("id") or 0) for row in rows} - {0, run}, reverse=True)
    return f"runs with one: {', '.join(map(str, runs[:5]))}" if runs else "no run has one"
