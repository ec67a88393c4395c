"""Each operation on small texts, as a reader of a diff would want to see it."""

import pytest

from remediator import yamledit
from remediator.yamledit import parse_path

SET = [
    pytest.param("a: 1 # why\n", "a", 2, "a: 2 # why\n", id="comment kept"),
    pytest.param("a: 'x'\n", "a", "y", "a: 'y'\n", id="quotes kept"),
    pytest.param("a: 'x'\n", "a", "y\n", 'a: "y\\n"\n', id="quotes that cannot hold the value"),
    pytest.param("a: x\n", "a", "yes", 'a: "yes"\n', id="a string that 1.1 takes for true"),
    pytest.param("a: x\n", "a", "0o17", 'a: "0o17"\n', id="a string that 1.2 takes for a number"),
    pytest.param("a: x\nb: 'q'\n", "a", "1.10", "a: '1.10'\nb: 'q'\n", id="the file's own quotes"),
    pytest.param("a: '8080'\n", "a", 8080, "a: 8080\n", id="text to number"),
    pytest.param("a: True\n", "a", False, "a: False\n", id="case of a truth value"),
    pytest.param("a: 1\n", "a", 1e16, "a: 1.0e+16\n", id="float for both readers"),
    pytest.param("a:\nb: 1\n", "a", "x", "a: x\nb: 1\n", id="nothing to text"),
    pytest.param("a: # todo\n", "a", "x", "a: x # todo\n", id="nothing with a comment"),
    pytest.param("a: {b, c: }\n", "a.b", 1, "a: {b: 1, c: }\n", id="flow key without a colon"),
    pytest.param("a: !Ref x\n", "a", "z", "a: !Ref z\n", id="own tag stays"),
    pytest.param("a: !!str 5\n", "a", 6, "a: 6\n", id="a tag that does not fit goes"),
    pytest.param("a: |\n  x\n  y\nb: 1\n", "a", "x\nz\n", "a: |\n  x\n  z\nb: 1\n", id="literal"),
    pytest.param("a: |\n  x\nb: 1\n", "a", "x", "a: |-\n  x\nb: 1\n", id="chomping follows the value"),
    pytest.param("a: |\n  x\nb: 1\n", "a", "  x\n", "a: |2\n    x\nb: 1\n", id="indentation digit"),
    pytest.param("a: >\n  one two\n  three\n", "a", "one 2 three\n", "a: >\n  one 2\n  three\n", id="folds kept"),
    pytest.param("a: |\r\n  x\r\n  y\r\n", "a", "x\nz\n", "a: |\r\n  x\r\n  z\r\n", id="CRLF literal"),
    pytest.param("\ufeffa: 1\r\nb: 2", "b", 3, "\ufeffa: 1\r\nb: 3", id="mark, CRLF, no last break"),
    pytest.param("a: \U0001f600 x # \U0001f600\n", "a", "y\U0001f600", "a: y\U0001f600 # \U0001f600\n", id="non-BMP"),
    pytest.param("a:\n  x: 1\nb: 2\n", "a", 7, "a: 7\nb: 2\n", id="mapping to scalar"),
    pytest.param("a: 1 # c\nb: 2\n", "a", {"x": [1]}, "a: # c\n  x:\n    - 1\nb: 2\n", id="scalar to mapping"),
    pytest.param(
        "c:\n- name: a\n  v: 1\n- name: b\n  v: 2\n", "c[name=b].v", 3, "c:\n- name: a\n  v: 1\n- name: b\n  v: 3\n"
    ),
]

