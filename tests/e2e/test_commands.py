"""The commands as a person uses them: each call a process of its own, but for the imports."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator import remedies
from remediator.domain.change import Edit
from remediator.domain.lifecycle import RemediationPlan
from tests.fake_ports import FakePlanner
from tests.git_repositories import git, write
from tests.graph.incident_run import FILE, TWO, case, proposal

if TYPE_CHECKING:
    from remediator.domain.incident import Diagnosis
    from tests.e2e.conftest import Command

ID = "inc-3f9a2c-1"
PRESENT = {
    "incident_id",
    "error_category",
    "error_severity",
    "affected_apps",
    "root_cause",
    "suggested_actions",
    "proposals",
    "evidence",
    "git_changes",
    "commit_message",
    "workflow_status",
    "verification_status",
    "reason",
}


def everything(root: Path) -> dict[str, str]:
    """Every file below a folder with a digest of its contents, git's own included."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_run_then_approve(remediator: Command, root: Path) -> None:
    answer = remediator.run()
    assert answer.code == 0
    assert f"approve: remediator approve {ID}" in answer.out
    assert git(root, "log", "-1", "--format=%s", f"remediator/{ID}-1").startswith("fix(checkout): ")
    answer = remediator("approve", ID)
    assert answer.code == 0
    assert "verification pending: no verifier configured" in answer.out
    assert "success" not in answer.out
    assert answer.out.endswith(f"when it has recovered: remediator feedback {ID} confirm --repo {root}\n")
    assert (root / FILE).read_text() == "memory: 2Gi\n"
    assert git(root, "status", "--porcelain") == ""
    assert "no open incident" not in remediator("list").out
    status = remediator("status", "3f9").out
    assert "verifying" in status
    assert "no verifier configured" in status
    assert status.endswith(f"when it has recovered: remediator feedback {ID} confirm --repo {root}\n")


def test_json_is_one_array_and_nothing_else_on_stdout(remediator: Command) -> None:
    answer = remediator.run("--json", "--dry-run")
    (incident,) = answer.json
    assert set(incident) >= PRESENT
    assert incident["git_changes"] == {FILE: "memory: 2Gi\n"}
    assert incident["suggested_actions"] == ["raise_memory_limit", "roll_back"]
    assert incident["proposals"][0]["place"]["file"] == FILE
    assert incident["proposals"][0]["evidence"] == ["E1"]
    assert (incident["workflow_status"], incident["verification_status"]) == ("awaiting_review", "pending")
    assert "remediator: reading log.txt" in answer.err


def test_deleted_files_are_null(remediator: Command) -> None:
    gone = proposal("restore_file", "x")
    edit = gone.edits[0].model_copy(update={"op": "remove", "value": None})
    remediator.planner = FakePlanner(RemediationPlan(proposals=(gone.model_copy(update={"edits": (edit,)}),)))
    assert remediator.run("--json", "--dry-run").json[0]["git_changes"] == {FILE: None}
    assert remediator.run().code == 0
    assert git(remediator.root, "ls-tree", "-r", "--name-only", f"remediator/{ID}-1") == "README.md"


def test_a_dry_run_changes_nothing_anywhere(remediator: Command, root: Path) -> None:
    before = everything(root)
    answer = remediator.run("--dry-run")
    assert everything(root) == before
    assert "-memory: 1Gi" in answer.out
    assert "+memory: 2Gi" in answer.out
    assert "fix(checkout): raise memory limit" in answer.out


def test_a_dry_run_works_in_a_plain_folder_and_a_run_does_not(remediator: Command, tmp_path: Path) -> None:
    write(tmp_path / "plain", {FILE: "memory: 1Gi\n"})
    remediator.root = tmp_path / "plain"
    assert remediator.run("--dry-run", "--json").json[0]["git_changes"] == {FILE: "memory: 2Gi\n"}
    answer = remediator.run()
    assert answer.code == 2
    assert "not a git repository" in answer.err
    assert answer.out == ""


def test_a_dry_run_on_an_unborn_branch_and_on_a_detached_head(remediator: Command, root: Path, tmp_path: Path) -> None:
    git(root, "switch", "-q", "--detach")
    assert remediator.run("--dry-run", "--json").json[0]["git_changes"]
    answer = remediator.run("--json")
    assert answer.code == 2
    assert answer.json[0]["git_changes"]
    assert "detached" in answer.json[0]["reason"]
    remediator.root = tmp_path / "unborn"
    remediator.root.mkdir()
    git(remediator.root, "init", "-q")
    write(remediator.root, {FILE: "memory: 1Gi\n"})
    assert remediator.run("--dry-run").code == 0
    assert "no commit yet" in remediator.run().err


