"""Recorded investigations go through the real graph again: the same requests to the byte, the same end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.field.incident import FieldIncident, incidents
from tests.field.investigating import investigate, outcome_of
from tests.field.recording import FOLDER, Recording, Replay, Request, path_of
from tests.field.test_field import label, needs_tools

RECORDED = [incident for incident in incidents() if path_of(incident).is_file()]
FEW = random.Random(4).sample(RECORDED, 3)
BODY = {
    "model": "small",
    "tools": [{"name": "look"}],
    "messages": [{"role": "system", "content": "You are on call."}, {"role": "user", "content": "one\ntwo\nthree"}],
}


def check(incident: FieldIncident, folder: Path) -> None:
    incident.build(folder / "repo")
    recording = Recording.load(path_of(incident))
    replay = Replay(recording)
    done = investigate(incident, replay, folder / "repo")
    again = f"python -m tests.field investigate {incident.batch} {incident.name} --record"
    assert not replay.difference, f"{replay.difference}\n\nWhere that is meant: {again}"
    assert replay.asked == len(recording.requests)
    assert outcome_of(done) == recording.outcome


@needs_tools
@pytest.mark.parametrize("incident", FEW, ids=label)
def test_an_investigation_is_the_same_again(incident: FieldIncident, tmp_path: Path) -> None:
    check(incident, tmp_path)


@needs_tools
@pytest.mark.slow
@pytest.mark.parametrize("incident", RECORDED, ids=label)
def test_every_investigation_is_the_same_again(incident: FieldIncident, tmp_path: Path) -> None:
    check(incident, tmp_path)


def test_there_are_enough_and_each_is_of_an_incident() -> None:
    assert len(RECORDED) >= 40
    assert {path_of(incident) for incident in RECORDED} == set(FOLDER.rglob("*.json"))
    declined = [incident for incident in RECORDED if not incident.fixable]
    assert len(declined) >= 10


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        ({"model": "large"}, "the same lines, but other tools or settings"),
        ({"tools": []}, "the same lines, but other tools or settings"),
        ({"messages": [BODY["messages"][0], {"role": "user", "content": "one\nnew\nthree"}]}, "1 lines are new:\n+ new"),
        ({"messages": [BODY["messages"][0], {"role": "user", "content": "one\ntwo"}]}, "0 lines are new:"),
        ({"messages": [BODY["messages"][0], {"role": "tool", "content": "one\ntwo\nthree"}]}, "an earlier message"),
    ],
)  # fmt: skip
def test_a_difference_shows_the_lines_that_are_new(change: dict[str, object], told: str) -> None:
    difference = Request.of(BODY, 0).difference({**BODY, **change}, 0)
    assert (difference == "") if not told else (told in difference)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    kept = Recording([Request.of(BODY, 0)], [{"text": "", "calls": [["look", "{}"]]}], {"verdict": "fixed"})
    kept.save(tmp_path / "a" / "one.json")
    assert Recording.load(tmp_path / "a" / "one.json") == kept


def test_a_replay_that_is_asked_something_else_answers_no_more() -> None:
    replay = Replay(Recording([Request.of(BODY, 0)], [{"text": "yes", "calls": []}], {}))
    assert replay({**BODY, "model": "large"}).status == 400
    assert replay(BODY).status == 400
    assert replay.difference.startswith("request 1: the same lines")
