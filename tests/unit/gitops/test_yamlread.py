from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from remediator.gitops import yamlread
from remediator.gitops.yamlread import UnreadableYaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: 0777", {"a": 511}),
        ("a: 0x1F", {"a": 31}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: 1:30", {"a": "1:30"}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: yes", {"a": True}),
        ("a: 'yes'", {"a": "yes"}),
        ("a: !!str 1", {"a": "1"}),
        ("a: ~", {"a": None}),
        ("1: x", {"1": "x"}),
        ("true: x", {"true": "x"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, d: 2}\nc: {<<: *x, b: 3}", {"a": {"b": 1, "d": 2}, "c": {"b": 3, "d": 2}}),
        ("a: |\n  <<: x\n", {"a": "<<: x\n"}),
    ],
)
def test_values_are_what_kubernetes_tools_read(text, value):
    assert yamlread.documents(text) == [value]


GO_ALONE = re.compile(r"[-+]?([0-9_]+[eE][-+]?[0-9]+|0o[0-7_]+)")
"""Numbers to Go's YAML, which Kubernetes tools read with, and text to PyYAML, which leaves them unquoted."""

TEXTS = st.text().filter(lambda text: not GO_ALONE.fullmatch(text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    )
)
def test_reads_what_pyyaml_writes(value):
    text = yaml.safe_dump(value)
    expected = yaml.load(text, Loader=yaml.SafeLoader)
    assert yamlread.documents(text) == [expected]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 5000])
def test_deep_nesting_is_refused_and_does_not_end_the_process(text):
    with pytest.raises(UnreadableYaml, match="nested deeper"):
        yamlread.documents(text)


def test_a_billion_laughs_are_counted_not_expanded():
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    with pytest.raises(UnreadableYaml, match="expand"):
        yamlread.documents(bomb)


def test_an_anchor_that_contains_itself_is_refused():
    with pytest.raises(UnreadableYaml, match="itself"):
        yamlread.documents("a: &x [*x]")


def test_a_fault_says_its_line():
    with pytest.raises(UnreadableYaml) as raised:
        yamlread.documents("a: 1\nb: ]\nc: 2\n")
    assert raised.value.line == 2


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        (b"a: 1\n", [0]),
        (b"# comment\n---\na: 1\n", [0]),
        (b"a: 1\n---\nb: 2\n", [0, 1]),
        (b"---\n---\nb: 2\n", [0, 1]),
        (b"a: |\n  text\n---\nb: 2\n", [0, 1]),
        (b"%YAML 1.1\n---\na: 1\n", [-1]),
    ],
)
def test_texts_are_cut_where_the_parser_cuts_them(text, indexes):
    assert [index for index, _ in yamlread.pieces(text)] == indexes
    if indexes != [-1]:
        joined = [item for _, piece in yamlread.pieces(text) for item in yamlread.documents(piece)]
        assert joined == yamlread.documents(text)