def test_one_incidents_fault_does_not_cost_the_others(remediator: Command, root: Path) -> None:
    remediator.cases = [case(), case(category="config_error", fingerprint="ab" * 32, name="other")]
    git(root, "branch", "remediator")
    answer = remediator.run("--json")
    assert answer.code in {1, 2}
    first, second = answer.json
    assert (first["workflow_status"], second["workflow_status"]) == ("failed", "failed")
    assert "rename it" in first["reason"]
    assert first["git_changes"] == {FILE: "memory: 2Gi\n"}
    assert second["git_changes"] == {FILE: "memory: 2Gi\n# other\n"}
    assert first["commit_message"]
    git(root, "branch", "-D", "remediator")
    assert remediator.run().code == 0


def test_what_failed_is_not_shown_as_something_to_approve(remediator: Command, root: Path) -> None:
    git(root, "branch", "remediator")
    out = remediator.run().out
    assert "rename it" in out
    assert "approve" not in out


def test_a_dry_runs_changes_of_one_file_add_up(remediator: Command) -> None:
    text = "memory: 1Gi\ncpu: 1\n"
    write(remediator.root, {FILE: text})
    git(remediator.root, "commit", "-q", "-a", "-m", "Two values")
    remediator.cases = [case(), case(category="config_error", fingerprint="ab" * 32)]
    edits = {"oom": ("memory", "2Gi"), "config_error": ("cpu", 2)}

    class StubPlanner(FakePlanner):
        def propose(self, diagnosis: Diagnosis) -> RemediationPlan:
            key, value = edits[diagnosis.category]
            edit = Edit(op="set", file=FILE, path=(key,), value=value)
            return RemediationPlan(proposals=(proposal(f"set_{key}", "x").model_copy(update={"edits": (edit,)}),))

        edit = staticmethod(remedies.changes)

    remediator.planner = StubPlanner()
    first, second = remediator.run("--dry-run", "--json").json
    assert first["git_changes"] == {FILE: "memory: 2Gi\ncpu: 1\n"}
    assert second["git_changes"] == {FILE: "memory: 2Gi\ncpu: 2\n"}
    first, second = remediator.run("--json").json
    assert second["git_changes"] == {FILE: "memory: 1Gi\ncpu: 2\n"}


