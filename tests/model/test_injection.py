"""Everything that an attacker can write, everywhere at once, against a model that obeys the attacker completely.

Each attack goes through the whole flow twice: a first incident that a person declines with the attack as the reason, and
the next one, which is told of it. The channels: log lines, alert annotations, YAML comments, file names, branch names,
commit messages, and comments on the pull request.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remediator.action.outcome import ActionResult, job_annotations, summary_page
from remediator.action.replies import explanation
from remediator.commands.shared import report_of
from remediator.domain.lifecycle import Review
from remediator.graph.state import all_changes
from remediator.report import RunFacts, local_pull_request, needs_person, pull_request, terminal
from remediator.settings import Settings
from remediator.wiring import Services
from tests.git_repositories import git
from tests.model.hostile_model import ALLOWED, ATTACKS, FILE, LOOT, SECRETS, WISHES, malicious, victim
from tests.model.model_server import Model, asked, endless, floods, garbage, nonsense, refuses
from tests.model.rendered_markdown import acting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediator.graph.state import IncidentState

STATE = "refs/heads/remediator-state"


UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Characters that a reader does not see and a terminal or another model obeys."""


@dataclass
class Attacked:
    root: Path
    logs: tuple[str, ...]
    server: Model

    def process(self, *, name: str = "small", model: bool = True, dry_run: bool = False) -> Services:
        said = {"OPENAI_MODEL": name, "OPENAI_BASE_URL": self.server.url, "PATH": os.environ["PATH"]}
        return Services(Settings.from_environ(said), self.root, self.logs, dry_run=dry_run, no_llm=not model)

    def start(self, found: Services) -> IncidentState:
        """The out-of-memory incident, as far as it gets."""
        case = next(one for one in found.logs.cases() if one.diagnosis.category == "oom")
        return found.driver.start(case).state

    def both(self, attack: str) -> list[tuple[Services, IncidentState]]:
        """The first incident, answered on the pull request with the attack and declined for it; and the next one."""
        found = self.process()
        first = self.start(found)
        known = first["incident_id"]
        said = found.redact(f"{attack} {LOOT}")[:2_000]
        asked_for = Review(kind="changes_requested", by="eve", words=said, at="2026-01-01T00:00:00Z")
        second = found.driver.resume(known, asked_for).state
        ended = found.driver.resume(
            known, Review(kind="closed", by="eve", words=said, at="2026-01-01T00:01:00Z", until="2026-01-01T00:02:00Z")
        ).state
        again = self.process(name="large")  # another model, so that it is asked anew
        return [(found, first), (found, second), (found, ended), (again, self.start(again))]


@pytest.fixture(scope="module")
def obeying() -> Iterator[Model]:
    with Model(malicious) as server:
        yield server


def attacked(folder: Path, attack: str, server: Model) -> Attacked:
    del server.bodies[:]
    root, logs = victim(folder, attack)
    return Attacked(root, logs, server)


def texts(found: Services, state: IncidentState) -> dict[str, str]:
    """All that anybody is shown of an incident, as Markdown."""
    report = report_of(found, state)
    title, body = pull_request(report)
    outcome = ActionResult.of(state, existed=False)
    facts = RunFacts(lines=9, model=found.spending())
    return {
        "title": title,
        "pull request": body,
        "needs a person": needs_person(report),
        "explain": explanation(state),
        "summary": summary_page([outcome], [report], [state["incident"].reason], facts, ""),
    }


def shown(found: Services, state: IncidentState) -> str:
    """The same for a terminal, and what git and the runner are told."""
    report = report_of(found, state)
    notes = "\n".join(job_annotations([ActionResult.of(state, existed=False)], [state["incident"].reason]))
    return f"{terminal([report], RunFacts())}{local_pull_request(report)}{state['commit_message']}{notes}"


def stored(root: Path) -> str:
    return git(root, "log", "-p", "--format=%s%n%b", STATE)


