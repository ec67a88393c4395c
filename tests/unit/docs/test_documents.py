"""What the documents promise is there."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from remediator import cli, policy, settings
from remediator.diagnosis import classify
from remediator.evidence import Pattern, Scanner, text_input

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document):
    text = re.sub(r"(?s)```.*?```", "", document.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_decisions_are_numbered_without_gaps_and_have_a_status():
    decisions = sorted((ROOT / "docs/decisions").glob("0*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: ")
        assert re.search(r"^Status: (accepted|replaced by \d{4})$", text, re.MULTILINE)


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs/decisions/0003-dependencies.md").read_text(encoding="utf-8")
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=!~ ]", requirement)[0]
        assert re.search(rf"^\| [^|]*\b{re.escape(name)}\b", reasons, re.MULTILINE), name


def test_the_locks_hold_every_dependency_with_a_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8")
    for requirement in project["dependencies"]:
        name = re.split(r"[<>=!~ ]", requirement)[0].lower().replace(".", "-").replace("_", "-")
        assert re.search(rf"^{re.escape(name)}==\S+ .*\\\n    --hash=sha256:", lock, re.MULTILINE), name


def test_the_example_environment_names_what_is_read():
    code = (ROOT / "remediator/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'"(REMEDIATOR_[A-Z_]+)"', code))
    named = set(
        re.findall(r"^(REMEDIATOR_[A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert named == read


def test_the_readme_names_every_command_and_no_other():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `remediator"))
    named = set(re.findall(r"`(?:remediator )?([a-z]+)\b", rows))
    choices = next(action.choices for action in cli.parser()._actions if action.choices and "run" in action.choices)
    assert named == set(choices)


def test_the_readmes_blocks_stay_in_the_directory_they_start_in():
    blocks = re.findall(r"(?s)```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert blocks
    assert not [block for block in blocks if re.search(r"(?m)(^|[;&] *)cd ", block)]


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_portable_shell(script):
    assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True)


def test_the_policy_in_the_readme_is_valid(tmp_path):
    file = tmp_path / "remediator.yml"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    file.write_text(re.findall(r"(?s)```yaml\n(.*?)```", text)[0], encoding="utf-8")
    assert policy.load(file).guardrails.max_lines == 20


def test_every_setting_of_the_outside_world_is_described():
    text = (ROOT / "docs/outside.md").read_text(encoding="utf-8")
    described = {f"{kind}_{name}" for kind, name in re.findall(r"`(?:REMEDIATOR_)?([A-Z]+)_([A-Z]+)`", text)}
    everywhere = set(re.findall(r"`\u2026_([A-Z]+)`", text))
    for name in settings.OUTSIDE:
        kind, _, what = name.removeprefix("REMEDIATOR_").partition("_")
        assert what in everywhere or f"{kind}_{what}" in described, name


def test_every_key_of_a_target_and_of_verification_is_described():
    text = (ROOT / "docs/outside.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "policies/schema/remediator.json").read_text(encoding="utf-8"))
    target = schema["properties"]["targets"]["additionalProperties"]["properties"]
    for kind, place in target.items():
        for key in place.get("properties", {}):
            assert re.search(rf"\b{kind}\.{key}\b|{kind}: \{{[^\n]*\b{key}:|`\.{key}`", text), f"{kind}.{key}"
    for key in schema["properties"]["verification"]["properties"]:
        assert f"verification.{key}" in text, key


def test_every_input_of_the_action_is_listed_by_what_it_is_for():
    inputs = set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"])
    table = (ROOT / "docs/github.md").read_text(encoding="utf-8").split("| to | inputs", 1)[1].split("\n\n", 1)[0]
    listed = set(re.findall(r"`([a-z-]+\*?)`", table))
    whole = {name for name in inputs for one in listed if name == one or (one[-1] == "*" and name.startswith(one[:-1]))}
    assert whole == inputs
    assert {one for one in listed if not any(name.startswith(one.rstrip("*")) for name in inputs)} == set()


def test_the_category_that_the_policies_show_is_recognised(tmp_path):
    text = (ROOT / "docs/policies.md").read_text(encoding="utf-8")
    shown = re.search(r"# policies/categories/(\w+)\.yaml\n(.*?)```", text, re.DOTALL)
    assert shown
    own = tmp_path / "remediator.yml"
    own.write_text(yaml.safe_dump({"categories": {shown[1]: yaml.safe_load(shown[2])}}), encoding="utf-8")
    assert policy.check(own) == []
    catalogue = policy.load(own).catalogue
    patterns = [Pattern(*one) for one in catalogue.patterns()]
    log = "$ kubectl logs -n shop deploy/checkout\nFATAL licence has expired on 2026-01-31\n"
    (found,) = classify(Scanner(patterns).scan([text_input("log.txt", log)]).statements, catalogue)
    assert (found.category, found.severity) == (shown[1], "critical")
    assert found.summary == "checkout (shop) does not start: its licence ended on 2026-01-31"
