"""A sweep: many incidents in one run, looked at in parallel and written as one commit.

A fault of one incident must not cost the others their update, and most of the time is waiting for servers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from remediator.domain.lifecycle import gravity
from remediator.errors import ConflictError, RemediatorError, ServiceError
from remediator.graph.checkpoint_port import DeferredCheckpoints

if TYPE_CHECKING:
    from remediator.domain.lifecycle import Record
    from remediator.graph.driver import Driver

T = TypeVar("T")
Look = Callable[["Driver", "Record"], T]
"""The function that looks at one incident."""
Tell = Callable[[], Mapping[str, RemediatorError]]
"""The function that posts the results, and returns the error of each incident for which this failed."""
Results = dict[str, T | RemediatorError]
"""The result of each incident, or its error, by its id."""
log = logging.getLogger(__name__)

WIDTH = 16
"""The number of incidents that are looked at in parallel."""


def sweep_incidents(driver: Driver, records: Sequence[Record], look: Look[T], tell: Tell = dict) -> Results[T]:
    """Look at all incidents. Queued ones come last, most severe first, so that they get the places that others have freed.

    `tell` posts the results together before anything is recorded, and returns the incidents for which this failed.
    """
    driver.memory.recall([record.incident_id for record in records])
    results = look_together(driver, [record for record in records if not record.held], look, tell)
    queued = sorted((record for record in records if record.held), key=gravity)
    return {**results, **_resume_queued(driver, queued, look, tell)}


def _resume_queued(driver: Driver, queued: Sequence[Record], look: Look[T], tell: Tell) -> Results[T]:
    """Continue as many queued incidents as the limits allow, admitted as one commit; the others stay queued."""
    if not queued or driver.preview:
        return {}
    heads = {record.incident_id: record.model_dump() for record in driver.records()}
    requested = (
        []
        if driver.admission.frozen()
        else [record for record in queued if record.incident_id in driver.admission.requested]
    )
    first = [*requested, *[record for record in queued if record not in requested][: driver.admission.room(heads)]]
    results = _look_at_each(driver, first, lambda twin, record: twin.prepare_queued(record.incident_id))
    faults = {thread: result for thread, result in results.items() if isinstance(result, RemediatorError)}
    names = [
        record.incident_id
        for record in first
        if driver.ready_to_publish(record.incident_id) and not driver.same_change(record.incident_id)
    ]
    refused, lost = _admit(driver, names)
    faults |= lost
    if refused:
        driver.memory.forget(*refused)  # they stay queued as they are stored
    admitted = [record for record in first if record.incident_id not in {*refused, *faults}]
    return {**faults, **look_together(driver, admitted, look, tell)}


def _admit(driver: Driver, names: list[str]) -> tuple[dict[str, str], dict[str, RemediatorError]]:
    """Return the reasons of those that must wait, and the errors of those that another run has changed; admit all others."""
    lost: dict[str, RemediatorError] = {}
    while True:
        candidates = [name for name in names if name not in lost]
        try:
            return driver.memory.claim(
                candidates, f"Open {len(candidates)} queued incidents", driver.admission.refusal
            ), lost
        except ConflictError as error:
            moved = [name for name in candidates if name in str(error)]
            if not moved:
                raise
            lost |= dict.fromkeys(moved, error)


def look_together(driver: Driver, records: Sequence[Record], look: Look[T], tell: Tell = dict) -> Results[T]:
    """Return the result of each incident by its id. An incident that another run has changed is left to that run."""
    results = _look_at_each(driver, records, look)
    if driver.preview or not records:
        return results
    if unsent := tell():
        driver.memory.forget(*unsent)  # the next sweep looks, and posts, again
        results.update(unsent)
    try:
        driver.memory.flush(f"Sweep {len(records)} open incidents")
    except ConflictError as error:
        lost = [record.incident_id for record in records if record.incident_id in str(error)]
        if not lost:
            raise
        results.update(dict.fromkeys(lost, error))
    return results


def _look_at_each(driver: Driver, records: Sequence[Record], look: Look[T]) -> Results[T]:
    """Look at each incident with a driver of its own, since a driver stores the newest state."""
    if not records:
        return {}

    def guarded(record: Record) -> T | RemediatorError:
        try:
            return look(replace(driver, memory=DeferredCheckpoints(driver.memory)), record)
        except RemediatorError as error:
            driver.memory.forget(record.incident_id)
            return error
        except Exception as error:  # listed in errors.py
            log.exception("%s cannot be looked at", record.incident_id)
            driver.memory.forget(record.incident_id)
            return ServiceError(
                f"it cannot be looked at ({type(error).__name__}: {error}): this is a bug, please report it"
            )

    with ThreadPoolExecutor(max_workers=min(WIDTH, len(records))) as pool:
        return dict(zip([record.incident_id for record in records], pool.map(guarded, records), strict=True))