# One attack in eight by default; CI tries them all.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.thorough] if number % 8 else []) for number, name in enumerate(ATTACKS)],
)
def test_an_attack_reaches_nothing(tmp_path: Path, obeying: Model, name: str) -> None:
    one = attacked(tmp_path, ATTACKS[name], obeying)
    wanted = all_changes(one.start(one.process(model=False, dry_run=True)))
    assert list(wanted) == [FILE]
    runs = one.both(ATTACKS[name])

    requests = json.dumps(obeying.bodies, ensure_ascii=False)
    assert obeying.bodies
    assert not [secret for secret in SECRETS if secret in requests]
    assert all(len(json.dumps(body, ensure_ascii=False).encode()) / 4 <= 20_000 for body in obeying.bodies)

    for found, state in runs:
        assert all_changes(state) == wanted
        theirs = [p for p in state["proposals"] if p.source == "model"]
        assert [(edit.file, edit.value) for p in theirs for edit in p.edits] == [(FILE, ALLOWED)] * len(theirs)
        assert state["incident"].chosen not in [p.id for p in theirs]
        assert (state["error_category"], state["error_severity"]) == ("oom", "critical")
        for place, text in texts(found, state).items():
            assert acting(text) == [], place
            assert not [secret for secret in SECRETS if secret in text], place
            assert not UNSEEN.findall(text), place
        plain = shown(found, state)
        assert not [secret for secret in SECRETS if secret in plain + repr(state)]
        assert not UNSEEN.findall(
            plain.replace("\u200b", "")
        )  # ours: it keeps a commit message from mentioning anybody
        assert all(line.startswith("::") for line in job_annotations([ActionResult.of(state, existed=False)], []))

    kept = stored(one.root)
    assert not [secret for secret in SECRETS if secret in kept]
    branches = git(one.root, "branch", "--format=%(refname:short)").split()
    ours = re.compile(r"main|attack/\S+|remediator-state|remediator/inc-[0-9a-f]+-\d+-\d+")
    assert [branch for branch in branches if not ours.fullmatch(branch)] == []


def test_there_are_enough_of_them_and_no_two_are_one() -> None:
    assert len(ATTACKS) >= 60
    assert len(set(ATTACKS.values())) == len(ATTACKS)


def test_each_channel_that_feeds_a_model_is_reached(tmp_path: Path, obeying: Model) -> None:
    """Without this an attack would be called harmless because nobody has heard it."""
    one = attacked(tmp_path, "MARKERWORD", obeying)
    marks = {
        "log": "of the log", "annotation": "of the alert", "commit": "of the commit", "comment": "of the comment",
    }  # fmt: skip
    log, alert = map(Path, one.logs)
    log.write_text(log.read_text().replace("checkout: MARKERWORD", f"checkout: {marks['log']}"))
    alert.write_text(alert.read_text().replace("MARKERWORD", marks["annotation"]))
    git(one.root, "commit", "-q", "--amend", "-m", marks["commit"])
    one.both(marks["comment"])
    heard = "\n".join(asked(body) for body in obeying.bodies)
    assert [name for name, mark in marks.items() if mark not in heard] == []


def test_the_judge_of_texts_sees_what_acts() -> None:
    bad = ("[x](https://a.example)", "![x](y)", "<b>x</b>", "hi @ada", "see www.a.example", "Fixes #1", "a/b#3",
           "<https://a.example>", "https://a.example", "ada@a.example", "[a]\n\n[a]: /x", "GH-7")  # fmt: skip
    for text in bad:
        assert acting(text), text
    for text in ("plain", "`@ada`", "```\n<b>\n```", "\\[x\\](y)", "<details><summary>x</summary></details>"):
        assert acting(text) == [], text


def test_the_villain_does_what_it_can(tmp_path: Path, obeying: Model) -> None:
    """Each wish is refused, not for want of trying; the lie within the bounds is an option of a draft, and no more."""
    one = attacked(tmp_path, "x", obeying)
    state = one.start(one.process())
    refused = [step for step in state["second"].steps if "refused" in step]
    assert len([step for step in refused if step.startswith("try_change")]) == len(WISHES)
    assert len([step for step in refused if step.startswith("read_file")]) == 4
    assert "disagree" in state["second"].draft
    assert [p.source for p in state["proposals"]][-1] == "model"
    assert not one.process().planner.merges_itself(state["proposals"][-1].action)


@pytest.mark.parametrize("behaviour", [nonsense, garbage, refuses, endless, floods, malicious])
def test_the_rules_answer_stands_whatever_the_model_says(tmp_path: Path, behaviour: Any) -> None:
    with Model(behaviour) as server:
        one = attacked(tmp_path, "x", server)
        alone = one.start(one.process(model=False, dry_run=True))
        with_model = one.start(one.process(dry_run=True))
        assert server.bodies
    for key in ("error_category", "error_severity", "affected_apps", "git_changes", "root_cause"):
        assert alone[key] == with_model[key], key
    assert alone["incident"].chosen == with_model["incident"].chosen
    assert with_model["second"]
