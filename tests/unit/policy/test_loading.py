"""Policies: what ships is valid, the user's file is merged over it, mistakes are told with their line."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
import re2

from remediator import policy
from remediator.errors import ConfigError


def user_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "remediator.yml"
    file.write_text(dedent(text), encoding="utf-8")
    return file


def test_what_ships_is_without_fault() -> None:
    assert policy.check(policy.shipped_root()) == []


def test_every_category_that_the_plan_names_ships() -> None:
    named = {
        "oom", "crashloop", "config_error", "resource_exhausted", "network_error", "image_pull_error",
        "probe_failure", "permission_denied", "storage_error", "scheduling_failure", "quota_exceeded",
        "sync_error", "application_error", "other", "unknown", "info",
    }  # fmt: skip
    assert named <= set(policy.load().catalogue.by_id)


def test_no_shipped_action_merges_by_itself() -> None:
    assert not [action.id for action in policy.load().actions.values() if action.auto_merge]


def test_signal_ids_are_unique_across_categories() -> None:
    ids = [name for name, _ in policy.load().catalogue.patterns()]
    assert len(ids) == len(set(ids))


def test_every_shipped_file_names_its_schema_for_editors() -> None:
    for file in policy.shipped_root().rglob("*.yaml"):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        prefix = "# yaml-language-server: $schema="
        assert first.startswith(prefix), file
        assert (file.parent / first.removeprefix(prefix)).is_file(), file


def test_the_users_bounds_are_laid_over_the_defaults(tmp_path: Path) -> None:
    file = user_file(tmp_path, "actions:\n  raise_memory_limit:\n    bounds:\n      maximum: 2Gi\n")
    bounds = policy.load(file).actions["raise_memory_limit"].bounds
    assert (bounds.maximum, bounds.factor) == ("2Gi", policy.load().actions["raise_memory_limit"].bounds.factor)


def test_a_user_signal_joins_those_that_ship_and_may_change_one(tmp_path: Path) -> None:
    file = user_file(
        tmp_path,
        """
        categories:
          oom:
            signals:
              - {id: our_killer, pattern: 'memory guard killed'}
              - {id: oom_killed, weight: 3}
        """,
    )
    signals = {signal.id: signal for signal in policy.load(file).catalogue.by_id["oom"].signals}
    assert signals["our_killer"].pattern == "memory guard killed"
    assert signals["oom_killed"].weight == 3
    assert re2.search(signals["oom_killed"].pattern, "OOMKilled")


def test_a_new_category_needs_no_code(tmp_path: Path) -> None:
    file = user_file(
        tmp_path,
        """
        categories:
          license_expired:
            title: Licence expired
            severity: critical
            signals: [{id: license_gone, pattern: 'license (has )?expired'}]
        """,
    )
    assert policy.load(file).catalogue.by_id["license_expired"].severity == "critical"


def test_workflows_stay_denied_whatever_the_user_writes(tmp_path: Path) -> None:
    file = user_file(tmp_path, "guardrails:\n  deny_files: []\n")
    assert ".github/**" in policy.load(file).guardrails.deny_files


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("guardrails:\n  max_files: -1\n", 2, "less than the minimum"),
        ("guardrails:\n  max_flies: 1\n", 1, "max_flies"),
        ("actions:\n  raise_memory_limit:\n    bounds: {maximum: 3 gigs}\n", 3, "3 gigs"),
        ("categories:\n  oom:\n    severity: fatal\n", 3, "fatal"),
        ("verification:\n  settle: 5 minutes\n", 2, "5 minutes"),
        ("a: [\n", 2, "is not YAML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_what_was_expected(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    file = user_file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        policy.load(file)
    assert caught.value.file == str(file)
    assert caught.value.line == line
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("categories:\n  oom:\n    actions: [no_such_action]\n", "no_such_action"),
        ("categories:\n  oom:\n    signals: [{id: bad, pattern: '('}]\n", "does not compile"),
        ("categories:\n  oom:\n    signals: [{id: odd, pattern: x, consequence: [nope]}]\n", "'nope' is no signal"),
        ("categories:\n  oom:\n    signals: [{id: odd, pattern: x, storm: rages}]\n", "rages"),
        ("actions:\n  raise_memory_limit:\n    ends: [no_such_signal]\n", "no_such_signal"),
        ("actions:\n  raise_memory_limit:\n    ends: ['category:nope']\n", "nope"),
    ],
)
def test_ids_and_patterns_that_cannot_work_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        policy.load(user_file(tmp_path, text))


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        policy.load(tmp_path / "nowhere.yml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "actions:\n  raise_memory_limits:\n    enabled: false\n",
            "remediator.yml:2: actions.raise_memory_limits: no such action; did you mean raise_memory_limit?",
        ),
        (
            "categories:\n  zzz:\n    priority: 3\n",
            "remediator.yml:2: categories.zzz: no such category; a new one needs",
        ),
        ("guardrails:\n  close_when_cleared_for: soon\n", "'soon' is no duration: write one such as 12h or 7d"),
        ("targets:\n  eu:\n    loki:\n      token: not-a-real-one\n", "secrets come from the environment"),
    ],
)
def test_a_mistake_is_told_with_what_to_write_instead(tmp_path: Path, text: str, words: str) -> None:
    (problem,) = policy.check(user_file(tmp_path, text))
    assert words in str(problem)


def test_a_summary_names_only_what_its_signals_can_give(tmp_path: Path) -> None:
    (problem,) = policy.check(user_file(tmp_path, "categories:\n  oom:\n    summary: '{workload} lost {wallet}'\n"))
    assert "remediator.yml:3: categories.oom.summary: {wallet} is given by no signal" in str(problem)
    named = """\
        categories:
          oom:
            summary: '{workload} lost {wallet}'
            signals: [{id: lost_wallet, pattern: 'lost (?P<wallet>[a-z]+)'}]
    """
    assert policy.check(user_file(tmp_path, named)) == []
