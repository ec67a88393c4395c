"""Paths into YAML: walked, compared, written, and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.domain.yaml_paths import (
    MISSING,
    ItemSelector,
    format_path,
    get,
    leaves,
    parse_path,
    unquoted_path,
    value_differences,
)

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


@pytest.mark.parametrize(
    ("path", "for_people", "for_patterns"),
    [
        (("spec", "containers", 0, "image"), "spec.containers[0].image", "spec.containers[0].image"),
        (("metadata", "labels", "a.b/c"), 'metadata.labels["a.b/c"]', "metadata.labels.a.b/c"),
        (("nodeSelector", "example/disk"), "nodeSelector.example/disk", "nodeSelector.example/disk"),
        (("data", "two words"), 'data["two words"]', "data.two words"),
        (("data", 'a"b'), r'data["a\"b"]', 'data.a"b'),
        ((0, "a"), "[0].a", "[0].a"),
        ((), "", ""),
    ],
)
def test_a_path_has_one_spelling_for_people_and_one_for_patterns(path, for_people, for_patterns):
    assert (format_path(path), unquoted_path(path)) == (for_people, for_patterns)


def test_a_missing_field_is_not_null():
    assert get({"a": None}, ("a",)) is None
    assert get({"a": None}, ("b",)) is MISSING
    assert get({"a": [{"name": "x", "v": 1}]}, ("a", "name=x", "v")) == 1


def test_leaves_are_scalars_and_empty_containers():
    assert list(leaves({"a": [1, {}], "b": {"c": None}})) == [(("a", 0), 1), (("a", 1), {}), (("b", "c"), None)]


def test_values_that_differ_in_type_alone_differ():
    old, new = {"a": 1, "b": 2}, {"a": True, "c": 3}
    assert list(value_differences(old, new)) == [(("a",), 1, True), (("b",), 2, MISSING), (("c",), MISSING, 3)]
