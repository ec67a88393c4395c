"""What is refused, with the reason, the place and the line; and what only looks as if it should be."""

import pickle

import pytest

from remediator import yamledit
from remediator.yamledit import EditRefused, ItemSelector, PathMissing, parse_path

REFUSED = [
    pytest.param(b"a: {{ if }}\n b: {{ .x }}\n- c\n", "a", "does not parse", id="template"),
    pytest.param(b"a: 1\n\tb: 2\n", "a", "does not parse", id="tab as indentation"),
    pytest.param("a: 1\n".encode("utf-16"), "a", "not UTF-8", id="UTF-16"),
    pytest.param("a: 1\n".encode("utf-16-le"), "a", "does not parse", id="UTF-16 without a mark"),
    pytest.param(b"\xef\xbb\xbf\xef\xbb\xbfa: 1\n", "a", "two byte order marks", id="two marks"),
    pytest.param(b"a: \xff\n", "a", "not UTF-8", id="Latin-1"),
    pytest.param(b"", "a", "0 documents", id="empty"),
    pytest.param(b"# nothing\n", "a", "0 documents", id="comment only"),
    pytest.param(b"a: 1\na: 2\n", "a", "stands twice", id="duplicate key"),
    pytest.param(b"a: &x 1\nb: *x\n", "a", "under the anchor &x", id="anchor"),
    pytest.param(b"a: &x 1\nb: *x\n", "b", "the alias *x", id="alias"),
    pytest.param(b"a: &x {c: 1}\nb: *x\n", "a.c", "under the anchor &x", id="in an anchored mapping"),
    pytest.param(b"a: &x {c: 1}\nb: {<<: *x}\n", "b.c", "merged mapping", id="merged"),
    pytest.param(b"a: [1]\n", "a[1]", "there is no [1] at a", id="index"),
    pytest.param(b"a: [1]\n", "a.b", "a list is here", id="key of a list"),
    pytest.param(b"a: {b: 1}\n", "a[n=x]", "a mapping is here", id="choice from a mapping"),
    pytest.param(
        b"a:\n- {n: x, v: 1}\n- {n: x, v: 2}\n", "a[n=x].v", "2 items of the list match", id="ambiguous choice"
    ),
    pytest.param(b"a: 1\n", "a.b.c", "there is no b at a", id="below a scalar"),
]


@pytest.mark.parametrize(("data", "path", "reason"), REFUSED)
def test_set_is_refused_with_a_reason(data, path, reason):
    with pytest.raises(EditRefused) as caught:
        yamledit.set(data, 0, parse_path(path), "new")
    assert reason in str(caught.value)


def test_a_refusal_says_where():
    with pytest.raises(EditRefused) as caught:
        yamledit.set(b"x: 1\na: &x 1\nb: *x\n", 0, ["b"], 2)
    refusal = caught.value
    assert (refusal.document, refusal.path, refusal.line) == (0, ["b"], 3)
    assert str(refusal).endswith("(document 0, path b, line 3)")
    assert str(pickle.loads(pickle.dumps(refusal))) == str(refusal)


def test_what_aliases_share_is_edited_at_the_anchor_if_asked():
    data = b"a: &x {c: 1} # c\nb: *x\n"
    assert yamledit.set(data, 0, ["a", "c"], 2, edit_anchor=True) == b"a: &x {c: 2} # c\nb: *x\n"
    assert yamledit.set(data, 0, ["b", "c"], 2, edit_anchor=True) == b"a: &x {c: 2} # c\nb: *x\n"


def test_an_anchor_is_looked_for_in_the_same_document():
    with pytest.raises(EditRefused, match="no anchor"):
        yamledit.set(b"a: &x 1\n---\nb: *x\n", 1, ["b"], 2, edit_anchor=True)
    with pytest.raises(EditRefused, match="no anchor"):
        yamledit.get(b"a: &x 1\n---\nb: *x\n", 1, ["b"])


def test_an_anchor_that_nothing_shares_is_no_obstacle():
    assert yamledit.set(b"a: &x 1\n---\nb: *y\n", 0, ["a"], 2) == b"a: &x 2\n---\nb: *y\n"


def test_an_anchor_that_is_needed_is_not_deleted():
    with pytest.raises(EditRefused, match="take away the anchor &x"):
        yamledit.delete(b"a: {b: &x 1}\nc: *x\n", 0, ["a"])


@pytest.mark.parametrize("value", [object(), b"bytes", {1: 2}, {"a": {1, 2}}, "\ud800", 1 << 2000])
def test_a_value_that_yaml_cannot_say_is_refused(value):
    with pytest.raises(EditRefused):
        yamledit.set(b"a: 1\n", 0, ["a"], value)


