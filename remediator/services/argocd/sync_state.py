"""The state of a merged change in an Application's status: pure functions of its JSON.

`status.sync.revision` is what was compared; what runs is `operationState.syncResult` or the last of `history`. A
merge that leaves an Application's manifests alone starts no operation, so being Synced at it is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from remediator.domain.json_reader import objects_at, text_at, value_at
from remediator.domain.sources import short

_TRANSIENT = re.compile(r"dial tcp|i/o timeout|deadline exceeded|connection refused|Unavailable|EOF")
"""Errors of an unreachable repository server, which say nothing about the manifests."""

Application = dict[str, Any]
Contains = Callable[[str, str], bool | None]
"""Maps (revision, commit) to whether the commit is in the revision's history; None where that is unknown."""


class SyncVerdict(NamedTuple):
    """The verdict on one Application."""

    status: Literal["success", "failed", "pending"]
    summary: str
    arrived: bool = False
    """True where the change is in the cluster, whatever became of it there."""
    waits_for_sync: bool = False
    """True where Argo CD knows the merge and waits for a manual sync."""
    health_since: str = ""
    """The time at which a healthy Application became so, as Argo CD itself tells it."""


@dataclass(frozen=True)
class MergedRevision:
    """The merged change to look for."""

    commit: str
    at: str
    contains: Contains
    ours: Callable[[str], bool]
    """Returns whether a repository's address is this repository's."""


def judge(name: str, app: Application | None, merge: MergedRevision) -> SyncVerdict:
    """Return the verdict: arrived and healthy, or what is missing."""
    if app is None:
        return SyncVerdict("pending", f"`{name}` does not exist in Argo CD (deleted?)")
    if value_at(app, "metadata", "deletionTimestamp"):
        return SyncVerdict("pending", f"`{name}` is being deleted")
    arrived = arrival(name, app, merge)
    return arrived or _health(name, app, merge)


def arrival(name: str, app: Application, merge: MergedRevision) -> SyncVerdict | None:
    """Return why the change is not in the cluster; None once it is."""
    places = ours(app, merge)
    if not places:
        return SyncVerdict("pending", f"`{name}` has no source in this repository")
    error = _condition(app, merge.at)
    compared = [_revision(value_at(app, "status", "sync"), place) for place in places]
    reached = [merge.contains(revision, merge.commit) if revision else False for revision in compared]
    if error:
        sure = all(reached) or ("manifest" in error and not _TRANSIENT.search(error))
        return SyncVerdict("failed" if sure else "pending", f"`{name}` {error}")
    if back := _rolled_back(name, app, places, merge):
        return back
    if operation := _operation(name, app, places, merge):
        return operation
    settled = text_at(app, "status", "sync", "status") == "Synced"
    if not settled and (error := _condition(app, "")):
        return SyncVerdict("pending", f"`{name}` {error} (since before the merge)")
    if None in reached:
        unknown = compared[reached.index(None)]
        return SyncVerdict("pending", f"`{name}` is at `{unknown[:7]}`, which is not known here: fetch the repository")
    if not all(reached):
        revision = compared[reached.index(False)]
        at = f"it is at `{revision[:7]}`" if revision else "it has compared nothing yet"
        return SyncVerdict("pending", f"Argo CD has not seen `{merge.commit[:7]}` yet for `{name}`: {at}")
    return None if settled else _out_of_sync(name, app, merge)


def compared(app: Application) -> dict[str, Any]:
    """Return the revisions that Argo CD compared last, as a sync names them: exactly these were judged."""
    sync = value_at(app, "status", "sync") or {}
    if revisions := sync.get("revisions"):
        return {"revisions": revisions, "sourcePositions": list(range(1, len(revisions) + 1))}
    return {"revision": sync["revision"]} if sync.get("revision") else {}


def parent_of(app: Application) -> str:
    """Return the name of the Application that applies this one, by Argo CD's tracking annotation or label."""
    annotations, labels = value_at(app, "metadata", "annotations"), value_at(app, "metadata", "labels")
    tracking = str((annotations or {}).get("argocd.argoproj.io/tracking-id") or "")
    if ":argoproj.io/Application:" in tracking:
        return tracking.partition(":")[0].rpartition("_")[2]
    parent = str(
        (labels or {}).get("argocd.argoproj.io/instance") or (labels or {}).get("app.kubernetes.io/instance") or ""
    )
    return "" if parent == text_at(app, "metadata", "name") else parent


def waits_for_parent(child: str, parent: Application | None, merge: MergedRevision) -> str:
    """Return why the child cannot be judged yet: its own manifest comes from the parent."""
    if parent is None or not ours(parent, merge):
        return ""
    name = text_at(parent, "metadata", "name")
    resources = objects_at(parent, "status", "resources")
    mine = [r for r in resources if r.get("kind") == "Application" and r.get("name") == child]
    if any(resource.get("status") == "OutOfSync" for resource in mine):
        return f"its parent `{name}` has not applied `{child}` yet"
    compared = [_revision(value_at(parent, "status", "sync"), place) for place in ours(parent, merge)]
    if not all(revision and merge.contains(revision, merge.commit) is True for revision in compared):
        return f"its parent `{name}` has not seen `{merge.commit[:7]}` yet"
    return ""


