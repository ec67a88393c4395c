"""The action as the runner starts it: a process for each event, its environment and its files, against the stand-in."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from remediator.action.inputs import Inputs
from remediator.errors import ConfigError
from remediator.settings import OUTSIDE
from tests.git_repositories import git
from tests.github.hub_state import Artifact
from tests.github.server import Server
from tests.github.stand_in import stand_in
from tests.github.test_artifacts import archive
from tests.servers.http_server import serve
from tests.servers.loki_api import LokiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
GITOPS = ROOT / "examples" / "gitops"
LOG = ROOT / "examples" / "incidents" / "oom.txt"


@dataclass
class Action:
    server: Server
    folder: Path

    def __call__(self, event: str, payload: dict[str, Any], **inputs: str) -> tuple[int, dict[str, str], str]:
        """Exit code, outputs, summary of one run in a fresh checkout."""
        checkout, temp = self.folder / "checkout", self.folder / "temp"
        subprocess.run(["rm", "-rf", str(checkout), str(temp)], check=True)
        temp.mkdir()
        git(self.folder, "clone", "-q", str(self.server.world.bare.path), str(checkout))
        (temp / "event.json").write_text(json.dumps(payload))
        environ = {
            "PATH": os.environ["PATH"], "HOME": str(temp), "GITHUB_ACTIONS": "true", "REMEDIATOR_TOKEN": "bot-token",
            "GITHUB_REPOSITORY": "acme/gitops", "GITHUB_API_URL": self.server.url, "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(temp / "event.json"), "GITHUB_WORKSPACE": str(checkout), "RUNNER_TEMP": str(temp),
            "GITHUB_OUTPUT": str(temp / "output"), "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            **{f"REMEDIATOR_{name.upper()}": text for name, text in inputs.items()},
        }  # fmt: skip
        command = [sys.executable, "-m", "remediator.action"]
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        lines = (temp / "output").read_text().splitlines()
        found = {line.partition("<<")[0]: lines[at + 1] for at, line in enumerate(lines) if "<<end-" in line}
        return done.returncode, found, (temp / "summary").read_text() + done.stdout


@pytest.fixture
def action(tmp_path: Path) -> Iterator[Action]:
    files = {
        str(p.relative_to(GITOPS)): p.read_text() for p in GITOPS.rglob("*") if p.is_file() and ".git" not in p.parts
    }
    with stand_in(tmp_path, files) as server:
        server.world.artifacts = [Artifact(5, "incident", 9, archive(**{"a.txt": LOG.read_text()}))]
        yield Action(server, tmp_path)


def test_a_server_that_could_not_be_read_is_named_in_the_summary_and_the_others_count(action: Action) -> None:
    with serve(LokiServer()) as loki:
        servers = {
            "loki_url": loki.url,
            "loki_selector": '{namespace="shop"}',
            "alertmanager_url": "http://127.0.0.1:1",
        }
        code, out, text = action("schedule", {"schedule": "*/15 * * * *"}, **servers)
    assert (code, out["conclusion"]) == (0, "nothing"), text
    assert "returned nothing new" in text
    assert "alertmanager was not read: Alertmanager cannot be reached" in text


@pytest.mark.thorough
def test_from_a_dispatched_run_with_an_artifact_to_the_note_of_its_merge(action: Action) -> None:
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_artifact="incident", run_id="9")
    assert (code, out["conclusion"], out["pull-request-operation"]) == (0, "proposed", "created"), text
    number = int(out["pull-request-number"])
    assert json.loads(out["pull-requests"])[0]["url"] == out["pull-request-url"]
    body = action.server.world.pulls[number].body
    assert "revert this pull request, or comment `/remediator revert`" in body
    assert "`/remediator help`" in body
    assert "remediator reject" not in body
    assert "recovery is not checked automatically" in body
    assert action.server.world.branch(out["pull-request-branch"]) == out["pull-request-head-sha"]

    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_text=LOG.read_text())
    assert (out["pull-request-operation"], out["pull-request-number"]) == ("updated", str(number)), text

    action.server.world.comment(number, "ada", "/remediator explain\n$(touch /tmp/pwned) ${{ github.token }}")
    body = {"body": "/remediator explain", "user": {"type": "User"}}
    code, _, text = action(
        "issue_comment", {"action": "created", "issue": {"number": number, "pull_request": {}}, "comment": body}
    )
    assert code == 0, text
    again, asked, answer = action.server.world.pulls[number].comments
    assert "seen 2 times" in again.body
    assert asked.reactions[-1][0] == "rocket"
    assert "OOM" in answer.body

    action.server.world.merge(number, "ada")
    pull = {"number": number, "merged": True, "head": {"ref": action.server.world.pulls[number].head}}
    code, out, text = action("pull_request", {"action": "closed", "pull_request": pull})
    assert (code, out["conclusion"], out["verification-status"]) == (0, "verifying", "pending"), text
    assert "Waiting" in action.server.world.pulls[number].comments[0].body

    code, out, text = action("schedule", {}, mode="verify")
    assert (code, out["conclusion"]) == (0, "verifying"), text


@pytest.mark.parametrize(
    ("event", "payload", "inputs", "words"),
    [
        ("push", {}, {}, "nothing to do for push"),
        ("workflow_dispatch", {}, {"disabled": "true", "log_artifact": "incident"}, "Switched off"),
        ("workflow_dispatch", {}, {"log_artifact": "none"}, "does not exist"),
        ("workflow_dispatch", {}, {}, "nothing to read"),
        ("workflow_dispatch", {}, {"log_text": "Name: web  Reason: OOMKilled " * 40}, "the form drops line breaks"),
        ("schedule", {}, {"dry_run": "true"}, "does not answer comments"),
        ("workflow_dispatch", {}, {"dry_run": "true", "log_artifact": "incident"}, "(dry run)"),
    ],
)
def test_what_a_run_says_that_opens_nothing(
    action: Action, event: str, payload: dict[str, Any], inputs: dict[str, str], words: str
) -> None:
    code, out, text = action(event, payload, **inputs)
    assert words in text
    assert (out["pull-request-operation"], out["pull-requests"]) == ("none", "[]")
    assert code == int(out["conclusion"] == "failure")
    assert action.server.world.pulls == {}


def test_every_input_and_output_is_handed_over() -> None:
    described = yaml.safe_load((ROOT / "action.yml").read_text())
    env = next(step["env"] for step in described["runs"]["steps"] if step["name"] == "Run")
    for name in set(described["inputs"]) - {"cache"}:
        variable = name.upper().replace("-", "_")
        variable = variable if variable.startswith("OPENAI_") else f"REMEDIATOR_{variable}"
        own = variable in {*OUTSIDE, "REMEDIATOR_NO_LLM", "REMEDIATOR_CREDENTIALS"} or variable.startswith("OPENAI_")
        handed = f"inputs.{name} || env.{variable}" if own else f"inputs.{name}"
        assert env[variable] == f"${{{{ {handed} }}}}"
    assert set(OUTSIDE) <= set(env)
    from remediator.action.outcome import outputs

    assert set(described["outputs"]) == set(outputs([], "nothing", ""))


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"mode": "sometimes"}, "is not one of auto"),
        ({"max_open_prs": "many"}, "MAX_OPEN_PRS"),
        ({"run_id": "x"}, "run-id"),
    ],
)
def test_an_input_that_cannot_be_meant_still_gives_outputs_and_a_summary(
    action: Action, inputs: dict[str, str], words: str
) -> None:
    code, out, text = action("workflow_dispatch", {}, **inputs)
    assert (code, out["conclusion"]) == (2, "failure")
    assert words in text


def test_a_log_that_speaks_the_runners_language_stays_text(action: Action) -> None:
    log = LOG.read_text().replace("Last State:", "::set-output name=conclusion::resolved Last State:")
    _, _, text = action("workflow_dispatch", {"inputs": {}}, log_text=log + "\n::error::pwned\n", dry_run="true")
    said = text.splitlines()
    stop = next(at for at, line in enumerate(said) if line.startswith("::stop-commands::"))
    token = said[stop].rpartition("::")[2]
    assert said[-1] == f"::{token}::"
    outside = [*said[said.index("::debug::") if "::debug::" in said else stop - 1 : stop]]
    assert not [line for line in outside if "pwned" in line or "set-output" in line]


def test_what_of_an_archive_was_not_read_is_said_where_people_look(action: Action) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        zipped.writestr("a.txt", LOG.read_text())
        link = zipfile.ZipInfo("b.log")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "/etc/passwd")
        zipped.writestr("c.log", archive(inner="x"))
    action.server.world.artifacts = [Artifact(5, "incident", 9, made.getvalue())]
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_artifact="incident", run_id="9")
    assert (code, out["conclusion"]) == (0, "proposed"), text
    assert "b.log: is a symbolic link and was not read" in text
    assert "c.log: is an archive inside an archive and was not read" in text
    assert "root:" not in text


@pytest.mark.parametrize(("name", "text"), [("MODE", "x"), ("FAIL_ON", "x"), ("RUN_ID", "x")])
def test_an_input_that_cannot_be_meant_is_named(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name.lower().replace("_", "-")):
        Inputs.from_environ({f"REMEDIATOR_{name}": text})


def test_a_ticked_box_opens_what_was_held_back(action: Action) -> None:
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_text=LOG.read_text(), max_open_prs="0")
    assert (code, out["pull-request-number"]) == (0, ""), text
    (issue,) = action.server.world.issues.values()
    assert issue.body.count("- [ ]") == 1
    issue.body, issue.editor = issue.body.replace("- [ ]", "- [x]"), "ada"
    payload = {"action": "edited", "issue": {"number": issue.number, "body": issue.body}, "sender": {"type": "User"}}
    code, out, text = action("issues", payload, max_open_prs="0")
    assert code == 0, text
    assert len(action.server.world.pulls) == 1, text
    assert issue.state == "closed"


@pytest.mark.slow
def test_twenty_processes_at_once_on_one_incident_end_in_one_pull_request(action: Action) -> None:
    def run(n: int) -> tuple[int, dict[str, str], str]:
        folder = action.folder / str(n)
        folder.mkdir()
        return Action(action.server, folder)("workflow_dispatch", {"inputs": {}}, log_artifact="incident", run_id="9")

    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(run, range(20)))
    assert [code for code, _, _ in done] == [0] * 20, [text for code, _, text in done if code]
    (pull,) = action.server.world.pulls.values()
    assert {out["pull-request-number"] for _, out, _ in done} == {str(pull.number)}
    assert [name for name in action.server.world.bare.refs() if "inc-" in name] == [f"refs/heads/{pull.head}"]
    code, out, text = action("workflow_dispatch", {"inputs": {}}, log_text=LOG.read_text())
    assert (code, out["pull-request-operation"]) == (0, "updated"), text
    assert "seen 21 times" in pull.comments[0].body
    assert len(pull.comments) == 1
