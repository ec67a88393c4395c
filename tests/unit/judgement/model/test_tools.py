"""The reading tools: bounded pages, helpful refusals, nothing hidden shown."""

from __future__ import annotations

from typing import Any

import pytest

from remediator.domain.investigation import ToolCall
from remediator.judgement.model import InvestigationSession
from tests.unit.judgement.model.shop import DEPLOYMENT, investigation
from tests.unit.judgement.model.shop import call as called


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> InvestigationSession:
    return investigation(
        tmp_path_factory.mktemp("shop"), files={"docs/long.yaml": "".join(f"k{n}: {n}\n" for n in range(2_000))}
    )


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("search_evidence", {"text": "OOMKilled"}, "E1 ["),
        ("search_evidence", {"text": "no such words"}, "fewer words find more"),
        ("list_applications", {}, "store (in scope): namespace shop, apps/store @main, written in argocd/store.yaml"),
        ("list_objects", {"application": "store"}, "Deployment store in shop from apps/store/deployment.yaml"),
        ("list_objects", {"application": "nope"}, "there is no Application nope: list_applications tells"),
        ("read_object", {"kind": "Service", "name": "store"}, "targetPort: 8080"),
        ("read_object", {"kind": "deployment", "name": "ledger", "application": "ledger"}, "memory: 256Mi"),
        ("read_object", {"kind": "Service", "name": "nope"}, "list_objects tells"),
        (
            "locate",
            {"kind": "Deployment", "name": "store", "field": "spec.template.spec.containers[0].resources.limits.memory"},
            f"{DEPLOYMENT} spec.template.spec.containers[0].resources.limits.memory = 256Mi",
        ),
        ("locate", {"kind": "Deployment", "name": "store", "field": "spec..x"}, "expected a key at character"),
        ("recent_changes", {}, "512Mi → 256Mi"),
        ("recent_changes", {"file": "apps/ledger/deployment.yaml"}, "absent → a file of"),
        ("broken_relations", {}, "No relation that is known is broken"),
        ("search_repository", {"text": "/ready", "glob": "apps/store/*.yaml"}, f"{DEPLOYMENT}:"),
        ("search_repository", {"text": "", "glob": "argocd/*"}, "argocd/ledger.yaml"),
        ("read_file", {"path": DEPLOYMENT}, "   1 apiVersion: apps/v1"),
        ("read_file", {"path": "docs/long.yaml"}, "reads on)"),
        ("read_file", {"path": "docs/long.yaml", "from_line": 1_999}, "1999 k1998: 1998"),
        ("read_file", {"path": "docs/long.yaml", "from_line": 5_000}, "has 2000 lines"),
        ("read_file", {"path": "../outside"}, "is not shown"),
        ("read_file", {"path": "/etc/passwd"}, "is not shown"),
        ("read_file", {"path": ".git/config"}, "is not shown"),
        ("read_file", {"path": "apps/../.git/HEAD"}, "is not shown"),
        ("read_file", {"path": "nope.yaml"}, "search_repository"),
        ("past_incidents", {"text": "store"}, "Nothing earlier"),
        ("delete_everything", {}, "there is no tool 'delete_everything': search_evidence"),
        ("search_evidence", {"text": 7}, "text must be a text"),
        ("search_evidence", {"text": "a", "page": 0}, "page must be a whole number from 1"),
        ("search_evidence", {"text": "OOMKilled", "page": 99}, "There is no page 99"),
    ],
)  # fmt: skip
def test_each_tool_answers_or_says_what_would_be_an_answer(
    case: InvestigationSession, name: str, arguments: dict[str, Any], told: str
) -> None:
    answer = called(case, name, **arguments)
    assert told in answer.text
    assert len(answer.text.encode()) <= 4_200
    assert not answer.ended
    assert answer.step


def test_the_same_call_gives_the_same_answer(case: InvestigationSession) -> None:
    for name in ("list_applications", "recent_changes", "broken_relations"):
        assert called(case, name) == called(case, name)


@pytest.mark.parametrize("path", ["apps/store/secret.yaml"])
def test_no_secret_leaves_by_a_tool(case: InvestigationSession, path: str) -> None:
    said = [
        called(case, "read_file", path=path),
        called(case, "read_object", kind="Secret", name="store"),
        called(case, "search_repository", text="correct"),
    ]
    assert not [answer for answer in said if "correct-horse-battery" in answer.text]


@pytest.mark.parametrize("arguments", ["", "{", "[]", "7", "null", "[" * 60_000, '{"text": ' + "9" * 50_000, "\x00"])
def test_malformed_arguments_are_answered(case: InvestigationSession, arguments: str) -> None:
    answer = case.call(ToolCall(id="call_1", name="search_evidence", arguments=arguments))
    assert answer.text
    assert not answer.ended
