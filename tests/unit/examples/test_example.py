"""The example holds what its README says, and is the same wherever it is made."""

from __future__ import annotations

import filecmp
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
INCIDENTS = sorted((EXAMPLES / "incidents").iterdir())


def make(target: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "make_repository.py"), str(target), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    target = tmp_path_factory.mktemp("example") / "repository"
    assert make(target).returncode == 0
    return target


def test_the_newest_commit_is_the_folder(repository):
    compared = filecmp.dircmp(repository, EXAMPLES / "gitops", ignore=[".git"])
    assert not compared.left_only
    assert not compared.right_only
    assert git(repository, "status", "--porcelain") == ""


def test_commit_ids_are_the_same_everywhere(repository, tmp_path):
    make(tmp_path / "again")
    assert git(repository, "rev-parse", "HEAD") == git(tmp_path / "again", "rev-parse", "HEAD")


def test_the_limit_was_higher_before(repository):
    file = "workloads/checkout/values-production.yaml"
    limits = [
        yaml.safe_load(git(repository, "show", f"{commit}:{file}"))["resources"]["limits"]["memory"]
        for commit in git(repository, "log", "--reverse", "--format=%h", "--", file).split()
    ]
    assert limits == ["384Mi", "512Mi", "256Mi"]


def test_only_its_own_work_is_replaced(repository, tmp_path):
    (tmp_path / "mine").write_text("precious")
    assert make(tmp_path, "--force").returncode != 0
    assert (tmp_path / "mine").read_text() == "precious"
    assert make(repository).returncode != 0
    assert make(repository, "--force").returncode == 0


def test_every_manifest_parses():
    for file in (EXAMPLES / "gitops").rglob("*.yaml"):
        if "templates" not in file.parts:
            assert list(yaml.safe_load_all(file.read_text(encoding="utf-8"))), file


@pytest.mark.parametrize("log", INCIDENTS, ids=lambda log: log.name)
def test_each_log_is_in_the_table_and_about_the_repository(log):
    text = log.read_text(encoding="utf-8")
    assert f"| `{log.name}` |" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
    if log.suffix == ".json":
        assert json.loads(text)["version"] == "4"
    images = set(re.findall(r"registry\.example\.com/northwind/(\w+):([\w.]+)", text))
    manifests = "\n".join(file.read_text(encoding="utf-8") for file in (EXAMPLES / "gitops").rglob("*.yaml"))
    for name, tag in images:
        assert f"northwind/{name}" in manifests
        assert tag in manifests, f"{log.name} speaks of {name}:{tag}, which the repository does not hold"


@pytest.mark.needs_tools("helm", "kubectl")
def test_charts_and_overlays_render():
    gitops = EXAMPLES / "gitops"
    for environment in ("staging", "production"):
        values = [f"--values={gitops}/workloads/checkout/{name}.yaml" for name in ("values", f"values-{environment}")]
        subprocess.run(
            ["helm", "template", "checkout", gitops / "charts/service", *values], check=True, capture_output=True
        )
        overlay = gitops / "workloads/storefront/overlays" / environment
        subprocess.run(["kubectl", "kustomize", overlay], check=True, capture_output=True)