@pytest.mark.parametrize("key", ["\ud800", "k" * 2000, 1])
def test_a_key_that_cannot_be_written_is_refused(key):
    with pytest.raises(EditRefused):
        yamledit.insert(b"a: 1\n", 0, [key], 1)
    with pytest.raises(EditRefused):
        yamledit.rename(b"a: 1\n", 0, ["a"], key)


def test_a_tag_of_the_application_takes_text_only():
    assert yamledit.set(b"a: !Ref x\n", 0, ["a"], "yes") == b'a: !Ref "yes"\n'
    with pytest.raises(EditRefused, match="!Ref"):
        yamledit.set(b"a: !Ref x\n", 0, ["a"], 1)
    with pytest.raises(EditRefused, match="!Map"):
        yamledit.insert(b"a: !Map {b: 1}\n", 0, ["a", "c"], 1)


def test_a_key_that_exists_is_neither_inserted_nor_taken_for_a_new_name():
    with pytest.raises(EditRefused, match="there already"):
        yamledit.insert(b"a: 1\n", 0, ["a"], 1)
    with pytest.raises(EditRefused, match="there already"):
        yamledit.rename(b"a: 1\nb: 1\n", 0, ["a"], "b")


def test_an_item_cannot_follow_a_block_that_the_end_of_the_file_ends():
    with pytest.raises(EditRefused, match="another value"):
        yamledit.append(b"a:\n- |\n  x", 0, ["a"], "y")


def test_a_nest_too_deep_to_walk_is_refused_and_not_a_crash():
    data = b"[" * 5000 + b"]" * 5000
    with pytest.raises(EditRefused):
        yamledit.get(data, 0, [])
    assert yamledit.insert_item(data, 0, [0, 0], 1) == b"[[1, " + b"[" * 4998 + b"]" * 5000


def test_a_path_that_leads_nowhere_is_a_key_error_to_a_reader():
    with pytest.raises(KeyError):
        yamledit.get(b"a: 1\n", 0, ["b"])
    with pytest.raises(PathMissing, match="there is no b at the root"):
        yamledit.get(b"a: 1\n", 0, ["b"])


def test_all_edits_are_made_or_none():
    data = b"a: 1\nb: [x]\n"
    edits = [
        yamledit.Set(0, ["a"], 2),
        yamledit.Append(0, ["b"], "w"),
        yamledit.Rename(0, ["b"], "c"),
        yamledit.Set(0, ["c", 1], "z"),
    ]
    assert yamledit.apply(data, edits) == b"a: 2\nc: [x, z]\n"
    with pytest.raises(EditRefused):
        yamledit.apply(data, [*edits, yamledit.Delete(0, ["gone"])])


INSIDE = b"""\
helm:
  values: |
    image:
      tag: "1.0"   # pinned

    args: [a]
  other: 1
"""


def test_yaml_inside_a_block_is_edited_in_its_own_line():
    assert yamledit.set(INSIDE, 0, ["helm", "values"], "2.0", inside=["image", "tag"]) == INSIDE.replace(b"1.0", b"2.0")
    grown = yamledit.insert(INSIDE, 0, ["helm", "values"], "512Mi", inside=["resources", "limits", "memory"])
    assert grown == INSIDE.replace(b"[a]\n", b"[a]\n    resources:\n      limits:\n        memory: 512Mi\n")
    assert yamledit.delete(INSIDE, 0, ["helm", "values"], inside=["image"]) == (
        INSIDE.replace(b'    image:\n      tag: "1.0"   # pinned\n', b"")
    )
    assert yamledit.get(INSIDE, 0, ["helm", "values"], inside=["args", 0]) == "a"


def test_yaml_inside_quotes_stays_in_its_quotes():
    assert yamledit.set(b'v: "a: 1\\nb: 2\\n"\n', 0, ["v"], 3, inside=["b"]) == b'v: "a: 1\\nb: 3\\n"\n'


def test_a_refusal_inside_names_both_places():
    with pytest.raises(EditRefused, match=r"inside the string: .*path gone.*path helm.values"):
        yamledit.set(INSIDE, 0, ["helm", "values"], 1, inside=["gone"])
    with pytest.raises(EditRefused, match="not a string"):
        yamledit.set(b"a: 1\n", 0, ["a"], 1, inside=["b"])


def test_items_are_chosen_by_what_they_hold():
    data = b"c:\n- name: a\n  v: 1\n- name: b\n  v: 2\n"
    assert yamledit.set(data, 0, ["c", ItemSelector("name", "b"), "v"], 3) == data.replace(b"2", b"3")


def test_documents_count_from_zero_as_the_parser_counts_them():
    data = b"a: 1\n---\n---\na: 2\n...\n---\na: 3\n"
    assert yamledit.set(data, 2, ["a"], 9) == data.replace(b"2", b"9")
    assert yamledit.set(data, 3, ["a"], 9) == data.replace(b"3", b"9")
    with pytest.raises(EditRefused, match="4 documents"):
        yamledit.set(data, 4, ["a"], 9)
