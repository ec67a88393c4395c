"""The action with a model: the summary says what it cost, the state branch counts the day, the pull request quotes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator.services.checkpoints.token_budget import FILE
from tests.git_repositories import git
from tests.github.stand_in import stand_in
from tests.github.test_action import Action
from tests.model.hostile_model import malicious
from tests.model.model_server import Model
from tests.model.rendered_markdown import acting

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
GITOPS = ROOT / "examples" / "gitops"
LOG = ROOT / "examples" / "incidents" / "oom.txt"
POLICY = """\
model:
  name: small
  base_url: {url}
  timeout: 30
  tokens_per_day: 300000
  price_per_million_input: 0.25
  price_per_million_output: 2
  currency: EUR
"""


@pytest.fixture
def server() -> Iterator[Model]:
    with Model(malicious) as one:
        yield one


@pytest.fixture
def action(tmp_path: Path, server: Model) -> Iterator[Action]:
    files = {str(p.relative_to(GITOPS)): p.read_text() for p in GITOPS.rglob("*") if p.is_file()}
    files[".github/remediator.yml"] = POLICY.format(url=server.url)
    with stand_in(tmp_path, files) as github:
        yield Action(github, tmp_path)


def test_a_run_with_a_model_from_its_log_to_what_it_cost(action: Action, server: Model) -> None:
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_text=LOG.read_text())
    assert (code, out["conclusion"]) == (0, "proposed"), text
    assert server.bodies
    line = re.search(r"Model `small`: asked about 1 incident; .* about 0\.\d{4} EUR; ([\d,]+) of 300,000 tokens", text)
    assert line, text
    counted = git(action.server.world.bare.path, "show", f"remediator-state:{FILE}")
    assert json.loads(counted)["tokens"] == int(line[1].replace(",", "")) > 500
    body = action.server.world.pulls[int(out["pull-request-number"])].body
    assert "What the model found" in body
    assert acting(body) == []

    before = len(server.bodies)
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_text=LOG.read_text())
    assert (code, out["pull-request-operation"]) == (0, "updated"), text
    assert len(server.bodies) == before
    assert "Model `small`" not in text


def test_a_day_that_is_spent_costs_the_second_reading_and_nothing_else(action: Action, server: Model) -> None:
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_text=LOG.read_text(), llm_tokens_per_day="100")
    assert (code, out["conclusion"]) == (0, "proposed"), text
    assert server.bodies == []
    body = action.server.world.pulls[int(out["pull-request-number"])].body
    assert "The model was not heard: the tokens of this day are spent (tokens_per_day)" in body.replace("\\", "")
