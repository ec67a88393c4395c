"""What a person reads, compared with the golden files."""

from __future__ import annotations

import pytest

from remediator.domain.lifecycle import SecondReading
from remediator.report import (
    Check,
    Event,
    RunFacts,
    SummaryRow,
    Verdict,
    commit_message,
    local_pull_request,
    needs_person,
    pull_request,
    run_summary,
    status_comment,
    terminal,
)
from tests.unit.report import sample_reports as reports

RUN = RunFacts(lines=2114, seconds=0.0234)
NOW = "2026-03-04T10:25:00Z"


@pytest.mark.parametrize(
    ("name", "report"),
    [("oom", reports.OOM), ("local", reports.LOCAL), ("second_attempt_with_a_model", reports.SECOND)],
)
def test_a_pull_request(golden, name, report):
    title, body = pull_request(report)
    golden(f"report/pull_request_{name}.md", f"{title}\n\n{body}")


def test_a_line_that_several_signals_matched_is_shown_once():
    body = pull_request(reports.TWICE)[1]
    assert "<summary>Evidence (1)</summary>" in body
    assert "E1, E3  describe.txt:41" in body
    assert "  E1, E3 describe.txt:41" in local_pull_request(reports.TWICE)


def test_a_terminal_says_why_a_model_was_not_heard_and_keeps_quiet_where_it_was():
    unheard = SecondReading(model="gpt-oss:20b", note="The model was not heard: no answer", heard=False)
    silent = reports.SECOND.model_copy(update={"reading": unheard})
    assert "! model" in terminal([silent], RUN)
    assert "The model was not heard: no answer" in terminal([silent], RUN)
    assert "! model" not in terminal([reports.SECOND], RUN)


def test_a_merged_change_whose_fault_is_seen_again_is_not_called_held():
    said = terminal([reports.OOM.model_copy(update={"status": "verifying", "reply_by": "command"})], RUN)
    assert f"merged  being verified, and seen again; check now: remediator verify {reports.OOM.incident_id}" in said
    assert "held" not in said


def test_a_commit_message(golden):
    golden("report/commit.txt", commit_message(reports.OOM))


def test_the_commit_and_the_pull_request_share_their_title():
    assert commit_message(reports.OOM).splitlines()[0] == pull_request(reports.OOM)[0]


def test_nothing_proposed(golden):
    golden("report/needs_person.md", needs_person(reports.REFUSED))


VERDICTS = [
    Verdict(
        incident_id="inc-3f9a2c-1",
        outcome="recovered",
        headline="11 min after the merge",
        checks=(
            Check(name="Argo CD `checkout-prod`", result="synced to `9e8d7c6`, Healthy", since="2026-03-04T10:12:00Z"),
            Check(name="Pods (3)", result="ready, 0 restarts", since="2026-03-04T10:14:00Z"),
            Check(name="Loki, signature `oom`", result="0 in 9 min (before: 1.6 per min)"),
        ),
        timeline=(
            Event(at="2026-03-04T09:41:00Z", text="first kill"),
            Event(at="2026-03-04T10:10:00Z", text="merged by ada"),
        ),
    ),
    Verdict(
        incident_id="inc-3f9a2c-1",
        outcome="not_recovered",
        headline="`checkout` is still killed (3 times since 10:14)",
        next_step="The next option raises the limit to 768Mi. Or revert with `/remediator revert`",
    ),
    Verdict(
        incident_id="inc-3f9a2c-1",
        outcome="waiting",
        headline="Argo CD has not synced `9e8d7c6` yet (automated sync is off)",
        next_step="Sync `checkout-prod`, or comment `/remediator verify` to look again",
        next_look="2026-03-04T10:30:00Z",
        deadline="2026-03-05T14:10:00Z",
    ),
    Verdict(
        incident_id="inc-3f9a2c-1",
        outcome="unconfirmed",
        headline="nobody answered by the deadline",
        next_step="no verifier configured",
    ),
]


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.outcome)
def test_a_status_comment(golden, verdict):
    golden(f"report/status_{verdict.outcome}.md", status_comment(verdict, now=NOW))


