"""Each relation finds its contradiction in a small world, names the right value, and is silent once that is set."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator.domain.yaml_paths import MISSING, format_path, get
from remediator.gitops import Repository, Tools
from remediator.judgement.relations.registry import RELATIONS, REMEDIES_OF, broken
from remediator.judgement.world import World
from remediator.policy import load

WORLDS = Path(__file__).parents[2] / "fixtures/relations"
CASES = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(WORLDS.glob("*.yaml"))}
APPLICATION = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop", "namespace": "argocd"},
    "spec": {
        "project": "default",
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
        "source": {"repoURL": "https://git.example.com/ops/fleet.git", "targetRevision": "main", "path": "shop"},
    },
}


def world(folder: Path, case: dict[str, Any], objects: list[dict[str, Any]]) -> World:
    """Write the objects as one Application's manifests, and read them as Argo CD would."""
    (folder / "shop").mkdir(parents=True, exist_ok=True)
    application = copy.deepcopy(APPLICATION)
    application["spec"].update(case.get("application", {}))
    (folder / "shop.yaml").write_text(yaml.safe_dump(application), encoding="utf-8")
    (folder / "shop/objects.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    for name, body in case.get("files", {}).items():
        (folder / name).write_text(yaml.safe_dump(body), encoding="utf-8")
    repository = Repository.open(folder, tools=Tools())
    seen = {name: frozenset(ports) for name, ports in case.get("loopback", {}).items()}
    return World(repository, [app for app in repository.applications if app.name == "shop"], loopback=seen)


def test_every_relation_has_a_world_that_breaks_it() -> None:
    assert set(CASES) == set(RELATIONS)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_relation_finds_its_contradiction_and_no_other_finds_one(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    found = [
        item for item in broken(world(tmp_path, case, case["objects"])) if item.relation not in case.get("besides", ())
    ]
    assert [item.relation for item in found] == [name] * case.get("times", 1)
    first = found[0]
    assert format_path(first.path) == case["path"]
    assert first.causes
    assert first.message
    if "value" in case:
        assert ("absent" if first.value is MISSING else first.value) == case["value"]
    if "appends" in case:
        assert [edit.value for edit in first.edits] == [case["appends"]]
    if "value" not in case and "appends" not in case:
        assert first.value is None


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if "value" in case))
def test_the_value_that_it_names_ends_the_contradiction(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    first = next(item for item in broken(world(tmp_path / "before", case, case["objects"])) if item.relation == name)
    objects = copy.deepcopy(case["objects"])
    holder = next(
        item for item in objects if (item["kind"], item["metadata"]["name"]) == (first.at.kind, first.at.name)
    )
    *above, last = first.path
    parent = holder
    for step in above:
        if get(parent, (step,)) is MISSING:
            parent[step] = {}
        parent = parent[step]
    if first.value is MISSING:
        del parent[last]
    else:
        parent[last] = first.value
    assert name not in {item.relation for item in broken(world(tmp_path / "after", case, objects))}


def test_remedies_that_speak_for_relations_exist() -> None:
    assert set(REMEDIES_OF) <= set(RELATIONS)
    assert {action for actions in REMEDIES_OF.values() for action in actions} <= set(load().actions)
