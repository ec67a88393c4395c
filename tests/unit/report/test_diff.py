"""A difference that is shown can be applied: git is the judge."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediator.report import unified_diff
from remediator.report.diff import changed_lines, hunks

lines = st.lists(
    st.sampled_from([b"a", b"b: 1", b"", b"- x", b"+++ y", b"--- z", "é\x85\u2028".encode(), b"c\r"]), max_size=12
)
contents = st.tuples(lines, st.booleans()).map(lambda made: b"\n".join(made[0]) + (b"\n" if made[1] else b""))


@settings(max_examples=25)
@given(before=st.none() | contents, after=st.none() | contents)
def test_git_applies_it(before, after, tmp_path_factory):
    if (before or b"") == (after or b""):
        return
    root = tmp_path_factory.mktemp("tree")
    if before is not None:
        (root / "f.yaml").write_bytes(before)
    diff = unified_diff("f.yaml", before, after)
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"], cwd=root, input=diff.encode(), check=True
    )
    left = (root / "f.yaml").read_bytes() if (root / "f.yaml").exists() else None
    assert left == after


def test_equal_contents_have_no_difference():
    assert unified_diff("f", b"a", b"a") == ""


def test_what_is_no_text_is_not_shown():
    assert unified_diff("f", b"\0", b"\xff") == "Binary files a/f and b/f differ\n"


@pytest.mark.parametrize(("name", "shown"), [("a b.yaml", "a/a b.yaml"), ("a\nb", '"a/a\\nb"'), ('q"', '"a/q\\""')])
def test_names_are_quoted_as_git_does(name, shown):
    assert unified_diff(name, b"", b"x\n").splitlines()[0] == f"--- {shown}"


def test_what_looks_like_a_header_is_counted_and_odd_separators_end_no_line():
    diff = unified_diff("f", "-- a\nb\u2028c\n".encode(), "++ a\nb\u2028d\n".encode())
    assert changed_lines(diff) == 2
    assert hunks(diff) == ["--- a", "-b\u2028c", "+++ a", "+b\u2028d"]


def test_a_replaced_line_counts_once():
    diff = unified_diff("f", b"a\nb\n", b"a\nc\n")
    assert changed_lines(diff) == 1
    assert hunks(diff) == [" a", "-b", "+c"]


def test_places_are_told_apart_where_there_are_several():
    before = b"".join(b"%d\n" % n for n in range(40))
    diff = unified_diff("f", before, before.replace(b"\n3\n", b"\nx\n").replace(b"\n33\n", b"\ny\n"))
    assert sum(line.startswith("@@") for line in hunks(diff)) == 2
