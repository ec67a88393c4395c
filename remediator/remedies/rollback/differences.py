"""Differences between two versions of a YAML document, each of which can be reverted alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Literal

from remediator.domain.change import Edit
from remediator.domain.yaml_paths import YamlPath

_KEYS = ("name", "mountPath", "containerPort", "port", "key", "ip", "host", "path", "secretKey")


@dataclass(frozen=True)
class Difference:
    """A difference between an older and a newer document."""

    op: Literal["changed", "added", "removed"]
    path: YamlPath
    """The path in the newer document for `changed` and `added`, in the older one for `removed`."""
    old: Any
    new: Any
    item: bool = False
    """The last step is a list index."""
    label: str = ""
    """The name of the item or key, for people and for matching with what the evidence says."""
    part: tuple[str, str] | None = None
    """The older and the newer lines, where it is one of several changed places of a text."""

    def revert(self, file: str, document: int) -> Edit:
        """Return the edit of the newer document that reverts this difference."""
        location = {"file": file, "document": document, "path": self.path}
        if self.op == "changed":
            return Edit(op="set", value=self.old, **location)
        if self.op == "added":
            return Edit(op="delete", **location)
        return Edit(op="insert_item" if self.item else "insert", value=self.old, **location)

    @property
    def words(self) -> list[str]:
        """All names and values of the difference that evidence could mention."""
        words = [self.label, *map(str, self.path[-1:])]
        for value in self.part or (self.old, self.new):
            if isinstance(value, dict):
                words += [str(leaf) for leaf in value.values() if not isinstance(leaf, dict | list)]
            elif isinstance(value, list):
                words += [
                    str(item.get("name", "") if isinstance(item, dict) else item)
                    for item in value
                    if not isinstance(item, list)
                ]
            elif value is not None:
                words.append(str(value))
        return [word for word in dict.fromkeys(words) if len(word) > 2]


def differences(old: Any, new: Any, path: YamlPath = ()) -> Iterator[Difference]:
    """Yield all differences at their deepest path; named list items are paired by name, others by content."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in new:
            if key not in old:
                yield Difference("added", (*path, key), None, new[key], label=str(key))
            elif old[key] != new[key]:
                yield from differences(old[key], new[key], (*path, key))
        for key in old:
            if key not in new:
                yield Difference("removed", (*path, key), old[key], None, label=str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path)
    elif type(old) is not type(new) or old != new:
        yield Difference("changed", path, old, new, label=str(path[-1]) if path else "")


def changed_places(difference: Difference) -> Iterator[Difference]:
    """Yield a difference for each changed place of a text of several lines, each of which leaves the others as they are."""
    old, new = difference.old, difference.new
    if difference.op != "changed" or not all(isinstance(text, str) and "\n" in text for text in (old, new)):
        yield difference
        return
    older, newer = old.splitlines(keepends=True), new.splitlines(keepends=True)
    codes = [code for code in SequenceMatcher(None, older, newer, autojunk=False).get_opcodes() if code[0] != "equal"]
    if len(codes) < 2:
        yield difference
        return
    for _, low, high, low_new, high_new in codes:
        text = "".join([*newer[:low_new], *older[low:high], *newer[high_new:]])
        part = ("".join(older[low:high]).strip(), "".join(newer[low_new:high_new]).strip())
        yield replace(difference, old=text, part=part)


def _items(old: list[Any], new: list[Any], path: YamlPath) -> Iterator[Difference]:
    key = _identity(old, new)
    if not key:
        yield from _plain_items(old, new, path)
        return
    old_items = {str(item[key]): item for item in old}
    new_indexes = {str(item[key]): index for index, item in enumerate(new)}
    renamed = {}
    for index, (old_item, new_item) in enumerate(zip(old, new, strict=False)):
        if (
            str(old_item[key]) not in new_indexes
            and str(new_item[key]) not in old_items
            and _is_renamed_item(old_item, new_item, key)
        ):
            renamed[str(new_item[key])] = str(old_item[key])
            yield from differences(old_item, new_item, (*path, index))
    for name, index in new_indexes.items():
        if name in renamed:
            continue
        if name not in old_items:
            yield Difference("added", (*path, index), None, new[index], item=True, label=name)
        elif old_items[name] != new[index]:
            yield from differences(old_items[name], new[index], (*path, index))
    for position, item in enumerate(old):
        if str(item[key]) not in new_indexes and str(item[key]) not in renamed.values():
            yield Difference("removed", (*path, min(position, len(new))), item, None, item=True, label=str(item[key]))


def _is_renamed_item(old_item: dict[str, Any], new_item: dict[str, Any], key: str) -> bool:
    """Return True where an item has another name and is the same otherwise."""
    unchanged = {name: value for name, value in old_item.items() if name != key}
    return bool(unchanged) and unchanged == {name: value for name, value in new_item.items() if name != key}


def _plain_items(old: list[Any], new: list[Any], path: YamlPath) -> Iterator[Difference]:
    matcher = SequenceMatcher(None, [repr(item) for item in old], [repr(item) for item in new], autojunk=False)
    for tag, low, high, low_new, high_new in matcher.get_opcodes():
        if tag == "replace" and high - low == high_new - low_new:
            for offset in range(high - low):
                yield from differences(old[low + offset], new[low_new + offset], (*path, low_new + offset))
        elif tag != "equal":
            for index in range(low_new, high_new):
                yield Difference("added", (*path, index), None, new[index], item=True, label=str(new[index])[:80])
            for index in range(low, high):
                yield Difference("removed", (*path, low_new), old[index], None, item=True, label=str(old[index])[:80])


def _identity(old: list[Any], new: list[Any]) -> str:
    """Return the key that identifies the items of both lists; empty where there is none."""
    items = [*old, *new]
    if not items or not all(isinstance(item, dict) for item in items):
        return ""
    for key in _KEYS:
        if all(key in item for item in items) and all(
            len({str(i[key]) for i in side}) == len(side) for side in (old, new)
        ):
            return key
    return ""
