"""What a schema cannot see: patterns, times, bounds, repeated keys; and freeze windows by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from remediator import policy
from remediator.errors import ConfigError
from remediator.policy.meaning import freeze_reason
from remediator.policy.models import FreezeWindow, Guardrails


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("guardrails:\n  deny_paths: ['(unclosed']\n", "no regular expression"),
        ("guardrails:\n  deny_kinds: [deployment]\n", "capital letter"),
        ("guardrails:\n  freeze_windows: [{start: '10:00', end: '11:00', timezone: Europe/Berlinn}]\n", "no time zone"),
        ("guardrails:\n  freeze_windows: [{start: '25:00', end: '11:00'}]\n", "no time of day"),
        ("actions:\n  raise_memory_limit:\n    bounds: {factor: 8, max_factor: 2}\n", "above max_factor"),
        ("actions:\n  raise_memory_limit: {enabled: false}\nactions: {}\n", "stands twice"),
    ],
)
def test_what_could_never_work_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "remediator.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        policy.load(file)
    assert any(words in str(problem) for problem in policy.check(file))


def test_a_check_names_every_mistake_with_its_line_and_prints_nothing_else(tmp_path: Path, capfd) -> None:
    file = tmp_path / "remediator.yml"
    file.write_text(
        """\
guardrails:
  deny_paths: ["("]
  freeze_windows:
    - {start: "25:00", end: "09:00", timezone: Mars/Base}
targets:
  prod-eu: {clusters: [a]}
  prod-us:
    clusters: [a, prod-eu]
categories:
  oom:
    signals:
      - {id: oom_killed, pattern: "(["}
actions:
  raise_memory_limit:
    ends: [nonsense]
""",
        encoding="utf-8",
    )
    found = {(one.line, one.path): one.message for one in policy.check(file)}
    assert {line for line, _ in found} == {2, 4, 8, 12, 15}
    assert found[12, "categories.oom.signals.0.pattern"].startswith("oom_killed: '([' does not compile: missing ]")
    assert [path for line, path in found if line == 4] == [
        "guardrails.freeze_windows.0.timezone",
        "guardrails.freeze_windows.0.start",
    ]
    assert "is the target 'prod-eu' already" in found[8, "targets.prod-us.clusters"]
    assert capfd.readouterr() == ("", "")


def test_what_is_denied_joins_what_ships(tmp_path: Path) -> None:
    file = tmp_path / "remediator.yml"
    file.write_text("guardrails:\n  deny_files: ['clusters/prod/**']\n", encoding="utf-8")
    denied = policy.load(file).guardrails.deny_files
    assert set(policy.load().guardrails.deny_files) < set(denied)
    assert "clusters/prod/**" in denied


FRIDAY_NIGHT = FreezeWindow(days=("fri",), start="22:00", end="06:00", timezone="Europe/Berlin", reason="weekend")


@pytest.mark.parametrize(
    ("now", "held"),
    [
        (datetime(2026, 11, 20, 21, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 4, 30, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 5, 30, tzinfo=UTC), False),
        (datetime(2026, 11, 20, 20, 30, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 21, 30, tzinfo=UTC), False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_opens(now: datetime, held: bool) -> None:
    told = freeze_reason(Guardrails(freeze_windows=(FRIDAY_NIGHT,)), now)
    assert told == ("frozen until 06:00 Europe/Berlin: weekend (guardrails.freeze_windows)" if held else "")


def test_without_days_a_window_opens_every_day() -> None:
    rules = Guardrails(freeze_windows=(FreezeWindow(start="00:00", end="23:59"),))
    assert freeze_reason(rules, datetime(2026, 11, 18, 12, tzinfo=UTC))