def test_a_run_summary(golden):
    rows = [
        SummaryRow(
            incident_id="inc-3f9a2c-1",
            severity="critical",
            category="oom",
            subject="checkout-prod (shop-prod)",
            outcome="pull request #12",
            url="https://forge.example/o/r/pull/12",
        ),
        SummaryRow(
            incident_id="inc-77aa01-1",
            severity="critical",
            category="image_pull_error",
            subject="crw",
            outcome="needs a person",
            url="javascript:alert(1)",
        ),
    ]
    golden("report/summary.md", run_summary(rows, RUN))


def test_a_summary_of_nothing():
    assert run_summary([], RunFacts(lines=1, dry_run=True)) == "**No incident in 1 line** (dry run)\n"


@pytest.mark.parametrize(
    ("name", "report", "run"),
    [
        ("oom", reports.LOCAL, RUN),
        ("dry_run", reports.LOCAL, RunFacts(lines=2114, seconds=0.0234, dry_run=True)),
        ("on_a_forge", reports.OOM.model_copy(update={"url": "https://forge.example/o/r/pull/12"}), RUN),
        ("needs_person", reports.REFUSED, RUN),
        ("calm", reports.CALM, RUN),
        (
            "held_back",
            reports.LOCAL.model_copy(update={"status": "needs_person", "reason": "5 pull requests are open: the cap"}),
            RUN,
        ),
    ],
)
def test_the_terminal(golden, name, report, run):
    golden(f"report/terminal_{name}.txt", terminal([report], run))


def test_printed_commands_name_the_checkout_that_was_given():
    report = reports.LOCAL.model_copy(update={"repo": "my shop"})
    text = terminal([report], RUN) + local_pull_request(report)
    commands = [line for line in text.splitlines() if "remediator " in line and "branch" not in line]
    assert f"approve: remediator approve {report.incident_id} --repo 'my shop'" in text
    assert f"remediator feedback {report.incident_id} 'use 2' --repo 'my shop'" in text
    assert len(commands) >= 4


@pytest.mark.parametrize(("severity", "mark"), [("critical", "!"), ("warning", "✓")])
def test_a_critical_incident_that_needs_a_person_gets_no_tick(severity, mark):
    diagnosis = reports.REFUSED.diagnosis.model_copy(update={"severity": severity})
    text = terminal([reports.REFUSED.model_copy(update={"diagnosis": diagnosis})], RUN)
    assert text.startswith(f"{mark} 1 incident")


def test_the_terminal_in_colour(golden):
    golden("report/terminal_colour.txt", terminal([reports.LOCAL], RUN, colour=True))


def test_a_local_pull_request(golden):
    golden("report/local_pull_request.txt", local_pull_request(reports.LOCAL))
    golden("report/local_pull_request_colour.txt", local_pull_request(reports.LOCAL, colour=True))


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (
            "https://argocd.example.com/applications/argocd/shop",
            "[argocd](https://argocd.example.com/applications/argocd/shop)",
        ),
        ("https://evil.example.com/) ![x](https://e", "| argocd |"),
        ("javascript:alert(1)", "| argocd |"),
        ("", "| argocd |"),
    ],
)
def test_a_check_leads_to_where_it_can_be_seen(link: str, shown: str) -> None:
    check = Check(name="argocd", result="Healthy", link=link)
    text = status_comment(Verdict(incident_id="inc-1", outcome="recovered", headline="", checks=(check,)))
    assert shown in text


def test_a_terminal_says_why_a_change_is_a_draft():
    reading = reports.SECOND.reading.model_copy(update={"draft": "proposed by m, not confirmed by a rule"})
    draft = reports.SECOND.model_copy(update={"reading": reading})
    assert "! draft   proposed by m, not confirmed by a rule" in terminal([draft], RUN)