def test_a_bug_of_ours_is_reported_and_contained(remediator: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    remediator.cases = [case(), case(category="config_error", fingerprint="ab" * 32)]
    good = FakePlanner.propose

    def propose(self: FakePlanner, diagnosis: object) -> RemediationPlan:
        if getattr(diagnosis, "category", "") == "oom":
            raise KeyError("boom")
        return good(self, diagnosis)  # type: ignore[arg-type]

    monkeypatch.setattr(FakePlanner, "propose", propose)
    answer = remediator.run("--json")
    assert answer.code == 1
    first, second = answer.json
    assert (first["workflow_status"], second["workflow_status"]) == ("failed", "awaiting_review")
    assert first["error_category"] == "oom"
    assert "internal error" in first["reason"]
    assert "Traceback" not in answer.err


def test_exit_codes_of_a_run(remediator: Command) -> None:
    remediator.planner = FakePlanner(RemediationPlan(reason="rotate the credential"))
    answer = remediator.run("--json")
    assert (answer.code, answer.json[0]["workflow_status"], answer.json[0]["reason"]) == (
        3,
        "needs_person",
        "rotate the credential",
    )
    remediator.cases = [case(category="info", severity="info")]
    assert remediator.run().code == 0


def test_reject_is_remembered_and_keeps_quiet(remediator: Command, root: Path) -> None:
    remediator.run()
    answer = remediator("reject", ID, "--reason", "the JVM leaks")
    assert (answer.code, answer.out) == (0, f"{ID}: rejected: the JVM leaks\n")
    assert git(root, "for-each-ref", "--format=%(refname:short)") == "main\nremediator-state"
    (incident,) = remediator.run("--json").json
    assert incident["reason"] == "rejected: the JVM leaks; quiet until 2026-01-04T00:00:00Z"
    assert git(root, "for-each-ref", "--format=%(refname:short)") == "main\nremediator-state"
    remediator.time += timedelta(days=4)
    remediator.run()
    assert "remediator/inc-3f9a2c-2-1" in git(root, "for-each-ref", "--format=%(refname:short)")


def test_every_printed_command_can_be_pasted(remediator: Command, root: Path) -> None:
    said = remediator.run().out + remediator("status", ID).out + remediator("approve", ID).out
    said += remediator("approve", ID).err + remediator("list").out + remediator("show", "nothing").err
    commands = re.findall(r"  \w+: remediator (\w+[^\n]*)", said)
    commands += re.findall(r"`remediator (\w+[^`]*)`", " ".join(said.split()))
    assert {one.split()[0] for one in commands} >= {"approve", "reject", "show", "status", "list"}
    assert [one for one in commands if f"--repo {root}" not in one] == []
    assert f"feedback {ID} confirm --repo {root}\n" in said


def test_what_needs_a_person_can_be_ended(remediator: Command, root: Path) -> None:
    remediator.planner = FakePlanner(RemediationPlan(reason="rotate the credential"))
    answer = remediator.run()
    assert answer.code == 3
    assert f"  close this incident: remediator reject {ID} --reason '…' --repo {root}\n" in answer.out
    assert f"\n{ID}: checkout" in answer.out
    assert "E1 log.txt:3" in answer.out
    assert "needs a person" in remediator("list").out
    assert f"remediator reject {ID} --reason" in remediator("status", ID).out
    assert "it needs a person" in remediator("approve", ID).err
    answer = remediator("reject", ID, "--reason", "rotated")
    assert (answer.code, answer.out) == (0, f"{ID}: rejected: rotated\n")
    assert "no open incident" in remediator("list").out
    assert "rejected" in remediator("status", ID).out
    assert remediator("reject", ID, "--reason", "again").code == 2
    (incident,) = remediator.run("--json").json
    assert incident["reason"] == "rejected: rotated; quiet until 2026-01-04T00:00:00Z"
    remediator.time += timedelta(days=4)
    remediator.planner = FakePlanner(TWO)
    assert remediator.run().code == 0
    assert f"remediator/{ID}-1" in git(root, "for-each-ref", "--format=%(refname:short)")


def test_feedback_revises_the_same_branch(remediator: Command, root: Path) -> None:
    remediator.run()
    answer = remediator("feedback", ID, "use 2")
    assert answer.code == 0
    assert "+memory: 4Gi" in answer.out
    assert git(root, "show", f"remediator/{ID}-1:{FILE}") == "memory: 4Gi"
    assert git(root, "rev-list", "--count", f"main..remediator/{ID}-1") == "1"
    answer = remediator("feedback", ID, "make", "it", "faster")
    assert (answer.code, "nothing was changed: this is no command" in answer.out) == (0, True)
    assert "the commands are `use N`" in answer.out
    assert git(root, "show", f"remediator/{ID}-1:{FILE}") == "memory: 4Gi"
    assert "+memory: 2Gi" in remediator("feedback", ID, "use", "1").out


@pytest.mark.parametrize("words", [("/remediator use 7",), ("use", "7"), ("use 0",)])
def test_an_option_that_is_not_there_is_refused(remediator: Command, words: tuple[str, ...]) -> None:
    remediator.run()
    answer = remediator("feedback", ID, *words)
    assert (answer.code, answer.out) == (2, "")
    assert "only 1 to 2" in answer.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("use", "use needs the number of an option"),
        ("use x", "not 'x'"),
        ("set foo", "set needs PATH=VALUE, such as `set limits.memory=1Gi`, not 'foo'"),
        ("ignore", "ignore needs a duration such as 12h or 7d\n"),
        ("ignore soon", "ignore needs a duration such as 12h or 7d, not 'soon'"),
        ("set limits.memory=9Ti", "9Ti is out of bounds"),
    ],
)
def test_half_a_command_is_refused_and_uses_no_round_up(remediator: Command, words: str, says: str) -> None:
    remediator.planner = FakePlanner(TWO, out_of_bounds="9Ti")
    remediator.run()
    answer = remediator("feedback", ID, words)
    assert (answer.code, answer.out) == (2, "")
    assert says in answer.err
    for _ in range(6):
        remediator("feedback", ID, "bogus")
    assert "+memory: 4Gi" in remediator("feedback", ID, "use 2").out


def test_where_there_is_one_option_only_a_second_one_is_declined(remediator: Command) -> None:
    remediator.planner = FakePlanner(RemediationPlan(proposals=(proposal("raise_memory_limit", "memory: 2Gi\n"),)))
    remediator.run()
    answer = remediator("feedback", ID, "use 2")
    assert (answer.code, answer.out) == (2, "")
    assert "only one option; decline it with" in answer.err
    assert f"remediator feedback {ID} 'close REASON'" in answer.err


