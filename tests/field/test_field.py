"""The rules on incidents that were written before anyone looked at how they are read: no verdict gets worse.

`python -m tests.field run` prints the figures over all of them, and README.md keeps those of each first contact.
"""

from __future__ import annotations

import random

import pytest

from tests.field.__main__ import faults_of, run
from tests.field.incident import FieldIncident, incidents
from tests.field.scoring import read_verdicts

ALL = incidents()
THIRD = random.Random(1).sample(ALL, len(ALL) // 3)
needs_tools = pytest.mark.needs_tools("helm", "kubectl")


def label(incident: FieldIncident) -> str:
    """Return the incident's name with its batch."""
    return f"{incident.batch}/{incident.name}"


def test_every_incident_has_a_recorded_verdict() -> None:
    assert {label(incident) for incident in ALL} == set(read_verdicts())


@pytest.mark.thorough
@pytest.mark.parametrize("incident", ALL, ids=label)
def test_the_reference_is_right_and_doing_nothing_is_not(incident: FieldIncident) -> None:
    assert not faults_of(incident)


@needs_tools
@pytest.mark.thorough
@pytest.mark.parametrize("incident", THIRD, ids=label)
def test_no_verdict_gets_worse(incident: FieldIncident) -> None:
    check_verdict(incident)


@needs_tools
@pytest.mark.slow
@pytest.mark.parametrize("incident", ALL, ids=label)
def test_no_verdict_of_the_whole_corpus_gets_worse(incident: FieldIncident) -> None:
    check_verdict(incident)


def check_verdict(incident: FieldIncident) -> None:
    """Assert that the verdict is the recorded one or `fixed`; a calm answer to a grave log has a verdict of its own."""
    row = run(incident, history=True)
    is_calm = row["calm"] and "info" not in incident.severities
    assert ("calm" if is_calm else row["verdict"]) in ("fixed", read_verdicts()[label(incident)]), row
