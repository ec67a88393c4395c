"""Objects that kustomize names by a hash of their content: another content is a change of fields, not another object."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from remediator.gitops import Repository
from remediator.gitops.change.generated_names import is_follow_up, stem
from tests.unit.remedies.small_repository import application, workload

OLD = "configMapGenerator:\n  - name: web-env\n    literals: [LEVEL=info]\nresources: [web.yaml]\n"


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("web-env-529k794852", "web-env"),
        ("web-env-fc2tkkchbk", "web-env"),
        ("web-env", ""),
        ("web-production", ""),
        ("529k794852", ""),
    ],
)
def test_a_hash_at_the_end_is_told_from_a_word(name: str, without: str) -> None:
    assert stem(name) == without


@pytest.mark.parametrize(
    ("before", "after", "follows"),
    [
        ("web-env-529k794852", "web-env-fc2tkkchbk", True),
        ("web-env-529k794852", "api-env-fc2tkkchbk", False),
        ("web-env-529k794852", "web-env-529k794852", False),
        ("web-env", "web-env-fc2tkkchbk", False),
        (3, 4, False),
    ],
)
def test_a_reference_follows_its_object(before: object, after: object, follows: bool) -> None:
    assert is_follow_up(before, after) is follows


def test_another_content_is_a_change_of_fields(tmp_path: Path) -> None:
    pod = workload({"envFrom": [{"configMapRef": {"name": "web-env"}}]})
    for name, text in {
        "apps/web.yaml": yaml.safe_dump(application("web", "web")),
        "web/web.yaml": yaml.safe_dump(pod),
        "web/kustomization.yaml": OLD,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    repository = Repository.open(tmp_path)
    after = repository.with_changes({"web/kustomization.yaml": OLD.replace("LEVEL=info", "LEVEL=debug").encode()})
    changes = list(repository.difference(after))
    assert [(change.kind, change.path[-1], change.scope) for change in changes if change.kind == "ConfigMap"] == [
        ("ConfigMap", "LEVEL", "field")
    ]
    others = [change for change in changes if change.kind != "ConfigMap"]
    assert [is_follow_up(change.before, change.after) for change in others] == [True]
