"""The planner on a real checkout: which branch a change goes to, and what the guardrails say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remediator.domain.change import Edit
from remediator.errors import PolicyViolation
from remediator.intake.planner import LocalPlanner
from remediator.policy import Action, Catalogue, Guardrails, Policies
from remediator.policy.targets import Target
from tests.git_repositories import git, repository

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://git.example.com/shop/gitops.git"
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  project: default
  source: {{repoURL: https://git.example.com/shop/gitops.git, targetRevision: {revision}, path: {path}}}
  destination: {{server: https://kubernetes.default.svc, namespace: shop}}
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "argocd/root.yaml": APPLICATION.format(name="root", revision="main", path="argocd"),
        "argocd/head.yaml": APPLICATION.format(name="head", revision="HEAD", path="apps/head"),
        "argocd/prod.yaml": APPLICATION.format(name="prod", revision="prod", path="apps/prod"),
        "argocd/pinned.yaml": APPLICATION.format(name="pinned", revision="v1.2.0", path="apps/pinned"),
        "apps/head/c.yaml": CONFIG,
        "apps/prod/c.yaml": CONFIG,
        "apps/pinned/c.yaml": CONFIG,
    }
    root = repository(tmp_path / "repo", files)
    git(root, "branch", "prod")
    git(root, "remote", "add", "origin", URL)
    return root


def planner(root: Path) -> LocalPlanner:
    guardrails = Guardrails(deny_files=("secret/**",))
    action = Action(id="alone", title="Alone", ends=("x",), auto_merge=True)
    return LocalPlanner(
        root, Policies(catalogue=Catalogue(categories=()), actions={"alone": action}, guardrails=guardrails)
    )


@pytest.mark.parametrize(
    ("application", "file", "branch"),
    [
        ("head", "apps/head/c.yaml", ""),
        ("prod", "apps/prod/c.yaml", "prod"),
        ("pinned", "argocd/pinned.yaml", "main"),
        ("nobody", "elsewhere/c.yaml", ""),
    ],
)
def test_the_branch_is_what_the_application_fed_by_the_file_follows(
    root: Path, application: str, file: str, branch: str
) -> None:
    assert planner(root).tracked([application], [file]) == branch


def test_the_repository_knows_what_the_targets_call_their_clusters(root: Path) -> None:
    made = planner(root)
    targets = {"prod-eu": Target(clusters=("https://eu.example.com",)), "prod-us": Target()}
    made.policies = made.policies.model_copy(update={"targets": targets})
    assert made.repository.clusters == {"https://eu.example.com": "prod-eu", "prod-eu": "prod-eu", "prod-us": "prod-us"}


def test_a_pin_is_not_moved_by_a_merge(root: Path) -> None:
    with pytest.raises(PolicyViolation, match=r"pinned is .*v1\.2\.0.*argocd/pinned\.yaml"):
        planner(root).tracked(["pinned"], ["apps/pinned/c.yaml"])


def test_the_guardrails_judge_the_difference(root: Path) -> None:
    assert planner(root).objections({"a.yaml": b"a: 1\n"}, {"a.yaml": b"a: 2\n"}) == ()
    assert "deny_files" in planner(root).objections({"secret/a.yaml": b"a: 1\n"}, {"secret/a.yaml": b"a: 2\n"})[0]


def test_edits_are_made_on_the_text_they_are_given(root: Path) -> None:
    edit = Edit(op="set", file="x.yaml", path=("memory",), value="2Gi")
    assert planner(root).edit([edit], lambda path: b"memory: 1Gi  # why\n") == {"x.yaml": b"memory: 2Gi  # why\n"}


def test_only_a_listed_action_may_merge_by_itself(root: Path) -> None:
    assert planner(root).merges_itself("alone")
    assert not planner(root).merges_itself("unknown")
