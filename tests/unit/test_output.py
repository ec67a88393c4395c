"""Standard error: logging and progress."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from remediator.commands.output import GitHubFormatter, Progress, redact_logging, set_up_logging
from remediator.domain.times import duration, format_duration
from remediator.settings import Settings


def record(level: int, text: str) -> logging.LogRecord:
    return logging.LogRecord("remediator.x", level, "x.py", 1, text, None, None)


@pytest.mark.parametrize(
    ("level", "line"),
    [
        (logging.DEBUG, "::debug::a%0Ab%25"),
        (logging.INFO, "::debug::a%0Ab%25"),
        (logging.WARNING, "::warning::a%0Ab%25"),
        (logging.ERROR, "::error::a%0Ab%25"),
        (logging.CRITICAL, "::error::a%0Ab%25"),
    ],
)
def test_github_gets_workflow_commands_on_one_line(level: int, line: str) -> None:
    assert GitHubFormatter("%(message)s").format(record(level, "a\nb%")) == line


@pytest.mark.parametrize(
    ("level", "environ", "effective"),
    [
        ("", {}, logging.WARNING),
        ("debug", {}, logging.DEBUG),
        ("", {"GITHUB_ACTIONS": "true"}, logging.WARNING),
        ("", {"GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1"}, logging.DEBUG),
        ("error", {"GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1"}, logging.ERROR),
        ("nonsense", {}, logging.WARNING),
    ],
)
def test_the_level(level: str, environ: dict[str, str], effective: int, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(level, environ)
    logger = logging.getLogger("remediator")
    assert logger.level == effective
    logger.error("x")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == ("::error::x\n" if environ else "ERROR: x\n")


def test_our_own_logging_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("", {})
    redact_logging(lambda text: text.replace("hunter2", "***"))
    logging.getLogger("remediator.x").warning("the token is %s", "hunter2")
    assert capsys.readouterr().err == "WARNING: the token is ***\n"


def test_progress_is_plain_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(1)
    with progress.step("reading log.txt"):
        pass
    progress.close()
    assert capsys.readouterr() == ("", "remediator: reading log.txt\n")


def test_progress_is_one_rewritten_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress(2)
    with progress.step("reading \x1b[2Jevil\nlog"):
        pass
    with progress.step("two"):
        pass
    progress.close()
    text = terminal.getvalue()
    assert "\n" not in text
    assert "\x1b[2J" not in text
    assert text.count("\r") == 3
    assert text.endswith("\r\x1b[K")


def test_settings_read_the_environment_once() -> None:
    assert Settings.from_environ({}) == Settings()
    found = Settings.from_environ({"GITHUB_ACTOR": "ann", "USER": "runner", "REMEDIATOR_CLUSTER": "prod"})
    assert (found.user, found.cluster) == ("ann", "prod")
    assert "ann" not in repr(found.environ) or "environ" not in repr(found)


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("3d", 259200)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["0s", "4s", "5m", "1h30m", "3d", "1d2h3m4s"])
def test_a_span_is_spelled_as_it_is_read(text: str) -> None:
    assert format_duration(duration(text)) == text


@pytest.mark.parametrize("text", ["", "5", "5 m", "h", "5w", "5mm"])
def test_what_is_no_duration(text: str) -> None:
    from remediator.errors import ConfigError

    with pytest.raises(ConfigError, match="no duration"):
        duration(text)
