"""From a log to the pull request with a scripted model: a draft, its label, its first line, a later run, a merge by nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from remediator.commands.shared import report_of
from remediator.domain.lifecycle import SecondReading
from remediator.graph.nodes.commit_changes import commit_changes
from remediator.graph.state import all_changes
from remediator.report import pull_request
from remediator.wiring import Services, now
from tests.fake_ports import FakeForge
from tests.git_repositories import git, repository, write
from tests.model.model_server import Model, conclude, script
from tests.unit.judgement.model.shop import DEPLOYMENT, FILES, LOG, deployment, memory

if TYPE_CHECKING:
    from remediator.graph.state import IncidentState

UNKNOWN = """\
$ kubectl logs -n shop deploy/store
2026-03-04T07:36:15Z FATAL the frobnicator of store is out of zork
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {**FILES, ".github/remediator.yml": "guardrails: {cooldown_after_close: 0s}\n"}
    made = repository(tmp_path / "gitops", files)
    write(made, {DEPLOYMENT: deployment("store", "shop")})
    git(made, "commit", "-q", "-a", "-m", "Lower the limit of store")
    return made


def run(root: Path, server: Model, log: str, steps: list[str] | None = None) -> tuple[Services, IncidentState]:
    from remediator.settings import Settings

    path = root.parent / "log.txt"
    path.write_text(log, encoding="utf-8")
    environ = {"PATH": git_path(), "OPENAI_MODEL": "small", "OPENAI_BASE_URL": server.url}
    services = Services(
        Settings.from_environ(environ), root, (str(path),), tell=(steps if steps is not None else []).append
    )
    return services, services.driver.start(services.logs.cases()[0]).state


def git_path() -> str:
    import os

    return os.environ["PATH"]


def test_where_no_rule_knows_the_fault_the_models_change_is_a_draft(root: Path) -> None:
    edit = {"kind": "Deployment", "name": "store", "field": "spec.replicas", "value": 3}
    turns = (
        [("try_change", {"edits": [edit], "cites": ["E1"]})],
        [conclude("C1", cites=["E1"], category="application_error")],
    )
    steps: list[str] = []
    with Model(script(*turns)) as server:
        services, state = run(root, server, UNKNOWN, steps)
    assert state["diagnosis"].category == "unknown"
    assert state["workflow_status"] == "awaiting_review"
    assert (state["error_category"], state["affected_apps"]) == ("application_error", ["store"])
    assert list(all_changes(state)) == [DEPLOYMENT]
    assert state["second"].draft == "proposed by small, tried by rendering, not confirmed by a rule"
    title, body = pull_request(report_of(services, state))
    assert title.endswith("set spec.replicas of `store` to 3")
    assert body.splitlines()[1] == "**Proposed by small, tried by rendering, not confirmed by a rule.**"
    assert "Its steps:" in body
    assert steps == list(state["second"].steps)
    assert [step.partition(" ")[0].rstrip(":") for step in steps] == ["try_change", "conclude"]


def test_an_unknown_fault_that_the_model_cannot_tell_needs_a_person(root: Path) -> None:
    with Model(script([("cannot_tell", {"why": "Two causes fit.", "look_at": "the zork"})])) as server:
        _, state = run(root, server, UNKNOWN)
    assert state["workflow_status"] == "needs_person"
    assert all_changes(state) == {}


def test_agreement_opens_the_rules_pull_request_and_says_so(root: Path) -> None:
    with Model(script([conclude()])) as server:
        services, _ = run(root, server, LOG)
        value = services.planner.propose(services.logs.cases()[0].diagnosis).proposals[0].edits[0].value
    for branch in git(root, "branch", "--format=%(refname:short)", "--list", "remediator*").split():
        git(root, "branch", "-q", "-D", branch)
    turns = ([("try_change", {"edits": [memory(value)], "cites": ["E1"]})], [conclude("C1")])
    with Model(script(*turns)) as server:
        services, state = run(root, server, LOG)
    assert state["second"].draft == ""
    assert state["second"].note.startswith("It agrees with the rules.")
    assert state["proposals"][0].source == "rules"
    assert "What the model found" in pull_request(report_of(services, state))[1]


@pytest.mark.parametrize(
    ("when", "log", "asked"),
    [("unsure", LOG, False), ("unsure", UNKNOWN, True), ("always", LOG, True)],
    ids=["the rules are sure", "the rules are silent", "always"],
)
def test_when_a_model_is_asked_is_the_policys_to_say(root: Path, when: str, log: str, asked: bool) -> None:
    policy = root / ".github" / "remediator.yml"
    policy.write_text(policy.read_text(encoding="utf-8") + f"model: {{when: {when}}}\n", encoding="utf-8")
    git(root, "commit", "-q", "-a", "-m", "Say when a model is asked")
    with Model(script([("cannot_tell", {"why": "Two causes fit.", "look_at": "the zork"})])) as server:
        _, state = run(root, server, log)
    assert bool(server.bodies) is asked
    assert bool(state["second"]) is asked


@pytest.mark.parametrize(
    ("source", "draft", "expected"),
    [
        ("model", "not confirmed", (True, True)),
        ("rules", "they disagree", (True, False)),
        ("model", "", (False, False)),
    ],
    ids=["a model's alone", "rules and model disagree", "confirmed"],
)
def test_a_draft_is_told_apart_from_a_change_of_the_models(
    root: Path, source: Literal["model", "rules"], draft: str, expected: tuple[bool, bool]
) -> None:
    with Model(script([("cannot_tell", {"why": "Two causes fit.", "look_at": "the zork"})])) as server:
        services, state = run(root, server, LOG)
    chosen = state["proposals"][0].model_copy(update={"source": source, "id": state["incident"].chosen})
    state["proposals"] = (chosen, *state["proposals"][1:])
    state["second"] = SecondReading(model="small", note="", draft=draft)
    forge = FakeForge()
    commit_changes(state, forge=forge, planner=services.planner, now=now)
    (published,) = forge.branches.values()
    assert (published.draft, published.by_model) == expected
    assert not published.merge
