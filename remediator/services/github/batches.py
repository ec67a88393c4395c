"""Ask for many things in one GraphQL request: each has a variable and a field with its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in their order, at most `size` at once."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def declarations(count: int, kind: str) -> str:
    """Return the declarations of `$item0`, `$item1` …, each behind a comma."""
    return "".join(f", $item{at}: {kind}" for at in range(count))


def numbered_fields(count: int, call: str) -> str:
    """Return the fields `item0`, `item1` …: the call with its variable in the place of `$item`."""
    return " ".join(f"item{at}: {call.replace('$item', f'$item{at}')}" for at in range(count))


def numbered(items: Sequence[T]) -> dict[str, T]:
    """Return the items by the name that each has in the request, which is also its name in the answer."""
    return {f"item{at}": item for at, item in enumerate(items)}
