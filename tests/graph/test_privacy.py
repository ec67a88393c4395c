"""What everybody can read holds no text of a log, and the run that has read it still shows it."""

from __future__ import annotations

from dataclasses import replace

from remediator.domain.incident import Evidence
from remediator.graph.build import Ports, build
from remediator.graph.driver import Driver
from remediator.graph.state import VALUES, without_log_texts
from remediator.services.checkpoints.saver import RefCheckpointSaver
from tests.fake_ports import FakeLogs
from tests.graph.incident_run import IncidentRun, case

SECRETIVE = "customer 4711 could not pay"


def driver(world: IncidentRun) -> Driver:
    saver = RefCheckpointSaver(world.store, allowed=VALUES, withhold=without_log_texts, keep=1)
    ports = Ports(logs=FakeLogs(world.cases), planner=world.planner, forge=world.forge, now=world.now)
    return replace(world.driver(), graph=build(ports, saver), memory=saver)


def test_texts_of_logs_are_shown_once_and_not_stored() -> None:
    one = case()
    evidence = tuple(item.model_copy(update={"text": SECRETIVE}) for item in one.diagnosis.evidence)
    context = (Evidence.model_validate({**evidence[0].model_dump(), "id": "C1", "text": SECRETIVE}),)
    diagnosis = one.diagnosis.model_copy(update={"evidence": evidence, "context": context})
    world = IncidentRun(cases=(one.model_copy(update={"diagnosis": diagnosis, "excerpt": SECRETIVE}),))
    state = driver(world).start(world.cases[0]).state
    assert state["raw_log"] == SECRETIVE
    assert SECRETIVE in next(iter(world.forge.branches.values())).body
    again = driver(world)
    kept = again.state("inc-3f9a2c-1")
    assert (kept["raw_log"], [item.text for item in kept["diagnosis"].evidence]) == ("", [""])
    assert kept["diagnosis"]
    assert (kept["diagnosis"].context, kept["diagnosis"].evidence[0].text) == ((), "")
    assert [item.line for item in kept["diagnosis"].evidence] == [3]
    assert SECRETIVE not in str(kept["diagnosis"])
