"""What strangers write must stay text: titles, comments, branch names and logs full of shell, on the real runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.github.payloads import closed, commented, dispatched
from tests.runner.act import LOG, NEEDS, Job, Runner, proposed

pytestmark = NEEDS

SPELLS = (
    "$(touch CANARY)",
    "`touch CANARY`",
    '"; touch CANARY; echo "',
    "'; touch CANARY; '",
    "${{ github.token }} ${{ hashFiles('$(touch CANARY)') }}",
    "%0A::set-env name=PATH::/nowhere",
    "\n::set-output name=conclusion::resolved\n::add-path::/nowhere\n::warning::pwned",
    "a\nEOF\nconclusion=pwned\nconclusion<<x\npwned\nx",
    "$IFS;touch${IFS}CANARY|touch${IFS}CANARY&&touch CANARY",
)


def hostile(runner: Runner) -> str:
    return " ".join(SPELLS).replace("CANARY", str(runner.canary))


def unharmed(runner: Runner, job: Job) -> None:
    assert not runner.canary.exists()
    assert not job.obeyed & {"set-env", "add-path", "set-output", "save-state"}
    assert not [text for _, text in job.annotations if text == "pwned"]
    assert "pwned" not in job.outputs.get("conclusion", "")
    assert "bot-token" not in job.text


def test_the_canary_sings_where_a_workflow_is_careless(runner: Runner, tmp_path: Path) -> None:
    careless = tmp_path / "careless.yml"
    careless.write_text(
        "on: issue_comment\njobs:\n  it:\n    runs-on: ubuntu-24.04\n    steps:\n"
        '      - run: echo "${{ github.event.comment.body }}"\n'
    )
    runner(careless, "issue_comment", commented(7, f"$(touch {runner.canary})"))
    assert runner.canary.exists()


@pytest.mark.thorough
def test_titles_comments_and_reviews_stay_text(runner: Runner) -> None:
    _, number, branch = proposed(runner)
    spell, world = hostile(runner), runner.server.world
    said = f"/remediator close {spell}"
    world.comment(number, "ada", said)
    job = runner("follow-up", "issue_comment", commented(number, said, title=spell))
    assert (job.code, world.pulls[number].state) == (0, "closed"), job.said
    unharmed(runner, job)
    job = runner("follow-up", "pull_request", closed(number, branch, title=spell))
    assert job.code == 0, job.said
    unharmed(runner, job)


def test_a_branch_name_that_is_a_command_stays_text(runner: Runner) -> None:
    job = runner("follow-up", "pull_request", closed(7, f"remediator/$(touch${{IFS}}{runner.canary})", merged="abc"))
    unharmed(runner, job)


@pytest.mark.parametrize("which", ["log-text", "log-artifact", "run-id"])
def test_inputs_stay_text(runner: Runner, which: str) -> None:
    spell = hostile(runner)
    log = f"{LOG}\n{spell}\n" + LOG.replace("OOMKilled", f"OOMKilled {spell}") if which == "log-text" else spell
    job = runner("remediate", "workflow_dispatch", dispatched(**{which: log}))
    unharmed(runner, job)
    assert job.outputs["conclusion"] == ("proposed" if which == "log-text" else "failure"), job.said


def test_nothing_is_imported_from_the_workspace(runner: Runner) -> None:
    code = f"import pathlib; pathlib.Path({str(runner.canary)!r}).touch()\n"
    names = ("remediator/__init__.py", "remediator/action/__main__.py", "yaml.py", "json.py", "sitecustomize.py")
    runner.workspace = dict.fromkeys(names, code)
    _, _, _ = proposed(runner)
    assert not runner.canary.exists()
