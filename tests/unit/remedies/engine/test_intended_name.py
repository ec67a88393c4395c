"""A missing name is what a commit renamed everywhere else; a renaming of another thing, or two of them, tell nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.remedies.small_repository import REPLICA_SET, events, propose, shop, workload

MISSING = events(
    (
        "FailedCreate",
        REPLICA_SET,
        'Error creating: pods "web-5d7b9c6f8b-" is forbidden: no PriorityClass with name urgent was found',
    )
)


def priority(name: str, value: int = 1000) -> dict[str, Any]:
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}


def files(*names: str, api: str) -> dict[str, str]:
    return shop(
        classes=[priority(name, 1000 + at) for at, name in enumerate(names)],
        web=workload(pod={"priorityClassName": "urgent"}),
        api=workload(name="api", pod={"priorityClassName": api}),
    )


def test_the_renaming_of_a_commit_is_carried_on(tmp_path: Path) -> None:
    told = propose(tmp_path, files("level-1", api="level-1"), MISSING, before=[files("urgent", api="urgent")])
    assert told.value("spec.template.spec.priorityClassName") == "level-1"
    assert "renamed `urgent` to `level-1`" in told.outcomes[0].proposals[0].reason


def test_without_the_commit_no_class_is_chosen(tmp_path: Path) -> None:
    assert not propose(tmp_path, files("level-1", "level-2", api="level-1"), MISSING).changed


def test_a_commit_that_gave_two_names_tells_nothing(tmp_path: Path) -> None:
    before = [files("urgent", "low", api="urgent")]
    assert not propose(tmp_path, files("level-1", "level-2", api="level-2"), MISSING, before=before).changed
