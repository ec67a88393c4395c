"""An opinion of what an edit should do, that shares no code with the library: trees of PyYAML's pure-Python events.

A tree is ("s", tag, text), ("q", tag, [trees]), ("m", tag, [(tree, tree)]) or ("alias", name), with the
anchor in front: (anchor, …).
"""

from __future__ import annotations

import copy

import yaml

RESOLVER = yaml.SafeLoader("")


def trees(data: bytes):
    """Every document of the stream; a yaml.YAMLError where it does not parse."""
    out, stack = [], []
    for event in yaml.parse(data, Loader=yaml.CLoader):
        match event:
            case yaml.DocumentStartEvent():
                stack = [[]]
            case yaml.DocumentEndEvent():
                out.append(stack[0][0])
            case yaml.AliasEvent():
                stack[-1].append((None, "alias", event.anchor))
            case yaml.ScalarEvent():
                tag = event.tag or RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
                stack[-1].append((event.anchor, "s", tag, event.value))
            case yaml.CollectionStartEvent():
                kind = "m" if isinstance(event, yaml.MappingStartEvent) else "q"
                node = (event.anchor, kind, event.tag or "", [])
                stack[-1].append(node)
                stack.append(node[3])
            case yaml.CollectionEndEvent():
                children = stack.pop()
                if stack[-1][-1][1] == "m":
                    children[:] = list(zip(children[::2], children[1::2], strict=True))
    return out


def scalar(value):
    """The tree of a scalar that was asked for."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    kind = {type(None): "null", bool: "bool", int: "int", str: "str"}[type(value)]
    return (None, "s", f"tag:yaml.org,2002:{kind}", text)


def node(value):
    """The tree of any value that was asked for."""
    if isinstance(value, dict):
        return (None, "m", "", [(node(key), node(item)) for key, item in value.items()])
    if isinstance(value, list):
        return (None, "q", "", [node(item) for item in value])
    return scalar(value)


def walk(tree, path=(), above=()):
    """(path, tree, trees above) of everything that a path of unique text keys and indexes leads to."""
    yield path, tree, above
    if tree[1] == "q":
        for index, item in enumerate(tree[3]):
            yield from walk(item, (*path, index), (*above, tree))
    elif tree[1] == "m":
        names = [key[3] for key, _ in tree[3] if key[1] == "s"]
        for key, value in tree[3]:
            if key[1] == "s" and names.count(key[3]) == 1:
                yield from walk(value, (*path, key[3]), (*above, tree))


def expected(documents, document, path, change):
    """The documents with `change(parent, place, old)` made at the path; the parent is a list of children."""
    documents = copy.deepcopy(documents)
    if not path:
        box = [documents[document]]
        change(box, 0)
        documents[document] = box[0]
        return documents
    tree = documents[document]
    for element in path[:-1]:
        tree = tree[3][position(tree, element)][1] if tree[1] == "m" else tree[3][element]
    change(tree[3], position(tree, path[-1]))
    return documents


def position(tree, element):
    """Return the child of a collection that a path element means."""
    if tree[1] == "q":
        return element
    return next(at for at, (key, _) in enumerate(tree[3]) if key[1] == "s" and key[3] == element)


def alike(left, right):
    """Equal, where a mapping's order does not count and a plain number may be spelt in another way."""
    return [_canon(tree) for tree in left] == [_canon(tree) for tree in right]


def _canon(tree):
    if tree[1] == "q":
        return (*tree[:3], tuple(map(_canon, tree[3])))
    if tree[1] == "m":
        return (*tree[:3], tuple(sorted(((_canon(key), _canon(value)) for key, value in tree[3]), key=repr)))
    if tree[1] == "s" and tree[2].endswith((":bool", ":null")):
        return (tree[0], "s", tree[2], tree[3].lower() if tree[2].endswith("bool") else "")
    return tree
