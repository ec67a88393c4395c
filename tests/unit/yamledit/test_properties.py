"""What holds for every document, value and layout that hypothesis can think of."""

import contextlib
import io
import string

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from remediator import yamledit
from remediator.yamledit.scalars import plain_is_safe, write_scalar, write_string
from tests.unit.yamledit import oracle

TRAPS = [
    "on",
    "yes",
    "0644",
    "1.10",
    "1e3",
    "~",
    "null",
    "12:30:45",
    "0o17",
    "0x1F",
    "2024-01-01",
    "=",
    "<<",
    ".5",
    "+1",
    "1_0",
    "n",
    "",
]
LETTERS = string.ascii_letters + string.digits + " .:-#,[]{}'\"&*!|>%@`?\\/\n\t\u00e9\u2028\x85\U0001f600"
texts = st.one_of(
    st.sampled_from(TRAPS), st.text(LETTERS, max_size=12), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
scalars = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
keys = st.one_of(st.sampled_from(["a", "b", "on", "1", "x y", "k.l"]), texts.filter(lambda key: len(key) < 50))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(keys, values, min_size=1, max_size=4)
layouts = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([False, None, True]),
        "indent": st.sampled_from([2, 4]),
        "width": st.sampled_from([20, 80]),
        "default_style": st.sampled_from([None, None, '"', "'"]),
        "explicit_start": st.booleans(),
        "line_break": st.sampled_from(["\n", "\r\n"]),
        "allow_unicode": st.booleans(),
    }
)


def written(document, layout):
    """As PyYAML writes it, which is not how the library would."""
    return yaml.safe_dump(document, sort_keys=False, **layout).encode()


@st.composite
def places(draw):
    """A document's text and the path of something in it."""
    document = draw(documents)
    data = written(document, draw(layouts))
    tree = oracle.trees(data)[0]
    paths = [path for path, _, _ in oracle.walk(tree) if path]
    return data, draw(st.sampled_from(paths))


@given(places(), values)
def test_what_is_set_is_read_back_and_setting_it_again_changes_nothing(place, value):
    data, path = place
    edited = yamledit.set(data, 0, path, value)
    assert repr(yamledit.get(edited, 0, path)) == repr(value)
    assert yamledit.set(edited, 0, path, value) == edited


@given(places(), scalars)
def test_a_new_scalar_reads_the_same_in_yaml_1_2(place, value):
    data, path = place
    edited = yamledit.set(data, 0, path, value)
    if b"\\/" in edited or any(mark in edited.decode() for mark in "\x85\u2028\u2029\ufeff"):
        return  # PyYAML's own text may mean something else to YAML 1.2
    reader = YAML(typ="safe", pure=True)
    tree = reader.load(io.StringIO(edited.decode()))
    for element in path:
        if isinstance(tree, dict) and element not in tree:
            return  # a key beside the point reads differently in YAML 1.2
        tree = tree[element]
    assert repr(tree) == repr(value)


def holds(style, value):
    """Whether these quotes (or none) can hold the text; where they cannot, others come and stay."""
    return plain_is_safe(value, flow=True) if not style else write_string(value, style=style).startswith(style)


@given(st.sampled_from(["", "'", '"']), texts, texts)
def test_setting_the_old_text_back_restores_the_bytes(style, old, new):
    assume(holds(style, old) and holds(style, new))
    token = write_string(old, style=style)
    data = f"a: {token} # c\nb:\n- [x, {token} ]\n- {{y: {token}}}".encode()
    for path in (["a"], ["b", 0, 1], ["b", 1, "y"]):
        assert yamledit.set(yamledit.set(data, 0, path, new), 0, path, old) == data


@given(texts, texts)
def test_setting_the_old_block_back_restores_the_bytes(old, new):
    data = yamledit.insert(b"a: 1\n", 0, ["b"], f"first\n{old}\nlast\n")
    assume(b"b: |\n" in data)
    there = yamledit.set(data, 0, ["b"], f"first\n{new}\nlast\n")
    assume(b"b: |\n" in there)
    assert yamledit.set(there, 0, ["b"], f"first\n{old}\nlast\n") == data


@given(st.one_of(st.integers(), st.booleans()), st.one_of(st.integers(), st.booleans(), st.none()))
def test_setting_the_old_number_back_restores_the_bytes(old, new):
    data = f"a: [{write_scalar(old)}] # c\r\n".encode()
    assert yamledit.set(yamledit.set(data, 0, ["a", 0], new), 0, ["a", 0], old) == data


@given(places(), keys, values)
def test_deleting_what_was_inserted_restores_the_document(place, key, value):
    data, path = place
    target = yamledit.get(data, 0, path)
    if not isinstance(target, dict) or key in target or not target:
        return
    grown = yamledit.insert(data, 0, [*path, key], value)
    assert repr(yamledit.get(grown, 0, [*path, key])) == repr(value)
    shrunk = yamledit.delete(grown, 0, [*path, key])
    assert oracle.alike(oracle.trees(shrunk), oracle.trees(data))


@given(places(), values)
def test_appending_then_deleting_restores_the_document(place, value):
    data, path = place
    target = yamledit.get(data, 0, path)
    if not isinstance(target, list) or not target:
        return
    grown = yamledit.append(data, 0, path, value)
    assert repr(yamledit.get(grown, 0, path)) == repr([*target, value])
    shrunk = yamledit.delete(grown, 0, [*path, len(target)])
    assert oracle.alike(oracle.trees(shrunk), oracle.trees(data))


@given(places(), scalars)
def test_lines_that_the_value_does_not_touch_are_the_same(place, value):
    data, path = place
    edited = yamledit.set(data, 0, path, value)
    start = next((at for at, (left, right) in enumerate(zip(data, edited, strict=False)) if left != right), None)
    if start is not None:
        before, after = data.split(b"\n"), edited.split(b"\n")
        front = data[:start].count(b"\n")
        assert before[:front] == after[:front]
    others = [p for p, _, _ in oracle.walk(oracle.trees(data)[0]) if p[: len(path)] != path and path[: len(p)] != p]
    assert all(repr(yamledit.get(data, 0, p)) == repr(yamledit.get(edited, 0, p)) for p in others)


@given(st.binary(max_size=60), values)
def test_bytes_of_any_kind_are_edited_or_refused(data, value):
    for edit in (
        lambda: yamledit.set(data, 0, ["a"], value),
        lambda: yamledit.insert(data, 0, ["new"], value),
        lambda: yamledit.append(data, 0, [], value),
        lambda: yamledit.delete(data, 0, [0]),
        lambda: yamledit.get(data, 0, []),
    ):
        with contextlib.suppress(yamledit.EditRefused):
            edit()