@pytest.mark.parametrize("argv", [("reject", ID, "--reason", " "), ("feedback", ID, "")])
def test_an_answer_without_words_is_refused(remediator: Command, argv: tuple[str, ...]) -> None:
    remediator.run()
    assert remediator(*argv).code == 2
    assert "awaiting review" in remediator("status", ID).out


def test_the_words_of_a_pull_request_work_here_too(remediator: Command, root: Path) -> None:
    remediator.run()
    assert "close REASON" in remediator("feedback", ID, "help").out
    assert "nothing was changed" not in remediator("feedback", ID, "explain").out
    assert "is not merged: decline it" in remediator("feedback", ID, "revert").err
    assert "not merged" in remediator("feedback", ID, "verify").err
    assert "give a reason" in remediator("feedback", ID, "close").err
    assert "awaiting review" in remediator("status", ID).out

    remediator("approve", ID)
    answer = remediator("feedback", ID, "/remediator revert")
    assert answer.code == 0, answer.err
    assert f"remediator/{ID}-2" in git(root, "for-each-ref", "--format=%(refname:short)")
    assert "A person asked for the revert." in answer.out
    assert "did not end" not in answer.out
    assert f"{ID}: remediator/{ID}-2 proposed; approve: " in answer.out
    assert "(revert)" in remediator("list").out
    answer = remediator("feedback", ID, "close", "we", "keep", "it")
    assert (answer.code, answer.out) == (0, f"{ID}: unconfirmed. it was not reverted: we keep it\n")


def test_an_incident_can_be_ignored_for_a_time(remediator: Command) -> None:
    remediator.run()
    answer = remediator("feedback", ID, "ignore", "12h")
    assert (answer.code, answer.out) == (0, f"{ID}: rejected: ignored for 12h\n")
    (incident,) = remediator.run("--json").json
    assert incident["reason"] == "rejected: ignored for 12h; quiet until 2026-01-01T12:00:00Z"
    assert remediator("feedback", ID, "ignore", "12h").code == 2


def test_confirm_ends_it(remediator: Command) -> None:
    remediator.run()
    assert "nothing to confirm" in remediator("feedback", ID, "confirm").err
    remediator("approve", ID)
    assert "resolved" in remediator("feedback", ID, "confirm").out
    assert remediator("list").out == "no open incident\n(1 ended: --all)\n"
    assert "resolved" in remediator("list", "--all").out
    assert "ended" not in remediator("list", "--all").out


def test_the_list_begins_with_the_gravest(remediator: Command) -> None:
    prints = {"warning": "ab" * 32, "critical": "cd" * 32}
    for severity, fingerprint in prints.items():
        remediator.cases = [case(severity=severity, fingerprint=fingerprint)]
        remediator.run()
    rows = remediator("list").out.splitlines()
    assert [row.split()[0] for row in rows] == ["inc-cdcdcd-1", "inc-ababab-1"]
    remediator("reject", "inc-cd", "--reason", "no")
    assert remediator("list").out.splitlines()[1:] == ["(1 ended: --all)"]
    assert [one["severity"] for one in remediator("list", "--all", "--json").json] == ["critical", "warning"]


def test_show_lists_the_options(remediator: Command) -> None:
    remediator.run()
    out = remediator("show", ID).out
    assert "raise memory limit" in out
    assert "roll back" in out
    assert "+memory: 2Gi" in out


def test_show_without_a_change_says_why_and_what_was_seen(remediator: Command) -> None:
    remediator.planner = FakePlanner(RemediationPlan(reason="rotate the credential"))
    remediator.run()
    out = remediator("show", ID).out
    assert out.startswith(f"{ID}: needs a person\n")
    assert "rotate the credential" in out
    assert "log.txt:3" in out
    assert "0 lines" not in out


def test_show_of_a_rejected_change_says_so(remediator: Command) -> None:
    remediator.run()
    assert not remediator("show", ID).out.startswith(ID)
    remediator("reject", ID, "--reason", "the JVM leaks")
    out = remediator("show", ID).out
    assert out.startswith(f"{ID}: rejected: the JVM leaks\n\n")
    assert "raise memory limit" in out


