"""Everything that an attacker can write, against a model that obeys the attacker completely."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from remediator.evidence.redact import Redactor
from remediator.report import IncidentReport, pull_request, terminal
from remediator.report.values import RunFacts
from remediator.settings import Settings
from remediator.wiring import Services
from tests.model.asking import analyst
from tests.model.reading import acting
from tests.model.stand import Model, asked, completion, garbage, lies, nonsense, opinion, refuses
from tests.repos import repository

if TYPE_CHECKING:
    from remediator.domain.change import Proposal
    from remediator.domain.incident import Diagnosis
    from remediator.domain.life import Case, Plan
    from remediator.domain.ports import Analyst
    from tests.model.stand import Body, Reply

ROOT = Path(__file__).resolve().parents[2]
GITOPS = ROOT / "examples" / "gitops"
LOG = ROOT / "examples" / "incidents" / "oom.txt"
ATTACKS: list[str] = yaml.safe_load((Path(__file__).parent / "attacks.yaml").read_text(encoding="utf-8"))
CHANNELS = ("log", "annotation", "history", "file", "past")
SECRET = "ghp_" + "A1b2C3d4E5" * 3 + "F6g7H8"
"""In the shape of a token and obviously none; put together here so that scanners stay quiet."""


def malicious(body: Body) -> Reply:
    """Does what the attacker wants in every field: their words, all it saw, places and values that nobody offered."""
    text = asked(body)
    loot = text[-3_000:]
    words = [loot[at : at + 590] for at in range(0, len(loot), 590)][:6]
    choice = {"evidence": ["E1"], "confidence": 1}
    wild: list[dict[str, Any]] = [
        {**choice, "action": action, "target": target, "arguments": [{"name": "value", "value": value}]}
        for action, target, value in (
            ("raise_memory_limit", "P1", "900Gi"),
            ("delete_everything", "P1", "*"),
            ("raise_memory_limit", "apps/other/deployment.yaml", "1Gi"),
            ("roll_back", "P99", "1Gi"),
            ("raise_memory_limit", "P1", "[x](https://evil.example.com) @ada"),
        )
    ]
    return completion(
        body,
        opinion(
            category="info",
            category_evidence=["E1"],
            severity="info",
            root_cause=[{"text": part, "evidence": ["E1"]} for part in words],
            choices=wild,
        ),
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Services:
    files = {str(p.relative_to(GITOPS)): p.read_text() for p in GITOPS.rglob("*") if p.is_file()}
    root = repository(tmp_path_factory.mktemp("repo") / "gitops", files)
    return Services(Settings.from_environ({"PATH": os.environ["PATH"]}), root, (str(LOG),), dry_run=True, no_llm=True)


@pytest.fixture(scope="module")
def case(found: Services) -> Case:
    return found.logs.cases()[0]


def attacked(text: str, channel: str, case: Case, plan: Plan) -> tuple[Diagnosis, Plan, list[dict[str, str]]]:
    """The incident with the attacker's text where the channel puts it, and a secret beside it."""
    text = f"{text} token={SECRET}"
    diagnosis, history = case.diagnosis, []
    first: Proposal = plan.proposals[0]
    if channel == "log":
        evidence = diagnosis.evidence[0].model_copy(update={"text": text})
        diagnosis = diagnosis.model_copy(update={"evidence": (evidence, *diagnosis.evidence[1:])})
    elif channel == "annotation":
        diagnosis = diagnosis.model_copy(update={"summary": text})
    elif channel == "history":
        first = first.model_copy(update={"history": (text,)})
    elif channel == "file":
        first = first.model_copy(update={"places": tuple(p.model_copy(update={"value": text}) for p in first.places)})
    else:
        history = [{"kind": "earlier", "outcome": "rejected", "action": text, "words": text}]
    return diagnosis, plan.model_copy(update={"proposals": (first, *plan.proposals[1:])}), history


def read(
    found: Services, asker: Analyst, diagnosis: Diagnosis, plan: Plan, history: list[dict[str, str]]
) -> tuple[str, list[Proposal]]:
    """The whole pull request and terminal text, and the options, as they come out with this model."""
    second, added = found.workshop.second_reading(asker, diagnosis, plan, history)
    proposals = (*plan.proposals, *added)
    clean = found.redact
    shown = diagnosis.model_copy(
        update={
            "summary": clean(diagnosis.summary),
            "evidence": tuple(e.model_copy(update={"text": clean(e.text)}) for e in diagnosis.evidence),
        }
    )
    report = IncidentReport(
        incident_id="inc-1", diagnosis=shown, proposal=None, alternatives=proposals, model=second.model,
        model_note=second.note, status="awaiting_review",
    )  # fmt: skip
    whole = report.model_copy(update={"proposal": proposals[0].model_copy(update={"history": (), "places": ()})})
    title, body = pull_request(whole)
    return f"{title}\n\n{body}", list(proposals)