INSERT = [
    pytest.param("a:\n  b: 1\n", "a.c", 2, "a:\n  b: 1\n  c: 2\n", id="last"),
    pytest.param("a:\n  b: 1", "a.c", 2, "a:\n  b: 1\n  c: 2", id="no last break"),
    pytest.param("r: {}\n", "r.l.m", "1Gi", "r:\n  l:\n    m: 1Gi\n", id="empty braces open"),
    pytest.param("r:\n  {}\n", "r.l.m", "1Gi", "r:\n  l:\n    m: 1Gi\n", id="braces on their own line"),
    pytest.param("r:\n", "r.l.m", "1Gi", "r:\n  l:\n    m: 1Gi\n", id="nothing becomes a mapping"),
    pytest.param("a: {b: 1}\n", "a.c", 2, "a: {b: 1, c: 2}\n", id="flow"),
    pytest.param('{\n  "a": 1\n}\n', "b", "x", '{\n  "a": 1,\n  "b": x\n}\n', id="JSON by lines"),
    pytest.param("- a:\n    x: 1\n", "[0].b", [1], "- a:\n    x: 1\n  b:\n    - 1\n", id="in a list item"),
    pytest.param(
        "a:\n    x: 1\nb:\n- y\n",
        "c",
        {"d": [1]},
        "a:\n    x: 1\nb:\n- y\nc:\n    d:\n    - 1\n",
        id="indentation of the file",
    ),
    pytest.param("a: 'x'\n", "b", "y", "a: 'x'\nb: 'y'\n", id="quotes of the siblings"),
    pytest.param("a: |\n  x", "b", 1, "b: 1\na: |\n  x", id="above a block that ends the file"),
    pytest.param("a: |+\n  x\n\n", "b", 1, "a: |+\n  x\n\nb: 1\n", id="below a block that keeps its blank lines"),
    pytest.param("a: 1\n\nb: 2\n\nc: 3\n", "d", 4, "a: 1\n\nb: 2\n\nc: 3\n\nd: 4\n", id="blank lines between"),
    pytest.param(
        "a:\n  b: 1\n    # deep\nc: 1\n",
        "a.d",
        1,
        "a:\n  b: 1\n    # deep\n  d: 1\nc: 1\n",
        id="comments of the entry above",
    ),
    pytest.param(
        "x:\n  r:\n    l: {c: 1}\n    q: {c: 1}\ny:\n  r:\n    q: {c: 2}\n",
        "y.r.l",
        {"m": 1},
        "x:\n  r:\n    l: {c: 1}\n    q: {c: 1}\ny:\n  r:\n    l:\n      m: 1\n    q: {c: 2}\n",
        id="order of other mappings of that name",
    ),
    pytest.param(
        "a: 1\n", "on", "text\nlines\n", 'a: 1\n"on": |\n  text\n  lines\n', id="a key that 1.1 takes for true"
    ),
]

DELETE = [
    pytest.param("a: 1\nb: 2 # b\nc: 3\n", "b", "a: 1\nc: 3\n", id="with its comment"),
    pytest.param("a: 1\nb: 2", "b", "a: 1", id="no last break"),
    pytest.param("- a: 1\n  b: 2\n", "[0].a", "- b: 2\n", id="first of a list item"),
    pytest.param("- a: 1\n  # on b\n  b: 2\n", "[0].a", "-\n  # on b\n  b: 2\n", id="a comment that stays"),
    pytest.param("a:\n  b: 1\nc: 1\n", "a.b", "a: {}\nc: 1\n", id="the last one leaves braces"),
    pytest.param("a:\n- b\n", "a[0]", "a: []\n", id="the last item leaves brackets"),
    pytest.param("a: {b: 1, c: 2, d: 3}\n", "a.c", "a: {b: 1, d: 3}\n", id="flow, middle"),
    pytest.param("a: {b: 1, c: 2}\n", "a.c", "a: {b: 1}\n", id="flow, last"),
    pytest.param("a: [x, ]\n", "a[0]", "a: [ ]\n", id="flow, only"),
    pytest.param("a: &x 1\nb: *x\n", "b", "a: &x 1\n", id="an alias"),
    pytest.param("a: |\n  x\nb: 1", "b", "a: |\n  x\n", id="the break above belongs to the block"),
]

APPEND = [
    pytest.param("a:\n- x\n- y\n", "a", "z", "a:\n- x\n- y\n- z\n", id="not indented"),
    pytest.param(
        "a:\n    -   x\n", "a", {"k": 1, "l": 2}, "a:\n    -   x\n    -   k: 1\n        l: 2\n", id="dash and gap"
    ),
    pytest.param("a: [x, y]\n", "a", "z", "a: [x, y, z]\n", id="flow"),
    pytest.param("a: [\n  x,\n  y # last\n]\n", "a", "z", "a: [\n  x,\n  y, # last\n  z\n]\n", id="flow by lines"),
    pytest.param("a:\n- 'x'\n", "a", "z", "a:\n- 'x'\n- 'z'\n", id="quotes of the items"),
    pytest.param("a: []\n", "a", {"k": 1}, "a:\n  - k: 1\n", id="empty brackets open"),
    pytest.param("a:\n- {k: 1}\n", "a", {"k": 2}, "a:\n- {k: 1}\n- {k: 2}\n", id="braces beside braces"),
]


@pytest.mark.parametrize(("text", "path", "value", "wanted"), SET)
def test_set_changes_only_the_token(text, path, value, wanted):
    assert yamledit.set(text.encode(), 0, parse_path(path), value).decode() == wanted


@pytest.mark.parametrize(("text", "path", "value", "wanted"), INSERT)
def test_insert_follows_the_file(text, path, value, wanted):
    assert yamledit.insert(text.encode(), 0, parse_path(path), value).decode() == wanted


@pytest.mark.parametrize(("text", "path", "wanted"), DELETE)
def test_delete_takes_the_lines_and_no_more(text, path, wanted):
    assert yamledit.delete(text.encode(), 0, parse_path(path)).decode() == wanted


@pytest.mark.parametrize(("text", "path", "value", "wanted"), APPEND)
def test_append_follows_the_list(text, path, value, wanted):
    assert yamledit.append(text.encode(), 0, parse_path(path), value).decode() == wanted
