"""The replies of a model whose investigation is under way, in one document of the state branch.

A run that dies leaves them; the next one replays them and asks only for what follows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from remediator.domain.investigation import ModelReply
from remediator.errors import ConflictError, RemediatorError

if TYPE_CHECKING:
    from remediator.domain.ports import RefStore

log = logging.getLogger(__name__)

FILE = "model-replies.json"
_MOST_KEYS = 20
_MOST_BYTES = 400_000
_TRIES = 20


@dataclass
class StoredReplies:
    """The port `ReplyLog` over the ref store. A reply that holds a secret is not kept."""

    store: RefStore
    redact: Callable[[str], str] = str

    def replies(self, key: str) -> tuple[ModelReply, ...]:
        """Return the replies of an interrupted investigation; none where they cannot be read."""
        try:
            return tuple(ModelReply.model_validate(item) for item in self._read()[1].get(key, []))
        except (RemediatorError, ValidationError) as error:
            log.info("no reply of an earlier run can be used: %s", error)
            return ()

    def add(self, key: str, reply: ModelReply) -> None:
        """Record one more reply."""
        text = reply.model_dump_json()
        if self.redact(text) != text:
            return

        def added(document: dict[str, list[Any]]) -> dict[str, list[Any]]:
            mine = [*document.get(key, []), json.loads(text)]
            others = {name: value for name, value in document.items() if name != key}
            return dict([*list(others.items())[-_MOST_KEYS + 1 :], (key, mine)])

        self._change(added, "Record a model's reply")

    def forget(self, key: str) -> None:
        """Drop the replies of an investigation that ended."""
        self._change(lambda document: {name: value for name, value in document.items() if name != key}, "Drop replies")

    def _read(self) -> tuple[str, dict[str, list[Any]]]:
        head = self.store.head()
        text = self.store.read(head, [FILE]).get(FILE) if head else None
        try:
            document = json.loads(text or b"{}")
        except ValueError:
            document = {}
        return head, document if isinstance(document, dict) else {}

    def _change(self, change: Callable[[dict[str, list[Any]]], dict[str, list[Any]]], why: str) -> None:
        for _ in range(_TRIES):
            try:
                head, before = self._read()
                after = change(before)
                text = json.dumps(after, ensure_ascii=False).encode()
                if after == before or len(text) > _MOST_BYTES:
                    return
                self.store.write(head, {FILE: text if after else None}, f"{why} [skip ci]")
            except ConflictError:
                continue
            except RemediatorError as error:
                log.warning("a model's reply is not kept, so a run that dies asks it again: %s", error)
                return
            return
