"""try_change: each shape of an edit proved to the end, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remediator.judgement.model import InvestigationSession
from tests.git_repositories import git
from tests.unit.judgement.model.shop import DEPLOYMENT, FILES, SERVICE, call, investigation, memory

CONFIG = "apps/store/config.yaml"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> InvestigationSession:
    return investigation(tmp_path_factory.mktemp("shop"))


def tried(folder: Path, *edits: dict[str, Any], cites: tuple[str, ...] = ("E1",)) -> str:
    return call(investigation(folder), "try_change", edits=list(edits), cites=list(cites)).text


def test_a_field_of_a_rendered_object(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    answer = call(case, "try_change", edits=[memory("512Mi")], cites=["E1"])
    assert "C1 passed the proof" in answer.text
    assert (
        "rendered store: Deployment/store spec.template.spec.containers[0].resources.limits.memory: 256Mi → 512Mi"
        in answer.text
    )
    (edit,) = case.tried["C1"].proposal.edits
    assert (edit.file, edit.op, edit.value) == (DEPLOYMENT, "set", "512Mi")
    assert case.tried["C1"].proposal.source == "model"


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"file": DEPLOYMENT, "path": "spec.replicas", "value": 3}, "spec.replicas: 2 → 3"),
        ({"file": DEPLOYMENT, "path": "spec.minReadySeconds", "op": "insert", "value": 5}, "spec.minReadySeconds: absent → 5"),
        ({"file": DEPLOYMENT, "path": "spec.replicas", "op": "delete"}, "spec.replicas: 2 → absent"),
        (
            {"file": CONFIG, "path": 'data["app.yaml"]', "inside": "cache.entries", "value": 100},
            'ConfigMap/store data["app.yaml"]',
        ),
        ({"file": CONFIG, "path": 'data["app.yaml"]', "op": "rename", "value": "store.yaml"}, "ConfigMap/store data"),
        (
            {"file": "apps/store/cache.yaml", "new_text": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache, namespace: shop}\n"},
            "ConfigMap/cache: absent → present",
        ),
    ],
)  # fmt: skip
def test_each_shape_of_an_edit_is_proved(shared: InvestigationSession, edit: dict[str, Any], told: str) -> None:
    shared.tried.clear()
    text = call(shared, "try_change", edits=[edit], cites=["E1"]).text
    assert "C1 passed the proof" in text, text
    assert told in text


def test_several_edits_of_both_kinds_are_one_change(tmp_path: Path) -> None:
    text = tried(tmp_path, memory("512Mi"), {"file": SERVICE, "path": "spec.ports[0].port", "value": 8080})
    assert "256Mi → 512Mi" in text
    assert "spec.ports[0].port: 80 → 8080" in text


def test_what_a_commit_changed_is_taken_back_byte_by_byte(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    commit = git(tmp_path / "gitops", "rev-parse", "HEAD")
    answer = call(case, "try_change", edits=[{"take_back": commit[:10]}], cites=["E1"])
    assert "256Mi → 512Mi" in answer.text
    assert case.tried["C1"].proposal.edits[0].value == FILES[DEPLOYMENT]


def test_a_file_that_does_not_parse_is_mended_by_its_lines(tmp_path: Path) -> None:
    broken = {SERVICE: FILES[SERVICE].replace("  selector: {app: store}", "  selector: {app: store")}
    case = investigation(tmp_path, files=broken)
    wrong = call(case, "try_change", edits=[{"file": SERVICE, "path": "spec.selector", "value": 1}], cites=["E1"])
    assert "does not parse" in wrong.text
    line = next(n for n, text in enumerate(broken[SERVICE].splitlines(), 1) if "selector" in text)
    edit = {"file": SERVICE, "from_line": line, "to_line": line, "new_text": "  selector: {app: store}"}
    assert "Service/store: absent → present" in call(case, "try_change", edits=[edit], cites=["E1"]).text


@pytest.mark.parametrize(
    ("edits", "cites", "told"),
    [
        ([memory("512Mi")], ["E99"], "cites must name at least one fact"),
        ([memory("512Mi")], "E1", "cites must name at least one fact"),
        ([], ["E1"], "at least one edit"),
        (["x"], ["E1"], "each edit must be an object"),
        ([memory("512Mi")] * 13, ["E1"], "too many"),
        ([memory("512Mi", name="nope")], ["E1"], "there is no rendered Deployment nope"),
        ([{**memory("512Mi"), "field": "spec.nope.deeper", "remove": True}], ["E1"], "has no field"),
        ([{**memory(""), "value": "not a quantity"}], ["E1"], "not valid"),
        ([memory("900Gi")], ["E1"], "exceed the maximum"),
        ([{"file": "../outside.yaml", "path": "a", "value": 1}], ["E1"], "outside.yaml"),
        ([{"file": ".github/workflows/ci.yaml", "new_text": "a: 1\n"}], ["E1"], ""),
        ([{"file": "apps/ledger/deployment.yaml", "path": "spec.replicas", "value": 0}], ["E1"], "nothing to do with this incident"),
        ([memory("512Mi", application="ledger", name="ledger")], ["E1"], "nothing to do with this incident"),
        ([{"file": DEPLOYMENT, "path": "spec.replicas", "value": "[redacted:token:abc123]"}], ["E1"], "redacted"),
        ([{"file": SERVICE, "from_line": 1, "new_text": "x"}], ["E1"], "parses: change it by path"),
        ([{"file": SERVICE, "new_text": "a: 1\n"}], ["E1"], "exists"),
        ([{"take_back": "0123456789"}], ["E1"], "no recent commit"),
        ([{"take_back": ""}], ["E1"], "no recent commit"),
        ([{"file": "apps/store/secret.yaml", "path": "stringData.password", "value": "x"}], ["E1"], "guardrails"),
        ([{"file": DEPLOYMENT, "path": "spec.template.spec.hostNetwork", "value": True}], ["E1"], "guardrails"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(shared: InvestigationSession, edits: Any, cites: Any, told: str) -> None:
    shared.tried.clear()
    answer = call(shared, "try_change", edits=edits, cites=cites)
    assert answer.text.startswith("Refused: ")
    assert told in answer.text
    assert shared.tried == {}


def test_an_action_that_the_policy_disables_is_disabled_for_a_model_too(tmp_path: Path) -> None:
    policy = {".github/remediator.yml": "actions: {raise_memory_limit: {enabled: false}}\n"}
    case = investigation(tmp_path, files=policy)
    assert "disables raise_memory_limit" in call(case, "try_change", edits=[memory("512Mi")], cites=["E1"]).text
    (tmp_path / "other").mkdir()
    off = {".github/remediator.yml": "actions: {investigated_change: {enabled: false}}\n"}
    case = investigation(tmp_path / "other", files=off)
    assert "disables investigated_change" in call(case, "try_change", edits=[memory("512Mi")], cites=["E1"]).text


def test_a_value_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    case = investigation(tmp_path, files={"apps/store/notes/values.yaml": "memory: 1Gi\n"})
    answer = call(
        case,
        "try_change",
        edits=[{"file": "apps/store/notes/values.yaml", "path": "memory", "value": "2Gi"}],
        cites=["E1"],
    )
    assert "read by no Application of this incident" in answer.text
