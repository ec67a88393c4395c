"""A model's reading in the life of an incident: told, kept, judged anew, and never in charge."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remediator.action.replies import explanation
from remediator.cli import main
from remediator.diagnosis import prompts
from remediator.diagnosis.model.recall import key_of, meanings, recall_answer
from remediator.domain.lifecycle import TAKE_BACK, Review, SecondReading
from remediator.domain.model_answer import ChangeTarget, EvidenceExcerpt, ModelAnswer, ModelQuestion, Offer, Parameter
from remediator.graph.describe import incident_report
from remediator.report import needs_person, pull_request
from remediator.services.checkpoints.documents import document_path
from remediator.settings import Settings
from remediator.wiring import Services
from tests.fake_ports import FakeVerifier
from tests.git_repositories import repository
from tests.graph.incident_run import TWO, World, case, proposal
from tests.model.model_server import Model, asked, completion, garbage, nonsense, opinion, refuses

if TYPE_CHECKING:
    from remediator.graph.state import IncidentState
    from tests.model.model_server import Body, Reply

ROOT = Path(__file__).resolve().parents[2]
OOM = (ROOT / "examples" / "incidents" / "oom.txt").read_text(encoding="utf-8")
UNKNOWN = (ROOT / "tests" / "fixtures" / "categories" / "unknown.txt").read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    gitops = ROOT / "examples" / "gitops"
    files = {str(path.relative_to(gitops)): path.read_text() for path in gitops.rglob("*") if path.is_file()}
    files[".github/remediator.yml"] = "guardrails: {cooldown_after_close: 0s}\n"
    return repository(tmp_path / "gitops", files)


def process(root: Path, server: Model | None, text: str, **environ: str) -> Services:
    """A new process over the same repository."""
    log = root.parent / "log.txt"
    log.write_text(text, encoding="utf-8")
    said = {"OPENAI_MODEL": "small", "OPENAI_BASE_URL": server.url} if server else {}
    return Services(Settings.from_environ({"PATH": os.environ["PATH"], **said, **environ}), root, (str(log),))


def started(found: Services) -> IncidentState:
    return found.driver.start(found.logs.cases()[0]).state


def helpful(body: Body) -> Reply:
    """Names a cause and a value between the bounds, with the evidence that it was shown."""
    text = asked(body)
    ids = re.findall(r"^(E\d+) ", text, re.MULTILINE)
    offers = re.findall(r"^(\w+) at (P\d+); .* or from \S+ to \S+$", text, re.MULTILINE)
    choices = [
        {
            "action": action, "target": target, "evidence": ids, "confidence": 0.7,
            "arguments": [{"name": "value", "value": "640Mi"}],
        }
        for action, target in offers
    ]  # fmt: skip
    claim = {"text": "The cache grew beyond the limit.", "evidence": ids[:1]}
    return completion(body, opinion(root_cause=[claim], choices=choices, category_evidence=ids))


def reject(found: Services) -> None:
    known = found.driver.records()[-1].incident_id
    found.driver.resume(known, Review(kind="closed", by="ann", words="not now", at="2026-01-01T00:00:00Z"))


def test_the_same_incident_asks_once_and_its_answer_is_judged_anew(root: Path) -> None:
    with Model(helpful) as server:
        first = process(root, server, OOM)
        one = started(first)
        reject(first)
        second = process(root, server, OOM + "\n")
        two = started(second)
        assert len(server.bodies) == 1
        assert second.analyst.spent.reused == 1
    assert one["incident"].generation + 1 == two["incident"].generation
    assert not one["second"].recalled
    assert two["second"].recalled
    assert [p.id for p in two["proposals"]] == [p.id for p in one["proposals"]]
    assert any(p.source == "model" for p in two["proposals"])
    _, body = pull_request(incident_report(two))
    assert "given to an earlier occurrence" in body
    assert "The cache grew beyond the limit. (E1)" in body


@pytest.mark.parametrize(
    "environ", [{"OPENAI_MODEL": "large"}, {"REMEDIATOR_LLM_LANGUAGE": "Korean"}], ids=["model", "language"]
)
def test_another_model_or_language_is_asked_anew(root: Path, environ: dict[str, str]) -> None:
    with Model(helpful) as server:
        first = process(root, server, OOM)
        started(first)
        reject(first)
        found = process(root, server, OOM)
        said = {"OPENAI_MODEL": "small", "OPENAI_BASE_URL": server.url, "PATH": os.environ["PATH"], **environ}
        again = started(Services(Settings.from_environ(said), root, found.logs_from))
        assert len(server.bodies) == 2
    assert not again["second"].recalled


def test_a_spoilt_document_of_before_costs_one_more_question(root: Path) -> None:
    with Model(helpful) as server:
        first = process(root, server, OOM)
        one = started(first)
        reject(first)
        store = process(root, server, OOM).store
        assert store
        store.write(store.head(), {document_path(one["incident_id"]): b"{"}, "spoil it")
        two = started(process(root, server, OOM))
        assert len(server.bodies) == 2
    assert two["incident"].generation == one["incident"].generation + 1
    assert two["second"].answer


@pytest.mark.parametrize("behaviour", [nonsense, garbage, refuses])
def test_an_answer_of_no_use_is_not_kept(root: Path, behaviour: Any) -> None:
    with Model(behaviour) as server:
        first = process(root, server, OOM)
        assert started(first)["second"].answer == ""
        reject(first)
        before = len(server.bodies)
        started(process(root, server, OOM))
        assert len(server.bodies) > before


def test_a_kept_answer_is_not_shown_where_no_model_is_asked_any_more(root: Path) -> None:
    with Model(helpful) as server:
        first = process(root, server, OOM)
        started(first)
        reject(first)
    state = started(process(root, None, OOM))
    assert state["second"] is None
    assert "without a model" in pull_request(incident_report(state))[1]


BRIEF = ModelQuestion(
    category="oom",
    severity="critical",
    summary="checkout was OOMKilled",
    windows=(
        EvidenceExcerpt(id="E1", category="oom", signal="oom_killed", text="killed at 10:00"),
        EvidenceExcerpt(id="E2", category="crashloop", signal="back_off", text="back-off"),
        EvidenceExcerpt(id="E3", category="", signal="", text="panic: 7 of 9 lost"),
    ),
    targets=(ChangeTarget(id="P1", value="memory 256Mi"),),
    offers=(Offer(action="raise", targets=("P1",), ends=("oom_killed",), parameters=(Parameter(name="value"),)),),
    categories=("oom",),
)


def test_ids_are_carried_over_by_what_they_stood_for() -> None:
    answer = opinion(
        category_evidence=["E2", "E9"],
        root_cause=[{"text": "a", "evidence": ["E1", "E3"]}],
        choices=[{"action": "raise", "target": "P1", "arguments": [], "evidence": ["E1"], "confidence": 1}],
    )
    kept = SecondReading(model="m", note="", key=key_of("m", BRIEF), answer=answer, meant=meanings(BRIEF))
    now = BRIEF.model_copy(
        update={
            "windows": (
                EvidenceExcerpt(id="E1", category="", signal="", text="panic: 8 of 12 lost"),
                EvidenceExcerpt(id="E2", category="oom", signal="oom_killed", text="killed at 11:00"),
            ),
            "targets": (ChangeTarget(id="P1", value="cpu 1"), ChangeTarget(id="P2", value="memory 512Mi")),
            "offers": (
                Offer(action="other", targets=("P1",), ends=()),
                BRIEF.offers[0].model_copy(update={"targets": ("P2",)}),
            ),
        }
    )
    moved = ModelAnswer.model_validate_json(recall_answer(kept, key_of("m", now), now))
    assert moved.category_evidence == ("-",)
    assert moved.root_cause[0].evidence == ("E2", "E1")
    assert (moved.choices[0].target, moved.choices[0].evidence) == ("P2", ("E2",))
    assert recall_answer(kept, key_of("other", now), now) == ""
    assert recall_answer(kept.model_copy(update={"answer": "{"}), kept.key, now) == ""
    assert prompts.VERSION in kept.key


# Where no rule knows it


def reads_as(category: str, evidence: tuple[str, ...] = ("E1",)) -> Any:
    def behave(body: Body) -> Reply:
        claim = {"text": "The ledger's head is from another epoch.", "evidence": list(evidence)}
        return completion(
            body,
            opinion(category=category, category_evidence=list(evidence), root_cause=[claim], choices=[CHOICE]),
        )

    return behave


CHOICE = {
    "action": "raise_memory_limit", "target": "P1", "evidence": ["E1"], "confidence": 1,
    "arguments": [{"name": "value", "value": "1Gi"}],
}  # fmt: skip


def test_what_no_rule_knows_is_advice_for_a_person_and_nothing_else(root: Path) -> None:
    alone = started(process(root, None, UNKNOWN))
    with Model(reads_as("storage_error")) as server:
        started(process(root, server, UNKNOWN))
        state = started(process(root, server, UNKNOWN + " "))
        assert len(server.bodies) == 1
        assert "ledger head does not match" in asked(server.bodies[0])
    assert alone["error_category"] == state["error_category"] == "unknown"
    assert alone["incident"].fingerprint == state["incident"].fingerprint
    assert (alone["workflow_status"], state["workflow_status"]) == ("recorded", "needs_person")
    assert state["proposals"] == ()
    assert state["git_changes"] == {}
    text = needs_person(incident_report(state))
    assert "no rule matches; the model small suggests storage_error" in text
    assert "> The ledger's head is from another epoch. (E1)" in text
    assert '> E1: level=fatal msg="ledger head does not match its proof"' in text.replace("\\", "")


@pytest.mark.parametrize(
    "behaviour",
    [nonsense, garbage, refuses, reads_as("storage_error", ()), reads_as("storage_error", ("E7",)), reads_as("no_such"),
     reads_as("unknown"), reads_as("info")],
)  # fmt: skip
def test_what_no_rule_knows_stays_recorded_where_the_model_has_no_evidence(root: Path, behaviour: Any) -> None:
    with Model(behaviour) as server:
        state = started(process(root, server, UNKNOWN))
        assert server.bodies
    assert state["workflow_status"] == "recorded"


def test_a_calm_log_asks_nobody(root: Path) -> None:
    with Model(helpful) as server:
        state = started(process(root, server, "$ kubectl logs deploy/shop\nlevel=info msg=started\n"))
        assert server.bodies == []
    assert state["second"] is None


# Never in charge


def with_the_models(*, first: bool = False) -> Any:
    added = proposal("raise_memory_limit#model1", "memory: 3Gi\n").model_copy(update={"source": "model"})
    rules = TWO.proposals[:1]
    return TWO.model_copy(update={"proposals": (added, *rules) if first else (*rules, added)})


def test_the_models_value_is_proposed_only_when_a_reviewer_asks_for_it() -> None:
    world = World()
    world.planner.plan = with_the_models(first=True)
    assert world.start().state["incident"].chosen == "raise_memory_limit"
    state = world.answer("changes_requested", by="ann", words="use 1").state
    assert state["incident"].chosen == "raise_memory_limit#model1"
    text = explanation(state)
    assert "(the model's value)" in text


def test_the_models_value_is_not_the_next_attempt_when_a_fix_fails() -> None:
    world = World(verifiers=(FakeVerifier(["failed"]),))
    world.planner.plan = with_the_models()
    world.start()
    state = world.merge().state
    assert state["incident"].attempt == 2
    assert state["incident"].chosen == TAKE_BACK


@pytest.mark.parametrize(("option", "status"), [(1, "awaiting_review"), (2, "verifying")])
def test_the_models_value_never_merges_by_itself(option: int, status: str) -> None:
    world = World(cases=(case(severity="warning"),))
    world.planner.plan = with_the_models(first=True)
    world.start()
    world.planner.alone = True
    assert world.answer("changes_requested", by="ann", words=f"use {option}").state["workflow_status"] == status


def test_explain_tells_what_came_from_whom(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Model(helpful) as server:
        state = started(process(root, server, OOM))
    text = explanation(state)
    assert "What the model said" in text
    assert "Everything above comes from the rules, except the options marked as the model's." in text
    assert "> The cache grew beyond the limit. (E1)" in text
    assert main(["explain", state["incident_id"], "--repo", str(root)]) == 0
    told = capsys.readouterr().out
    assert f"model    small (prompt {prompts.VERSION}); the rules' answer above stands" in told
    assert "The cache grew beyond the limit. (E1)" in told
    _, body = pull_request(incident_report(state))
    assert f"with the model `small` (prompt {prompts.VERSION})" in body
    assert "*(the model's value)*" in body
