"""Paths as text: read, written, and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.yamledit import ItemSelector, format_path, parse_path

words = st.text(max_size=8)
elements = st.one_of(words, st.integers(0, 99), st.builds(ItemSelector, words, words))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("spec.containers[name=app].image", ("spec", "containers", ItemSelector("name", "app"), "image")),
        ('metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c")),
        ("[0].a[1][2]", (0, "a", 1, 2)),
        ('a[name="x]y"]', ("a", ItemSelector("name", "x]y"))),
        ("a.0", ("a", "0")),
        ("app.kubernetes.io", ("app", "kubernetes", "io")),
    ],
)
def test_a_path_is_read(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["a..b", ".a", "a.", "a[", "a[x]", "a]", "a[0]b", 'a["x]', "a b.", "a[-1]"])
def test_a_path_that_makes_no_sense_says_where(text):
    with pytest.raises(ValueError, match="at character"):
        parse_path(text)


@given(st.lists(elements, max_size=5))
def test_a_written_path_reads_the_same(path):
    assert parse_path(format_path(path)) == tuple(path)