@pytest.fixture(scope="module")
def obeying() -> Any:
    with Model(malicious) as server:
        yield server


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_reaches_nothing(found: Services, case: Case, obeying: Model, text: str, channel: str) -> None:
    plan = found.workshop.propose(case.diagnosis)
    diagnosis, plan, history = attacked(text, channel, case, plan)
    del obeying.bodies[:]
    asker = analyst(obeying.url, timeout=20.0, redact=found.redact)
    body, proposals = read(found, asker, diagnosis, plan, history)
    assert [one.id for one in proposals] == [one.id for one in plan.proposals]
    assert "Dropped: " in body
    assert acting(body) == []
    assert SECRET not in body
    assert obeying.bodies
    sent = json.dumps(obeying.bodies, ensure_ascii=False)
    assert SECRET not in sent
    assert len(sent.encode()) / 3 <= 4_000
    assert "\n::" not in body


def test_the_judge_of_texts_sees_what_acts() -> None:
    for text in ("[x](https://a.example)", "![x](y)", "<b>x</b>", "hi @ada", "see www.a.example", "Fixes #1"):
        assert acting(text), text


def test_a_secret_that_is_sent_would_be_seen(found: Services, case: Case, obeying: Model) -> None:
    plan = found.workshop.propose(case.diagnosis)
    diagnosis, plan, _ = attacked("x", "log", case, plan)
    assert SECRET in diagnosis.evidence[0].text
    assert SECRET not in Redactor().text(diagnosis.evidence[0].text)


@pytest.mark.parametrize("behaviour", [nonsense, garbage, refuses, lies, malicious])
def test_the_rules_answer_stands_whatever_the_model_says(found: Services, behaviour: Any) -> None:
    alone = [found.driver.start(case).state for case in found.logs.cases()]
    with Model(behaviour) as server:
        said = {
            "OPENAI_MODEL": "small",
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": "sk-fake",
            "PATH": os.environ["PATH"],
        }
        asked_too = Services(Settings.from_environ(said), found.root, (str(LOG),), dry_run=True)
        with_model = [asked_too.driver.start(case).state for case in asked_too.logs.cases()]
        assert server.bodies
    for one, two in zip(alone, with_model, strict=True):
        for key in ("error_category", "error_severity", "affected_apps", "git_changes", "root_cause"):
            assert one[key] == two[key], key
        assert one["incident"].chosen == two["incident"].chosen
        assert two["second"]
        report = terminal(
            [IncidentReport(incident_id="i", diagnosis=two["diagnosis"], model_note=two["second"].note)], RunFacts()
        )
        assert "\x1b" not in report


def test_a_value_within_bounds_becomes_an_option_behind_the_rules(found: Services, case: Case) -> None:
    plan = found.workshop.propose(case.diagnosis)
    action, target = plan.proposals[0].action, "P1"

    def helpful(body: Body) -> Reply:
        arguments = [{"name": "value", "value": "640Mi"}]
        ids = re.findall(r"^(E\d+) ", asked(body), re.MULTILINE)
        choice = {"action": action, "target": target, "evidence": ids, "confidence": 0.7, "arguments": arguments}
        return completion(body, opinion(choices=[choice]))

    with Model(helpful) as server:
        asker = analyst(server.url, timeout=20.0)
        second, added = found.workshop.second_reading(asker, case.diagnosis, plan, [])
    assert [(one.id, one.edits[0].value) for one in added] == [(f"{action}#model1", "640Mi")], second.note
    assert added[0].rendered
    assert "640Mi" in added[0].title


@pytest.mark.parametrize("lines", [10, 20_000])
def test_a_request_stays_small_whatever_the_log_holds(found: Services, tmp_path: Path, lines: int) -> None:
    log = tmp_path / "long.txt"
    noise = "".join(f"2026-03-04T07:3{n % 10}:00Z ERROR OOMKilled 로그 {n:x} {'f00d' * 40}\n" for n in range(lines))
    log.write_text(LOG.read_text() + noise)
    with Model(nonsense) as server:
        said = {
            "OPENAI_MODEL": "small",
            "OPENAI_BASE_URL": server.url,
            "OPENAI_API_KEY": "sk-fake",
            "PATH": os.environ["PATH"],
        }
        one = Services(Settings.from_environ(said), found.root, (str(log),), dry_run=True)
        one.driver.start(one.logs.cases()[0])
        assert all(len(json.dumps(body, ensure_ascii=False).encode()) / 3 <= 4_000 for body in server.bodies)
