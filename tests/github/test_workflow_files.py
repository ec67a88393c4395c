"""What the workflows and the examples promise, read from their text; the checkers of CI see the rest."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
REUSABLE = sorted(path for path in (ROOT / ".github/workflows").glob("*.yml") if path.name != "ci.yml")
EXAMPLES = sorted((ROOT / "examples/workflows").glob("*.yml"))
ALL = [*REUSABLE, *EXAMPLES]
INPUTS = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]

OWN = {"working-directory", "disabled", "mode", "log-path"}
"""What the reusable workflows decide themselves: the checkout, the switch, the mode; files of a runner need steps before."""
READING = {
    "log-artifact",
    "run-id",
    "repository",
    "log-text",
    "source",
    "workflows",
    "query",
    "since",
    "target",
    "dry-run",
}
"""What only a run that reads logs is told."""
RENAMED = {"kubernetes-kubeconfig": "kubeconfig"}


def read(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return found


def named(path: Path) -> str:
    return path.stem


def is_secret(name: str) -> bool:
    return name.endswith(("token", "password", "api-key", "kubeconfig", "credentials"))


@pytest.mark.parametrize("path", REUSABLE, ids=named)
def test_every_input_of_the_action_is_within_reach(path: Path) -> None:
    workflow = read(path)
    called, (job,) = workflow[True]["workflow_call"], workflow["jobs"].values()
    given = job["steps"][-1]["with"]
    wanted = set(INPUTS) - OWN - (set() if path.stem == "remediate" else READING)
    assert wanted <= set(given)
    for name in wanted - {"token"}:
        outer = RENAMED.get(name, name)
        kind, place = ("secrets", called["secrets"]) if is_secret(name) else ("inputs", called["inputs"])
        assert given[name] == f"${{{{ {kind}.{outer} }}}}"
        assert outer in place
    assert given["token"] == "${{ secrets.token || github.token }}"
    assert given["disabled"] == "${{ vars.REMEDIATOR_OFF }}"


@pytest.mark.parametrize("path", REUSABLE, ids=named)
def test_an_input_means_by_default_what_the_action_means(path: Path) -> None:
    for name, described in read(path)[True]["workflow_call"]["inputs"].items():
        if name != "runs-on":
            default = described["default"]
            assert (str(default).lower() if isinstance(default, bool) else default) == INPUTS[name]["default"]


@pytest.mark.parametrize("path", ALL, ids=named)
def test_nothing_is_allowed_at_the_top_and_jobs_say_what_they_need(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert not job["permissions"].items() & {("id-token", "write"), ("actions", "write")}
        assert job.get("concurrency", {}).get("cancel-in-progress", False) is False


@pytest.mark.parametrize("path", [ROOT / "action.yml", *ALL], ids=named)
def test_no_step_runs_text_that_an_expression_makes(path: Path) -> None:
    steps = [step for job in read(path).get("jobs", {}).values() for step in job.get("steps", ())]
    steps += read(path).get("runs", {}).get("steps", ())
    for step in steps:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", [ROOT / "action.yml", *ALL], ids=named)
def test_other_peoples_code_is_pinned(path: Path) -> None:
    for use in re.findall(r"uses: (\S+)", path.read_text()):
        assert re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}|OWNER/remediator(/\S+)?@SHA|\./\.remediator", use), use


@pytest.mark.parametrize("path", ALL, ids=named)
def test_code_and_policies_come_from_the_default_branch(path: Path) -> None:
    for job in read(path)["jobs"].values():
        for step in job.get("steps", ()):
            if "checkout" in step.get("uses", ""):
                assert step["with"]["ref"] in {
                    "${{ github.event.repository.default_branch }}",
                    "${{ job.workflow_sha }}",
                }
                assert step["with"]["persist-credentials"] is False


def test_the_caller_filters_what_the_called_one_would() -> None:
    outer, inner = (
        read(ROOT / place / "follow-up.yml")["jobs"]["follow-up"]
        for place in ("examples/workflows", ".github/workflows")
    )
    assert outer["if"] == inner["if"]
    # One group for both would let a run wait for itself.
    assert outer["concurrency"]["group"] != inner["concurrency"]["group"]


@pytest.mark.parametrize("path", EXAMPLES, ids=named)
def test_a_caller_grants_what_the_called_one_asks_for(path: Path) -> None:
    for job in read(path)["jobs"].values():
        if "uses" in job:
            (called,) = read(ROOT / job["uses"].split("@")[0].removeprefix("OWNER/remediator/"))["jobs"].values()
            assert called["permissions"].items() <= job["permissions"].items()


def test_what_the_readme_says_to_do_gives_workflows_that_are_pinned(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    script = text[text.index("```sh\nmkdir -p .github/workflows\n") :].split("```")[1].removeprefix("sh\n")
    for name, value in {"REMEDIATOR/": f"{ROOT}/", "YOUR-OWNER": "acme", "COMMIT": "0123456789" * 4}.items():
        script = script.replace(name, value)
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, check=True)
    made = sorted((tmp_path / ".github/workflows").glob("*.yml"))
    assert [path.stem for path in made] == ["follow-up", "remediate", "verify"]
    for path in made:
        (job,) = read(path)["jobs"].values()
        assert re.fullmatch(r"acme/remediator/\.github/workflows/[\w-]+\.yml@[0-9]{40}", job["uses"])
