"""Revert a merged change in a text that may have changed since: line by line, or not at all.

A revert that guesses would overwrite later work, so it fails where a line of the change, or a line next to it, differs.
"""

from __future__ import annotations

import difflib


def revert_text(before: bytes | None, after: bytes | None, now: bytes | None) -> bytes | None:
    """Return `now` without the change from `before` to `after`; None where the file must be deleted.

    Raises ValueError where the lines of the change, or a line next to them, were changed since.
    """
    if now == after:
        return before
    if before is None or after is None or now is None:
        raise ValueError("was changed since the merge")
    old, changed, new = (text.splitlines(keepends=True) for text in (before, after, now))
    shifts = _line_shifts(changed, new)
    out, at = [], 0
    for tag, start, end, from_, to in difflib.SequenceMatcher(None, changed, old, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        first, last = max(start - 1, 0), min(end + 1, len(changed))
        shift = shifts.get(first)
        if shift is None or any(shifts.get(line) != shift for line in range(first, last)):
            raise ValueError(f"line {start + 1} of the change was changed since")
        out += new[at : start + shift] + old[from_:to]
        at = end + shift
    return b"".join(out + new[at:])


def _line_shifts(changed: list[bytes], new: list[bytes]) -> dict[int, int]:
    """Return the lines of `changed` that still exist in `new`: by index, the number of lines by which they moved."""
    blocks = difflib.SequenceMatcher(None, changed, new, autojunk=False).get_matching_blocks()
    return {line: block.b - block.a for block in blocks for line in range(block.a, block.a + block.size)}
