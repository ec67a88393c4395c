"""Many incidents in one run: looked at side by side, written as one commit."""

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
log = logging.getLogger(__name__)

WIDTH = 16
"""Incidents that are looked at at once; most of a look is waiting for servers."""


def swept(
    driver: Driver,
    records: Sequence[Record],
    look: Callable[[Driver, Record], T],
    tell: Callable[[], Mapping[str, RemediatorError]] = dict,
) -> dict[str, T | RemediatorError]:
    """All of them; those held back come last and in order, so that the gravest gets a place that another has freed.

    `tell` tells people of all at once, before anything is recorded, and says of which incidents it could not.
    """
    driver.memory.recall([record.incident_id for record in records])
    done = together(driver, [record for record in records if not record.held], look, tell)
    held = sorted((record for record in records if record.held), key=gravity)
    return {**done, **_revived(driver, held, look, tell)}


def _revived(
    driver: Driver,
    held: Sequence[Record],
    look: Callable[[Driver, Record], T],
    tell: Callable[[], Mapping[str, RemediatorError]],
) -> dict[str, T | RemediatorError]:
    """As many as the caps have room for, admitted as one commit and looked at side by side; the others wait on."""
    if not held or driver.preview:
        return {}
    heads = {record.incident_id: record.model_dump() for record in driver.records()}
    asked = [] if driver.admission.frozen() else [one for one in held if one.incident_id in driver.admission.asked]
    first = [*asked, *[one for one in held if one not in asked][: driver.admission.room(heads)]]
    ready = _each(driver, first, lambda twin, record: twin.prepare(record.incident_id))
    faults = {thread: found for thread, found in ready.items() if isinstance(found, RemediatorError)}
    names = [one.incident_id for one in first if driver.stopped(one.incident_id) and not driver.shared(one.incident_id)]
    refused, lost = _admitted(driver, names)
    faults |= lost
    if refused:
        driver.memory.forget(*refused)  # held as they are stored
    go_on = [record for record in first if record.incident_id not in {*refused, *faults}]
    return {**faults, **together(driver, go_on, look, tell)}


def _admitted(driver: Driver, names: list[str]) -> tuple[dict[str, str], dict[str, RemediatorError]]:
    """Why some must wait, and which were moved on by somebody else meanwhile; all others are let open."""
    lost: dict[str, RemediatorError] = {}
    while True:
        wanted = [name for name in names if name not in lost]
        try:
            return driver.memory.claim(wanted, f"Open {len(wanted)} held incidents", driver.admission.refuses), lost
        except ConflictError as error:
            gone = [name for name in wanted if name in str(error)]
            if not gone:
                raise
            lost |= dict.fromkeys(gone, error)


def together(
    driver: Driver,
    records: Sequence[Record],
    look: Callable[[Driver, Record], T],
    tell: Callable[[], Mapping[str, RemediatorError]] = dict,
) -> dict[str, T | RemediatorError]:
    """What became of each by its id; one fault does not cost the others, what somebody else moved is left to them."""
    done = _each(driver, records, look)
    if driver.preview or not records:
        return done
    if untold := tell():
        driver.memory.forget(*untold)  # the next sweep looks, and tells, once more
        done.update(untold)
    try:
        driver.memory.flush(f"Sweep {len(records)} open incidents")
    except ConflictError as error:
        lost = [record.incident_id for record in records if record.incident_id in str(error)]
        if not lost:
            raise
        done.update(dict.fromkeys(lost, error))
    return done


def _each(
    driver: Driver, records: Sequence[Record], look: Callable[[Driver, Record], T]
) -> dict[str, T | RemediatorError]:
    """Each look gets a driver of its own, since a driver remembers what it saw last."""
    if not records:
        return {}

    def one(record: Record) -> T | RemediatorError:
        try:
            return look(replace(driver, memory=DeferredCheckpoints(driver.memory)), record)
        except RemediatorError as error:
            driver.memory.forget(record.incident_id)
            return error
        except Exception as error:  # whatever an answer from outside has tripped costs this incident alone
            log.exception("%s cannot be looked at", record.incident_id)
            driver.memory.forget(record.incident_id)
            return ServiceError(
                f"it cannot be looked at ({type(error).__name__}: {error}): this is a bug, please report it"
            )

    with ThreadPoolExecutor(max_workers=min(WIDTH, len(records))) as pool:
        return dict(zip([record.incident_id for record in records], pool.map(one, records), strict=True))
