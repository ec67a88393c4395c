"""The log source: read once, told apart into incidents, nothing but redacted text kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from remediator.errors import ConfigError
from remediator.evidence import text_input
from remediator.intake.cases import EXCERPT_CHARACTERS, CaseReader, LogFiles
from remediator.policy import Catalogue, Category, Signal

if TYPE_CHECKING:
    from pathlib import Path

    from remediator.evidence import Input

CATALOGUE = Catalogue(
    categories=(
        Category(
            id="oom",
            title="Out of memory",
            severity="critical",
            signals=(Signal(id="oom_killed", pattern="OOMKilled"),),
        ),
        Category(id="info", title="Calm", severity="info"),
        Category(id="unknown", title="Unknown", severity="warning"),
    )
)
EVENT = "3m  Warning  OOMKilled  pod/checkout-6d5f7c9b8-x2x4z  container app was OOMKilled token=hunter2 {tail}"


def logs(*texts: str) -> tuple[CaseReader, list[str]]:
    opened: list[str] = []

    def source() -> list[Input]:
        opened.append("read")
        return [text_input(f"log{number}.txt", text) for number, text in enumerate(texts)]

    found = CaseReader(
        sources=[source],
        catalogue=CATALOGUE,
        redact=lambda text: text.replace("hunter2", "[redacted]"),
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    return found, opened


def test_inputs_are_read_once_however_often_they_are_asked_for() -> None:
    found, opened = logs("calm\n")
    assert found.cases() is found.cases()
    assert found.measured()[0] == 1
    assert opened == ["read"]


def test_a_calm_log_is_one_case() -> None:
    (case,) = logs("INFO all is well\n")[0].cases()
    assert case.diagnosis.category == "info"
    assert (case.source, case.read_at) == ("log0.txt", "2026-01-01T00:00:00Z")
    assert len(case.fingerprint) == 64


def test_the_excerpt_is_redacted_and_bounded() -> None:
    (case,) = logs(EVENT.format(tail="x" * 50_000) + "\n")[0].cases()
    assert case.diagnosis.category == "oom"
    assert "hunter2" not in case.model_dump_json()
    assert 0 < len(case.excerpt) <= EXCERPT_CHARACTERS


def test_two_faults_that_name_no_object_are_two_incidents() -> None:
    (first,), (second,), (again,) = (
        logs(f"{line}\n")[0].cases()
        for line in ("mixer: OOMKilled at 09:00:00", "press: OOMKilled at 09:00:00", "mixer: OOMKilled at 10:30:00")
    )
    assert first.diagnosis.subject.name == second.diagnosis.subject.name == ""
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == again.fingerprint


def test_the_same_fault_has_the_same_fingerprint_on_another_day() -> None:
    first = logs(EVENT.format(tail="at 10:01") + "\n")[0].cases()[0]
    second = logs("noise\n" + EVENT.format(tail="at 11:59").replace("3m", "9h") + "\n")[0].cases()[0]
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != logs("calm\n")[0].cases()[0].fingerprint


def test_a_missing_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.txt"):
        LogFiles([str(tmp_path / "nowhere.txt")]).inputs()


@pytest.mark.parametrize(("alert", "echo"), [("Crashing", True), ("OOMKilled", False)])
def test_only_alerts_of_what_some_fault_leads_to_are_its_echo(alert: str, echo: bool) -> None:
    crashing = Signal(id="crash_alert", pattern="Crashing", channels=("alert",), role="symptom")
    loop = Category(id="crashloop", title="Crash loop", severity="warning", signals=(crashing,))
    labels = {"alertname": alert, "namespace": "shop", "pod": "checkout-6d5f7c9b8-x2x4z", "container": "app"}
    told = [{"status": "firing", "labels": labels, "startsAt": "2026-01-01T00:00:00Z"}]
    found = logs(json.dumps(told))[0]
    found.catalogue = CATALOGUE.model_copy(update={"categories": (loop, *CATALOGUE.categories)})
    (case,) = found.cases()
    assert (case.about.rpartition("/")[0], case.echo) == ("/shop/Deployment/checkout", echo)
