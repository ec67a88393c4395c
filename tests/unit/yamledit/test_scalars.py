"""A written scalar means the same to a YAML 1.1 and to a YAML 1.2 reader."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from remediator.yamledit.readers import same
from remediator.yamledit.scalars import plain_is_safe, write_scalar, write_string

TRAPS = [
    "on", "off", "yes", "No", "y", "N", "true", "null", "~", "", "0644", "0o17", "0x1F", "0b1", "1_000", "1e3", "1.10", ".5", "5.", "+1",
    "-0", ".inf", ".NaN", "12:30:45", "1:30", "2024-01-01", "2001-12-14t21:59:43Z", "=", "<<", "*a", "&a", "!a", "%a", "@a", "`a", "- a",
    "-", "? a", "?", ": a", ":", "a: b", "a:", "a #b", "#a", "[a", "{a", "a]", "'a", '"a', "a'b", "a\\b", "a\tb", " a", "a ", "---", "...",
    "--- a", "|", ">", "\x85", "\u2028", "\ufeff", "\x00", "\x7f", "\U0001f600", "\xa0", "a\xa0", "\r", "a\n",
]  # fmt: skip
PLAIN = [
    "v1.2.3",
    "1.2.3",
    "512Mi",
    "100m",
    "a:b",
    "http://x/y?z=1#f",
    "registry.io/a/b:v1",
    "--flag=1",
    "a-b",
    "a, b",
    "9.8.7",
    "x y",
]
FINE_IN_1_2 = YAML(typ="safe", pure=True)


def both(text):
    """The document `k: text` as each reader has it."""
    source = f"k: {text}\n"
    return yaml.safe_load(source)["k"], FINE_IN_1_2.load(source)["k"]


@pytest.mark.parametrize("style", ["", "'", '"'])
@pytest.mark.parametrize("text", TRAPS + PLAIN)
def test_a_string_stays_that_string(text, style):
    assert both(write_string(text, style=style)) == (text, text)
    flow = write_string(text, style=style, flow=True)
    assert yaml.safe_load(f"[{flow}, {flow}]") == FINE_IN_1_2.load(f"[{flow}, {flow}]") == [text, text]


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_string_gets_no_quotes_that_it_does_not_need(text):
    assert write_string(text) == text
    assert plain_is_safe(text, flow=False)


@pytest.mark.parametrize("text", sorted(set(TRAPS) - {"\U0001f600", "a]", "a'b", "a\\b"}))
def test_a_trap_gets_quotes(text):
    assert not plain_is_safe(text, flow=False)


@given(st.text())
def test_any_string_stays_that_string(text):
    assert both(write_string(text)) == (text, text)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats()))
def test_any_other_scalar_stays_what_it_is(value):
    for read in both(write_scalar(value)):
        if isinstance(value, float) and math.isnan(value):
            assert math.isnan(read)
        else:
            assert same(read, value)
