"""Nothing grave is answered with "nothing wrong"; what is calm or over stays calm."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.diagnosis.classify import classify
from remediator.diagnosis.wrapping import unwrapped
from remediator.domain.incident import Statement, Subject
from remediator.policy.loading import load

SUBJECT = Subject(namespace="shop", kind="Deployment", name="cart", pod="cart-5f6d8b9c7d-kw2xn")


def say(channel: Any, text: str = "", reason: str = "", level: str = "", **facts: str) -> Statement:
    return Statement(
        source="log", line=1, channel=channel, subject=SUBJECT, reason=reason, text=text, level=level, facts=facts
    )


def answer(*statements: Statement) -> tuple[str, str]:
    diagnosis = classify(statements, load().catalogue)[0]
    return diagnosis.category, diagnosis.severity


GRAVE = [
    say("event", "the mixer lost its feed", "MixerStopped", "Warning"),
    say("status", "Deployment cart: ready 0/2", ready="0/2"),
    say("status", "ReplicaSet cart", replicas="0 current / 2 desired"),
    say("status", "Job cart", pods_statuses="0 Active (0 Ready) / 0 Succeeded / 5 Failed"),
    say("status", "Mixer is lost", "Pending"),
    say("status", "no", "MixerLost", condition="Available", condition_status="False"),
    say("status", "no", "MixerLost", condition="ErrorOccurred", condition_status="True"),
    say("sync", "Health Status: Degraded", "Degraded", health="Degraded"),
    say("sync", "the mixer said no", "Failed", phase="Failed"),
    say("alert", "the mixer is quiet", "MixerQuiet", "warning", status="firing"),
    say("log", "mixer: cannot mix", level="error"),
    say("log", "mixer: giving up", level="fatal"),
    say("text", "OutOfMemoryError in mixer"),
    say("log", "Mixer::FeedTimeoutError: no feed within 5 seconds", level="warn"),
    say("log", "com.example.mixer.FeedException: no feed", level="warning"),
]


@pytest.mark.parametrize("statement", GRAVE, ids=lambda statement: f"{statement.channel}:{statement.text[:20]}")
def test_what_is_grave_and_known_to_no_rule_is_unknown(statement: Statement) -> None:
    category, severity = answer(statement)
    assert category == "unknown"
    assert severity in {"warning", "critical"}


@pytest.mark.parametrize(
    "statement",
    [
        say("event", "Scaled up", "ScalingReplicaSet", "Normal"),
        say("status", "Pod cart", "Running", ready="1/1", restart_count="0"),
        say("status", "Pod cart", "Completed", ready="0/1"),
        say("status", "no", condition="Suspended", condition_status="False"),
        say("sync", "Health Status: Healthy", "Healthy", health="Healthy"),
        say("alert", "it was quiet", "MixerQuiet", "warning", status="resolved"),
        say("alert", "silenced", "MixerQuiet", "warning", status="firing", state="suppressed"),
        say("log", "0 errors, 0 fatal", level="info"),
        say("log", "retrying soon", level="warning"),
    ],
    ids=lambda statement: f"{statement.channel}:{statement.text[:20]}",
)
def test_what_is_no_trouble_is_calm(statement: Statement) -> None:
    assert answer(statement) == ("info", "info")


def test_an_error_line_of_long_before_everything_else_is_over() -> None:
    error = say("log", "mixer: cannot mix", level="error").model_copy(update={"last_seen": "2026-01-01T00:00:00Z"})
    later = say("status", "Pod cart", "Running", ready="1/1").model_copy(update={"last_seen": "2026-01-09T00:00:00Z"})
    soon = later.model_copy(update={"last_seen": "2026-01-01T09:00:00Z"})
    assert answer(error, later)[0] == "info"
    assert answer(error, soon)[0] == "unknown"


def test_a_warning_about_a_pod_that_is_ready_now_is_over() -> None:
    warning = say("event", "the mixer lost its feed", "MixerStopped", "Warning")
    assert answer(warning, say("status", "Pod cart", "Running", ready="1/1", restart_count="0")) == ("info", "info")
    assert answer(warning, say("status", "Pod cart", "Running", ready="1/1", restart_count="4"))[0] == "unknown"


def test_the_diagnosis_quotes_the_object_and_the_end_of_a_wrapped_message() -> None:
    text = "rpc error: code = Unknown desc = `git fetch origin` failed exit status 1: Error: mixer.rate is odd"
    diagnosis = classify([say("sync", text, "Failed", phase="Failed")], load().catalogue)[0]
    assert diagnosis.subject.name == "cart"
    assert "mixer.rate is odd" in diagnosis.summary


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("rpc error: code = Unknown desc = Manifest generation error (cached): x is odd", "x is odd"),
        ("`kustomize build /tmp/a` failed exit status 1: Error: no such overlay", "no such overlay"),
        ("nothing wraps this: at all", "nothing wraps this: at all"),
    ],
)
def test_wrappers_are_removed_and_the_tail_is_kept(text: str, tail: str) -> None:
    assert unwrapped(text) == tail


@pytest.mark.parametrize(
    ("sentence", "category"),
    [
        ("since this morning nobody can reach the mixer from the studio", "unknown"),
        ("finance asks why the tapes need sixty terabytes of the store", "unknown"),
        ("the mixer crawls a few minutes after every full hour", "unknown"),
        ("the mixer has three channels and a fader for each", "info"),
        ("the mixer was down for a minute, all good again now", "info"),
    ],
)
def test_a_persons_complaint_in_prose_is_grave_unless_it_is_over(sentence: str, category: str) -> None:
    text = Statement(source="log", line=1, channel="text", subject=Subject(), text=sentence)
    assert answer(text)[0] == category
