"""Shared by every test: tests that need a program skip with a reason, except where skipping is forbidden."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from remediator.domain.charts import ChartPull
    from remediator.gitops.sources.tools import Tools

GOLDEN = Path(__file__).resolve().parent / "golden"

# A busy machine is no reason to fail; where a run must be repeatable, the examples are the same ones each time.
settings.register_profile("default", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("default")

FAIL_ON_SKIP = os.environ.get("REMEDIATOR_FAIL_ON_SKIP", "") not in {"", "0"}
"""Set where every tool was installed: there a skip hides a broken set-up, so it is a failure."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`@pytest.mark.needs_tools("helm", "kubectl")`: skip where one of these is not on the PATH."""
    for mark in item.iter_markers("needs_tools"):
        missing = [program for program in mark.args if shutil.which(program) is None]
        if missing:
            pytest.skip(f"not on the PATH: {', '.join(missing)} (scripts/install_tools.py)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where REMEDIATOR_FAIL_ON_SKIP is set; an expected failure stays what it is."""
    report = yield
    if FAIL_ON_SKIP and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} was skipped where nothing may be: {call.excinfo.value if call.excinfo else ''}"
        )
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself whole (`pytest.importorskip`, `allow_module_level`)."""
    report = yield
    if FAIL_ON_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped where nothing may be: {report.longrepr}"
    return report


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes what is said today into the golden files instead of comparing."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden from today's output")


@pytest.fixture(autouse=True)
def _no_public_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pull charts from loopback only: what a public registry serves must not decide a test."""
    from remediator.gitops.sources import chart_pull, charts

    def pull(tools: Tools, rules: ChartPull, repository: str, name: str, version: str) -> bytes:
        if not charts.host_of(repository).startswith("127.0.0.1"):
            raise charts.PullFailed("no public registry is asked in tests")
        return chart_pull.pull(tools, rules, repository, name, version)

    monkeypatch.setattr(charts, "pull", pull)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/NAME; a reader's text changes only where a reviewer sees it change."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.exists(), f"{path} is missing: run pytest with --update-golden"
        assert text == path.read_bytes().decode("utf-8")

    return check