def ours(app: Application, merge: MergedRevision) -> list[int]:
    """Return the positions of this repository's sources; -1 stands for a single `source`."""
    sources = value_at(app, "spec", "sources")
    if isinstance(sources, list) and sources:
        return [
            n for n, source in enumerate(sources) if isinstance(source, dict) and merge.ours(text_at(source, "repoURL"))
        ]
    source = value_at(app, "spec", "source") or {
        "repoURL": text_at(app, "spec", "sourceHydrator", "drySource", "repoURL")
    }
    return [-1] if merge.ours(text_at(source, "repoURL")) else []


def _revision(of: Any, place: int) -> str:
    revisions = value_at(of, "revisions")
    if place >= 0 and isinstance(revisions, list) and place < len(revisions):
        return str(revisions[place])
    return text_at(of, "revision") if place < 0 else ""


def _operation(name: str, app: Application, places: list[int], merge: MergedRevision) -> SyncVerdict | None:
    """Return the verdict on a running or failed sync of the merge; an older revision's sync says nothing about it."""
    state = value_at(app, "status", "operationState") or {}
    request, result = value_at(state, "operation", "sync"), value_at(state, "syncResult")
    synced = (_revision(result, place) or _revision(request, place) for place in places)
    if not any(revision and merge.contains(revision, merge.commit) for revision in synced):
        return None
    phase, message = text_at(state, "phase"), short(text_at(state, "message"), 240)
    if phase == "Running" and "sync window" in message:
        return SyncVerdict("pending", f"`{name}` waits for a manual sync of `{merge.commit[:7]}`: {message}")
    if phase in {"Running", "Terminating"}:
        tries = state.get("retryCount")
        return SyncVerdict("pending", f"`{name}` is being synced{f', retry {tries}' if tries else ''}: {message}")
    if phase in {"Failed", "Error"}:
        return SyncVerdict("failed", f"`{name}`: the sync of `{merge.commit[:7]}` failed: {message}")
    return None


def _rolled_back(name: str, app: Application, places: list[int], merge: MergedRevision) -> SyncVerdict | None:
    """Return the verdict where a person synced an older revision after the merge."""
    state = value_at(app, "status", "operationState") or {}
    by = text_at(state, "operation", "initiatedBy", "username")
    if not by or text_at(state, "startedAt") <= merge.at or text_at(state, "phase") != "Succeeded":
        return None
    revision = next((synced for place in places if (synced := _revision(value_at(state, "syncResult"), place))), "")
    if revision and merge.contains(revision, merge.commit) is False:
        return SyncVerdict(
            "pending", f"`{name}` was synced to the older `{revision[:7]}` by {short(by, 60)} after the merge"
        )
    return None


def _out_of_sync(name: str, app: Application, merge: MergedRevision) -> SyncVerdict:
    automated = value_at(app, "spec", "syncPolicy", "automated")
    if not isinstance(automated, dict) or automated.get("enabled") is False:
        summary = f"`{name}` waits for a manual sync of `{merge.commit[:7]}` (automated sync is off)"
        return SyncVerdict("pending", summary, waits_for_sync=True)
    status = text_at(app, "status", "sync", "status") or "Unknown"
    summary = f"automated sync has not begun; within a sync window it waits for a manual sync of `{merge.commit[:7]}`"
    return SyncVerdict("pending", f"`{name}` is {status}: {summary}")


def _health(name: str, app: Application, merge: MergedRevision) -> SyncVerdict:
    health = text_at(app, "status", "health", "status") or "Unknown"
    at = f"synced to `{merge.commit[:7]}`"
    if health == "Healthy":
        since = text_at(app, "status", "health", "lastTransitionTime")
        return SyncVerdict("success", f"`{name}` {at}, Healthy", arrived=True, health_since=since)
    worst = next(
        (
            f": {r.get('kind')} `{r.get('name')}` {short(text_at(r, 'health', 'message'), 200)}".rstrip()
            for r in objects_at(app, "status", "resources")
            if text_at(r, "health", "status") == health
        ),
        f": {message}" if (message := short(text_at(app, "status", "health", "message"), 200)) else "",
    )
    since = text_at(app, "status", "health", "lastTransitionTime")
    grave = health == "Degraded" and since > merge.at
    return SyncVerdict("failed" if grave else "pending", f"`{name}` {at} but {health}{worst}", arrived=True)


def _condition(app: Application, since: str) -> str:
    """Return an error that Argo CD itself reports, younger than the merge."""
    for condition in objects_at(app, "status", "conditions"):
        kind, at = text_at(condition, "type"), text_at(condition, "lastTransitionTime")
        if kind in {"ComparisonError", "InvalidSpecError", "UnknownError"} and (not at or at > since):
            return f"{kind}: {short(text_at(condition, 'message'), 240)}"
    return ""
