"""Texts as an editor may meet them: real files, damaged; and one random edit of each, judged by the oracle."""

from __future__ import annotations

import random

import yaml

from remediator import yamledit
from remediator.yamledit import EditRefused
from tests.unit.yamledit import oracle

TOKENS = [
    "\t", "#", " # c\n", "&a ", "*a", "!x ", "|", "|+\n", ">-", "- ", ": ", "\r", "\r\n", "\n\n", "{", "}", "[", "]", ",",
    '"', "'", "---\n", "...\n", "? ", "\U0001f600", "\u2028", "\x85", "\ufeff", "  ", "<<: *a\n", "%", "@", "\\", "\x00", "0x1",
    "{{ .V }}", "~", "null", "\n  ", "&a {}", "[]", "{}", "\n# c\n", "-\n", "key:\n", "!!str ", "\xa0", "|2\n", "''", '""',
]  # fmt: skip
VALUES = [
    "x", "on", "0644", "1.10", "1e3", "~", "", " lead", "trail ", "a: b", "a #b", "- a", "it's", 'say "x"', "a\nb\n", "a\nb", "\n",
    "\U0001f600", "\u2028", "\ttab", "x" * 90, "12:30:45", "{{ .V }}", "*a", "&a", "!t", "%x", "@x", "`x", "?", ":", "-", "<<", "=",
    1, -7, 0, True, False, None, {"a": "b"}, ["x", 1], {}, [], {"k": {"l": [True, "no"]}}, [{"m": "a\nb\n"}],
]  # fmt: skip


def mutated(text: str, rng: random.Random) -> str:
    """The text with some damage, or none."""
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        lines = text.splitlines(keepends=True) or [""]
        match rng.randrange(8):
            case 0:
                text = text[:at] + text[min(to, at + 20) :]
            case 1 | 2 | 3:
                text = text[:at] + rng.choice(TOKENS) + text[at:]
            case 4:
                position, second = rng.randrange(len(lines)), rng.randrange(len(lines))
                lines[position], lines[second] = lines[second], lines[position]
                text = "".join(lines)
            case 5:
                position = rng.randrange(len(lines))
                lines[position] = rng.choice(("  ", " ", "- ", "")) + lines[position].lstrip(
                    rng.choice((" ", "", " -"))
                )
                text = "".join(lines)
            case 6:
                text = rng.choice(
                    (text.rstrip("\n"), text + "\n\n", text.replace("\n", "\r\n"), text.replace("\n", " \n"))
                )
            case _:
                text = text[:to]
    return text


def trial(data: bytes, rng: random.Random) -> str:
    """Make one random edit; `refused`, `edited` or an AssertionError that says what went wrong."""
    try:
        before = oracle.trees(data)
    except (yaml.YAMLError, UnicodeDecodeError):
        before = []
    if not before:
        call, judge = _set(0, ("a", 0), rng.choice(VALUES), None)
    else:
        document = rng.randrange(len(before))
        path, tree, above = rng.choice(list(oracle.walk(before[document])))
        call, judge = _edit(rng, document, path, tree, above)
    try:
        result = call(data)
    except EditRefused:
        return "refused"
    assert before, "a text that does not parse was edited"
    after = oracle.trees(result)
    assert oracle.alike(after, judge(before)), f"the edit is wrong: {judge.__doc__}"
    assert data[:3] != b"\xef\xbb\xbf" or result[:3] == data[:3], "the byte order mark is lost"
    return "edited"


def _edit(rng, document, path, tree, above):
    value = rng.choice(VALUES)
    operations = [_set, _delete, _rename, _insert, _insert]
    if tree[1] == "q":
        operations += [_append] * 5
    del above
    return rng.choice(operations)(document, path, value, tree)


def _set(document, path, value, tree):
    def judge(before):
        def change(children, at):
            old = children[at][1] if isinstance(children[at][0], tuple) else children[at]
            new = (old[0], *oracle.node(value)[1:])
            if old[1] == "s" and not old[2].startswith("tag:yaml.org,2002:") and isinstance(value, str):
                new = (*old[:3], value)
            children[at] = (children[at][0], new) if isinstance(children[at][0], tuple) else new

        return oracle.expected(before, document, path, change)

    judge.__doc__ = f"set {path!r} to {value!r}"
    shared = tree is not None and tree[1] != "alias"
    return lambda data: yamledit.set(data, document, path, value, edit_anchor=shared), judge


def _delete(document, path, _value, _tree):
    def judge(before):
        return oracle.expected(before, document, path, lambda children, at: children.pop(at))

    judge.__doc__ = f"delete {path!r}"
    return lambda data: yamledit.delete(data, document, path), judge


def _rename(document, path, value, _tree):
    name = str(value)

    def judge(before):
        def change(children, at):
            key, item = children[at]
            children[at] = (
                (*key[:2], "tag:yaml.org,2002:str" if key[2].startswith("tag:yaml") else key[2], name),
                item,
            )

        # a key that reads as the new name already stays as it is
        return before if path[-1] == name else oracle.expected(before, document, path, change)

    judge.__doc__ = f"rename {path!r} to {name!r}"
    return lambda data: yamledit.rename(data, document, path, name), judge


def _insert(document, path, value, tree):
    def judge(before):
        def change(children, at):
            old = children[at][1] if isinstance(children[at][0], tuple) else children[at]
            entry = (oracle.scalar("new key"), oracle.node(value))
            new = (*old[:3], [*old[3], entry]) if old[1] == "m" else (old[0], "m", "", [entry])
            children[at] = (children[at][0], new) if isinstance(children[at][0], tuple) else new

        return oracle.expected(before, document, path, change)

    judge.__doc__ = f"insert under {path!r} {value!r}"
    del tree
    return lambda data: yamledit.insert(data, document, (*path, "new key"), value), judge


def _append(document, path, value, tree):
    def judge(before):
        def change(children, at):
            old = children[at][1] if isinstance(children[at][0], tuple) else children[at]
            new = (*old[:3], [*old[3], oracle.node(value)])
            children[at] = (children[at][0], new) if isinstance(children[at][0], tuple) else new

        return oracle.expected(before, document, path, change)

    judge.__doc__ = f"append to {path!r} {value!r}"
    del tree
    return lambda data: yamledit.append(data, document, path, value), judge
