"""Each recipe is recognised in a log of its software and changes just its setting, through the whole of judgement."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator import diagnosis, evidence, policy, remedies
from remediator.domain.lifecycle import RemediationPlan
from remediator.domain.yaml_paths import YamlPath, get, value_differences
from remediator.gitops import Repository, Tools
from remediator.judgement import decide
from remediator.judgement.recipes.texts import steps

FIXTURES = Path(__file__).parents[2] / "fixtures/recipes"
CASES = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(FIXTURES.glob("*.yaml"))}
RECIPES = {recipe.id: recipe for recipe in policy.load().recipes}


@lru_cache(maxsize=1)
def rules() -> tuple[policy.Policies, evidence.Scanner]:
    policies = policy.load()
    return policies, evidence.Scanner([evidence.Pattern(*pair) for pair in policies.catalogue.patterns()])


def objects(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the case's objects; a `workload` is one container's fields, `config` the files of a ConfigMap beside it."""
    made: list[dict[str, Any]] = list(case.get("objects", ()))
    if container := case.get("workload"):
        labels = {"app": "web"}
        pod: dict[str, Any] = {"containers": [{"name": "web", **container}]}
        if "config" in case:
            pod["volumes"] = [{"name": "config", "configMap": {"name": "web-config"}}]
            pod["containers"][0]["volumeMounts"] = [{"name": "config", "mountPath": "/config"}]
        made.insert(0, {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
        })  # fmt: skip
    if "config" in case:
        made.append(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-config"}, "data": case["config"]}
        )
    return made


def log_of(case: dict[str, Any]) -> str:
    """Return the log; a `line` alone is what the container prints."""
    return str(case["log"]) if "log" in case else f"$ kubectl logs -n shop deploy/web --tail=1\n{case['line']}\n"


def write(folder: Path, case: dict[str, Any]) -> None:
    """Write the case as one Application: of a chart that is not at hand, or of plain manifests."""
    source: dict[str, Any] = {
        "repoURL": "https://git.example.com/ops/fleet.git",
        "targetRevision": "main",
        "path": "shop",
    }
    if chart := case.get("chart"):
        source = {"repoURL": "https://charts.example.com", "chart": chart, "targetRevision": "9.9.9"}
        source["helm"] = {"valuesObject": case["values"]}
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            "source": source,
            **case.get("spec", {}),
        },
    }
    (folder / "shop").mkdir(parents=True, exist_ok=True)
    (folder / "shop.yaml").write_text(yaml.safe_dump(application, sort_keys=False), encoding="utf-8")
    for index, body in enumerate(objects(case)):
        (folder / f"shop/{index}.yaml").write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")


def judge(folder: Path, log: str) -> tuple[list[Any], list[RemediationPlan], dict[str, tuple[Any, Any]]]:
    """Return the diagnoses, their plans, and the first proposal's files before and after."""
    policies, scanner = rules()
    repository = Repository.open(folder, tools=Tools())
    statements = scanner.scan([evidence.text_input("log.txt", log)]).statements
    incidents = list(diagnosis.classify(statements, policies.catalogue))
    plans = [decide(incident, repository, policies) for incident in incidents]
    first = next((plan.proposals[0] for plan in plans if plan.proposals), None)
    files = remedies.changes(first.edits, repository.read) if first else {}
    return (
        incidents,
        plans,
        {name: (yaml.safe_load(repository.read(name)), yaml.safe_load(text or b"")) for name, text in files.items()},
    )


def expected_place(case: dict[str, Any]) -> tuple[str, YamlPath]:
    if "application" in case:
        return "shop.yaml", steps(case["application"])
    if "chart" in case:
        return "shop.yaml", ("spec", "source", "helm", "valuesObject", *steps(case["path"]))
    if "config" in case and "path" not in case:
        return f"shop/{len(objects(case)) - 1}.yaml", ("data", next(iter(case["config"])))
    path = str(case["path"])
    inside = ("spec", "template", "spec", "containers", 0) if path.startswith(("env", "args", "command")) else ()
    return f"shop/{case.get('object', 0)}.yaml", (*inside, *steps(path))


def test_every_recipe_has_a_log_and_every_log_a_recipe() -> None:
    assert set(CASES) == set(RECIPES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_recipe_is_recognised_and_changes_its_setting_alone(name: str, tmp_path: Path) -> None:
    case, recipe = CASES[name], RECIPES[name]
    write(tmp_path, case)
    incidents, plans, files = judge(tmp_path, log_of(case))
    assert [incident.category for incident in incidents] == [recipe.category]
    if "declined" in case:
        assert not plans[0].proposals
        assert case["declined"] in plans[0].reason
        return
    assert plans[0].proposals, plans[0].reason
    assert plans[0].applications
    first = plans[0].proposals[0]
    assert first.action in ("apply_recipe", "meet_demand"), first.title
    assert any(recipe.signal == piece.signal for piece in incidents[0].evidence)
    file, path = expected_place(case)
    assert list(files) == [file]
    before, after = files[file]
    if "contains" in case:
        assert case["contains"] in get(after, path)
        assert len(set(get(before, path).splitlines()) ^ set(get(after, path).splitlines())) <= 2
    else:
        assert get(after, path) == case["value"]
    assert {tuple(place[: len(path)]) for place, _, _ in value_differences(before, after)} <= {
        path[:length] for length in range(len(path) + 1)
    }


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if "declined" not in case))
def test_a_recipe_has_nothing_to_say_where_its_value_stands_already(name: str, tmp_path: Path) -> None:
    """A setting that is right, or a limit that another setting must have given, is not changed again."""
    case = CASES[name]
    rule = next(setting.value or RECIPES[name].value for setting in RECIPES[name].settings)
    if rule is None or not (rule.limit or rule.fixed is not None or rule.at_least):
        return
    write(tmp_path, case)
    _, plans, files = judge(tmp_path, log_of(case))
    for file, (_, after) in files.items():
        (tmp_path / file).write_text(yaml.safe_dump(after, sort_keys=False), encoding="utf-8")
    _, plans, _ = judge(tmp_path, log_of(case))
    assert not [proposal for plan in plans for proposal in plan.proposals if proposal.parameters.get("recipe") == name]
