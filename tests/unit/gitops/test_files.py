"""Which files count as the repository's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediator.gitops.files import Files

if TYPE_CHECKING:
    from pathlib import Path


def test_a_clone_of_another_repository_is_not_ours_and_a_submodule_is(tmp_path: Path) -> None:
    for path in (
        "apps/a.yaml",
        "build/clone/.git/config",
        "build/clone/b.yaml",
        "build/clone/deep/c.yaml",
        "sub/d.yaml",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("a: 1\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub/.git").write_text("gitdir: ../.git/modules/sub\n")
    assert {name for name in Files(tmp_path).names if name.endswith(".yaml")} == {"apps/a.yaml", "sub/d.yaml"}
