"""What is scanned: files, standard input, texts."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from remediator.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Input:
    """A named stream of bytes that can be opened once it is its turn."""

    name: str
    open: Callable[[], IO[bytes]]


def text_input(name: str, text: str) -> Input:
    """An input from a text in memory."""
    return Input(name, lambda: io.BytesIO(text.encode()))


def open_inputs(paths: Sequence[str]) -> list[Input]:
    """The inputs that the paths mean, `-` being standard input."""
    found = []
    for path in paths:
        if path == "-":
            found.append(Input("stdin", lambda: sys.stdin.buffer))
            continue
        if not Path(path).is_file():
            raise ConfigError("no such file", file=path)
        found.append(Input(path, lambda p=path: Path(p).open("rb")))  # type: ignore[misc]
    return found
