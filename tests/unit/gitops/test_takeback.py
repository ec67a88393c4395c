from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.gitops.takeback import revert_text

BEFORE = b"a: 1\nb: 2\nc: 3\nd: 4\n"
AFTER = b"a: 1\nb: 9\nc: 3\nd: 4\n"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (AFTER, BEFORE),
        (b"new: 0\na: 1\nb: 9\nc: 3\nd: 4\n", b"new: 0\na: 1\nb: 2\nc: 3\nd: 4\n"),
        (b"a: 1\nb: 9\nc: 3\nd: 5\ne: 6\n", b"a: 1\nb: 2\nc: 3\nd: 5\ne: 6\n"),
    ],
)
def test_the_change_goes_and_what_came_since_stays(now, expected):
    assert revert_text(BEFORE, AFTER, now) == expected


@pytest.mark.parametrize("now", [b"a: 1\nb: 10\nc: 3\nd: 4\n", b"a: 0\nb: 9\nc: 3\nd: 4\n", b"", None])
def test_what_was_changed_since_is_left_to_a_person(now):
    with pytest.raises(ValueError, match="changed since"):
        revert_text(BEFORE, AFTER, now)


def test_a_file_that_the_change_made_goes_and_one_that_it_removed_comes_back():
    assert revert_text(None, b"a: 1\n", b"a: 1\n") is None
    assert revert_text(b"a: 1\n", None, None) == b"a: 1\n"
    with pytest.raises(ValueError, match="since the merge"):
        revert_text(None, b"a: 1\n", b"a: 2\n")


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"\n"]), max_size=8).map(b"".join)


@given(LINES, LINES)
def test_taken_back_at_once_it_is_what_it_was(before, after):
    assert revert_text(before, after, after) == before


@given(LINES, LINES, LINES)
def test_lines_added_far_behind_stay(before, after, more):
    fence = b"".join(b"fence %d\n" % n for n in range(3))
    assert revert_text(before + fence, after + fence, after + fence + more) == before + fence + more
