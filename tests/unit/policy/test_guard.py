"""The guardrails judge the final difference, and say every objection."""

from __future__ import annotations

import pytest

from remediator import policy
from remediator.domain.yaml_paths import MISSING
from remediator.policy.guard import FileChange, check_changes
from remediator.policy.leaves import leaf_changes

GUARDRAILS = policy.load().guardrails
DEPLOYMENT = b"kind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n"


def change(after: bytes | None, before: bytes | None = DEPLOYMENT) -> FileChange:
    return FileChange(before=before, after=after)


def reasons(file: str, after: bytes | None, before: bytes | None = DEPLOYMENT, **guardrails: object) -> str:
    rules = GUARDRAILS.model_copy(update=guardrails)
    return "\n".join(check_changes({file: change(after, before)}, rules).reasons)


def test_a_small_edit_of_a_manifest_is_allowed() -> None:
    after = DEPLOYMENT.replace(b"1\n", b"2\n")
    assert check_changes({"apps/web.yaml": change(after)}, GUARDRAILS).allowed


@pytest.mark.parametrize(
    "file",
    ["../outside.yaml", "/etc/passwd.yaml", "a/../../b.yaml", "a\\b.yaml", ".github/workflows/ci.yml",
     ".github/remediator.yml", "main.tf", "apps/secrets/db.yaml", "db.sops.yaml"],
)  # fmt: skip
def test_files_that_must_not_change(file: str) -> None:
    assert file in reasons(file, DEPLOYMENT.replace(b"1\n", b"2\n"))


def test_a_manifest_at_the_root_is_a_yaml_file_too() -> None:
    assert reasons("web.yaml", DEPLOYMENT.replace(b"1\n", b"2\n")) == ""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (b"kind: Secret\ndata: {a: eA==}\n", b"kind: Secret\ndata: {a: eQ==}\n", "deny_paths"),
        (b"kind: ClusterRoleBinding\nsubjects: []\n", b"kind: ClusterRoleBinding\nsubjects: [a]\n", "deny_kinds"),
        (b"kind: Pod\nspec: {hostNetwork: false}\n", b"kind: Pod\nspec: {hostNetwork: true}\n", "hostNetwork"),
        (b"kind: Role\nrules: [{verbs: [get]}]\n", b"kind: Role\nrules: [{verbs: ['*']}]\n", "deny_values"),
    ],
)
def test_paths_kinds_and_values_that_must_not_change(before: bytes, after: bytes, words: str) -> None:
    assert words in reasons("a.yaml", after, before)


def test_size_is_bounded() -> None:
    big = DEPLOYMENT + b"".join(b"a%d: 1\n" % n for n in range(100))
    assert "max_lines" in reasons("a.yaml", big)
    many = {f"{n}.yaml": change(DEPLOYMENT + b"a: 1\n") for n in range(9)}
    assert any("max_files" in reason for reason in check_changes(many, GUARDRAILS).reasons)


def test_the_kill_switch_stops_everything() -> None:
    assert "kill switch" in reasons("a.yaml", DEPLOYMENT.replace(b"1\n", b"2\n"), enabled=False)


def test_leaves_tell_set_changed_and_removed_apart() -> None:
    found = leaf_changes(b"kind: A\nx: {a: 1, b: 2}\n", b"kind: A\nx: {a: 3, c: null}\n")
    assert found is not None
    assert [(leaf.dotted, leaf.before, leaf.after) for leaf in found] == [
        ("x.a", 1, 3), ("x.b", 2, MISSING), ("x.c", MISSING, None),
    ]  # fmt: skip


def test_a_text_that_is_no_yaml_has_no_leaves() -> None:
    assert leaf_changes(b"a: [", b"a: []") is None
