"""A fault that no signal knows gets a heading by its words, and a crash is told with the last words of its own log."""

from __future__ import annotations

import pytest

from remediator.diagnosis.classify import classify
from remediator.domain.incident import Diagnosis, Statement, Subject
from remediator.policy.loading import load

OWN = Subject(namespace="fleet", kind="Deployment", name="tram", pod="tram-6c9f7d5b4-x2x9k")
OTHER = Subject(namespace="fleet", kind="Deployment", name="depot", pod="depot-7b8c9d6f5-a1b2c")


def line(text: str, subject: Subject = OWN, level: str = "error", **facts: str) -> Statement:
    return Statement(source="log", line=2, channel="log", subject=subject, text=text, level=level, facts=facts)


def crash(subject: Subject = OWN) -> Statement:
    return Statement(
        source="log", line=1, channel="status", subject=subject, reason="CrashLoopBackOff",
        text="CrashLoopBackOff", facts={"ready": "0/1", "restart_count": "5"},
    )  # fmt: skip


def diagnose(*statements: Statement) -> Diagnosis:
    return classify(statements, load().catalogue, redact=lambda text: text.replace("hunter2", "[redacted]"))[0]


@pytest.mark.parametrize(
    ("sentence", "category"),
    [
        ("the depot is not permitted to open the gate", "permission_denied"),
        ("the signal box could not be reached: no route, upstream is gone", "network_error"),
        ("snapshot of the timetable stuck, bucket unreadable", "storage_error"),
        ("the bell is malformed, it must be one of brass, steel", "config_error"),
        ("buffer is full, too many trams wait", "resource_exhausted"),
        ("uncaught exception in the conductor", "application_error"),
        ("the tram left without a word", ""),
    ],
)
def test_an_unknown_fault_resembles_the_category_of_its_words(sentence: str, category: str) -> None:
    diagnosis = diagnose(line(sentence))
    assert (diagnosis.category, diagnosis.resembles) == ("unknown", category)


def test_of_a_wrapped_message_its_end_is_read() -> None:
    wrapped = f"{'permission password credentials ' * 30} rpc error: code = Unknown desc = the bucket has no snapshot"
    assert diagnose(line(wrapped)).resembles == "storage_error"


def test_a_crash_is_told_with_the_gravest_newest_line_of_its_own_log() -> None:
    diagnosis = diagnose(
        crash(),
        line("the rails are wet"),
        line("giving up: wheel 3 is square", level="fatal"),
        line("the depot burns", OTHER, level="fatal"),
        line("the rails are still wet"),
    )
    assert diagnosis.category == "crashloop"
    assert diagnosis.last_words == "giving up: wheel 3 is square"


def test_a_structured_line_is_told_by_its_message_and_error() -> None:
    said = line('{"msg":"cannot start","err":"pass hunter2 is old"}', msg="cannot start", error="pass hunter2 is old")
    assert diagnose(crash(), said).last_words == "cannot start: pass [redacted] is old"


def test_a_known_cause_needs_no_last_words() -> None:
    known = line("flag provided but not defined: --bell", level="fatal")
    diagnosis = diagnose(crash(), known, line("giving up", level="fatal"))
    assert diagnosis.evidence[0].signal == "unknown_flag"
    assert diagnosis.last_words == ""