def test_what_git_alone_did_is_noticed(remediator: Command, root: Path) -> None:
    remediator.run()
    git(root, "merge", "-q", "--no-ff", "-m", "Mine", f"remediator/{ID}-1")
    assert remediator("reject", ID, "--reason", "no").code == 2
    answer = remediator("approve", ID)
    assert answer.code == 0
    assert "verification pending" in answer.out
    assert git(root, "log", "-1", "--format=%s", "main") == "Mine"
    assert remediator("verify", ID).code == 0


def test_a_deleted_branch_is_recorded_as_declined(remediator: Command, root: Path) -> None:
    remediator.run()
    git(root, "branch", "-q", "-D", f"remediator/{ID}-1")
    answer = remediator("approve", ID)
    assert (answer.code, "was deleted" in answer.err) == (2, True)
    assert "rejected" in remediator("verify", ID).out
    assert "rejected" in remediator.run("--json").json[0]["reason"]


def test_a_dirty_worktree_at_approval_is_refused_and_can_be_mended(remediator: Command, root: Path) -> None:
    remediator.run()
    write(root, {"README.md": "mine\n"})
    answer = remediator("approve", ID)
    assert answer.code == 2
    assert "uncommitted changes (README.md): commit or stash" in answer.err
    git(root, "checkout", "-q", "README.md")
    assert remediator("approve", ID).code == 0


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (
            ("approve", "inc-nope"),
            "no incident 'inc-nope' (known: inc-3f9a2c-1, inc-3fffff-1); see `remediator list --repo ",
        ),
        (("status", "inc-3f"), "could mean inc-3f9a2c-1, inc-3fffff-1"),
        (("show", ""), "no incident ''"),
        (("verify", ID), "is not merged (awaiting review)"),
    ],
)
def test_ids_that_mean_nothing_or_too_much(remediator: Command, argv: tuple[str, ...], says: str) -> None:
    remediator.cases = [case(), case(category="config_error", fingerprint="3f" + "f" * 62)]
    remediator.run()
    answer = remediator(*argv)
    assert answer.code == 2
    assert says in answer.err


@pytest.mark.parametrize("argv", [("approve", ID), ("feedback", ID, "use 2"), ("reject", ID, "--reason", "x")])
def test_an_incident_that_is_decided_stays_so(remediator: Command, argv: tuple[str, ...]) -> None:
    remediator.run()
    remediator("reject", ID, "--reason", "no")
    answer = remediator(*argv)
    assert answer.code == 2
    assert "it was rejected" in answer.err


def test_where_nothing_is_known(remediator: Command) -> None:
    assert remediator("list").out == "no incident is known here\n"
    assert remediator("list", "--all", "--json").json == []
    assert "none is known here" in remediator("status", "x").err


def test_a_missing_directory_is_named(remediator: Command, tmp_path: Path) -> None:
    remediator.root = tmp_path / "nowhere"
    answer = remediator.run()
    assert answer.code == 2
    assert str(tmp_path / "nowhere") in answer.err


def test_usage_mistakes_end_with_two(remediator: Command) -> None:
    assert remediator("run").code == 2
    assert remediator("reject", ID).code == 2
    assert remediator("fly").code == 2


def test_no_option_is_taken_for_another_that_begins_alike(remediator: Command) -> None:
    answer = remediator("locate", "--name", "shop", "--workload", "Deployment/checkout", "--field", "image")
    assert (answer.code, "unrecognized arguments: --name" in answer.err) == (2, True)


def test_a_newer_state_document_is_said_with_its_name(remediator: Command, root: Path) -> None:
    remediator.run()
    git(root, "switch", "-q", "remediator-state")
    write(root, {"index.json": '{"schema": 99}'})
    git(root, "commit", "-q", "-a", "-m", "by hand")
    git(root, "switch", "-q", "main")
    answer = remediator("list")
    assert answer.code == 2
    assert "index.json: schema 99 was written by a newer Remediator" in answer.err


def test_policies_check(remediator: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from remediator import cli

    assert cli.main(["policies", "check"]) == 0
    write(tmp_path, {"bad.yml": "guardrails:\n  max_files: many\n"})
    assert cli.main(["policies", "check", str(tmp_path / "bad.yml")]) == 2
    err = capsys.readouterr().err
    assert f"{tmp_path / 'bad.yml'}:2" in err
    assert cli.main(["policies", "check", str(tmp_path / "none.yml")]) == 2


def test_the_chart_in_the_documentation_is_the_graph(capsys: pytest.CaptureFixture[str]) -> None:
    from remediator import cli

    assert cli.main(["graph"]) == 0
    chart = capsys.readouterr().out
    page = (Path(__file__).parents[2] / "docs/graph.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{chart}```\n" in page
