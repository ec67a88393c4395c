"""LangGraph checkpoints over a ref store: one JSON document per thread, one commit per flush.

Runners are ephemeral and a review takes days, so the graph's memory lives where the pull request
lives. The saver buffers, since even `durability="exit"` calls `put` and `put_writes` several times,
and `flush` writes everything at once by compare-and-swap.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
    writes_sort_key,
)

from remediator.errors import ConfigError, ConflictError
from remediator.services.checkpoints.documents import (
    INDEX,
    Document,
    Packed,
    document_path,
    dump_index,
    load_index,
    records,
    thread_of,
)
from remediator.services.checkpoints.serializer import StateSerializer

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from remediator.domain.ports import RefStore

Admit = Callable[[str, Mapping[str, Mapping[str, Any]]], str]
"""Maps a thread id and all heads, its own new one among them, to why its document must wait; empty when it may go."""

Summarise = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Maps a thread id and its latest channel values to the document's readable head, plain JSON."""

Withhold = Callable[[str, Any], Any]
"""Maps a channel and its value to what of it may be stored."""

PATIENCE = 60.0
"""Seconds that a flush keeps trying on new heads; twenty processes at once need about one."""

_PLAIN = frozenset({"null", "bytes", "bytearray", "msgpack"})
"""The type tags that are read. LangGraph's older "json" would construct LangChain objects, pickle anything."""


class RefCheckpointSaver(BaseCheckpointSaver[str]):
    """A `BaseCheckpointSaver` whose reads see its own buffer over the store, and whose `flush` makes one commit.

    `allowed` are the only classes that a document may bring to life; whatever else somebody wrote into
    the branch comes back as plain data. `keep` is how many checkpoints a namespace keeps at a flush
    (0: all); git's own history holds the older ones. What `withhold` takes away is still there for this run.
    """

    def __init__(
        self,
        store: RefStore,
        *,
        allowed: Collection[type] = (),
        summarise: Summarise | None = None,
        withhold: Withhold | None = None,
        keep: int = 0,
    ) -> None:
        super().__init__(serde=StateSerializer(allowed))
        self.store, self.summarise, self.withhold, self.keep = store, summarise, withhold, keep
        self._threads: dict[str, Document] = {}
        self._lock = threading.RLock()

    # what the runs ask beyond LangGraph

    def records(self) -> list[Mapping[str, Any]]:
        """Return the readable heads of all stored documents, without decoding a checkpoint."""
        with self._lock:
            return records(self.store)

    def recall(self, threads: Collection[str]) -> None:
        """Read the documents of these threads in one request, before each of them is used."""
        with self._lock:
            unknown = {thread: document_path(thread) for thread in threads if thread not in self._threads}
            documents = self.store.read(self.store.head(), list(unknown.values())) if unknown else {}
            for thread, path in unknown.items():
                with contextlib.suppress(ConfigError):  # told when it is asked for by itself, at no other's cost
                    self._threads[thread] = Document.load(path, documents.get(path))

    def flush(self, message: str, only: Collection[str] = ()) -> None:
        """Write the buffer (of these threads alone, where any is named) as one commit.

        ConflictError when somebody else wrote one of *our* threads meanwhile: the others are written, that
        one is forgotten, and its caller reads again and decides anew.
        """
        self._commit(message, only)

    def claim(self, threads: Sequence[str], message: str, admit: Admit) -> dict[str, str]:
        """Write the admitted ones of these threads, in this order, as one commit; returns why the others are not.

        Each is judged by the heads that the same compare-and-swap changes, so that no two runs take the last place.
        ConflictError as of `flush`. A thread that is stored as it is needs no admission.
        """
        return self._commit(message, threads, admit) if threads else {}

    def _commit(self, message: str, only: Collection[str], admit: Admit | None = None) -> dict[str, str]:
        with self._lock:
            until, pause = time.monotonic() + PATIENCE, 0.01
            while dirty := self._dirty(only):
                head = self.store.head()
                stored = self.store.read(head, [INDEX, *map(document_path, dirty)])
                lost = [thread for thread, doc in dirty.items() if stored.get(document_path(thread)) != doc.stored]
                ours = {thread: doc for thread, doc in dirty.items() if thread not in lost}
                changes, refused = self._changes(ours, stored.get(INDEX), admit)
                if changes and not self._written(head, changes, message):
                    if time.monotonic() > until:
                        raise ConflictError(f"the state branch was never still for {PATIENCE:.0f} s")
                    time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
                    pause = min(pause * 1.5, 0.5)
                    continue
                for thread in dirty.keys() - refused.keys():
                    if admit and thread not in lost:  # its run goes on with all that it knows
                        self._threads[thread].mark_stored(changes.get(document_path(thread)))
                    else:
                        del self._threads[thread]  # the next read asks the store
                if lost:
                    raise ConflictError(f"somebody else has just moved {', '.join(lost)} on")
                return refused
            return {}

    def _dirty(self, only: Collection[str]) -> dict[str, Document]:
        threads = [thread for thread in only or self._threads if thread in self._threads]
        return {thread: self._threads[thread] for thread in threads if self._threads[thread].dirty}

    def forget(self, *threads: str) -> None:
        """Drop the buffer of these threads, all when none is named; the next read asks the store."""
        with self._lock:
            for thread in threads or list(self._threads):
                self._threads.pop(thread, None)

    def _changes(
        self, ours: Mapping[str, Document], index: bytes | None, admit: Admit | None
    ) -> tuple[dict[str, bytes | None], dict[str, str]]:
        """Return our documents with the index, nothing when none is ours; and the reasons of the refused ones."""
        changes: dict[str, bytes | None] = {}
        refused: dict[str, str] = {}
        heads = load_index(index)
        for thread, doc in ours.items():
            text = self._text(thread, doc)
            if admit and (why := admit(thread, {**heads, thread: doc.head})):
                refused[thread] = why
                continue
            changes[document_path(thread)] = text
            heads.pop(thread, None)
            if not doc.deleted:
                heads[thread] = doc.head
        return {**changes, INDEX: dump_index(heads)} if changes else {}, refused

    def _written(self, head: str, changes: Mapping[str, bytes | None], message: str) -> bool:
        try:
            self.store.write(head, changes, f"{message} [skip ci]")
        except ConflictError:
            return False
        return True

    def _text(self, thread: str, doc: Document) -> bytes | None:
        if doc.deleted:
            return None
        doc.prune(self.keep, lambda packed: self._load(packed)["channel_versions"])
        if self.summarise is not None:
            latest = doc.latest("")
            values = self._values(doc, "", self._load(doc.checkpoints[""][latest].checkpoint)) if latest else {}
            doc.head = dict(self.summarise(thread, values))
        return doc.dump(thread, self._stored)

    def _stored(self, channel: str, packed: Packed | None) -> Packed | None:
        if self.withhold is None or packed is None or channel.startswith("__"):
            return packed
        value = self._load(packed)
        storable = self.withhold(channel, value)
        return packed if storable is value else self._dump(storable)

    # LangGraph's contract

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the named checkpoint, else the newest, with its writes in execution order."""
        thread, ns = _place(config)
        with self._lock:
            doc = self._thread(thread)
            checkpoint_id = get_checkpoint_id(config) or doc.latest(ns)
            return self._tuple(thread, ns, checkpoint_id) if checkpoint_id in doc.checkpoints.get(ns, {}) else None

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the name is LangGraph's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first within a thread and namespace."""
        tuples = []
        end = get_checkpoint_id(before) if before else None
        checkpoint_id = get_checkpoint_id(config) if config else None
        space = config["configurable"].get("checkpoint_ns") if config else None
        with self._lock:
            for thread in [config["configurable"]["thread_id"]] if config else self._all_threads():
                for ns, checkpoints in self._thread(thread).checkpoints.items():
                    ids = [i for i in checkpoints if (not checkpoint_id or i == checkpoint_id) and (not end or i < end)]
                    if space is None or space == ns:
                        tuples += [self._tuple(thread, ns, i) for i in sorted(ids, reverse=True)]
        chosen = [t for t in tuples if all(t.metadata.get(k) == v for k, v in (filter or {}).items())]
        yield from chosen[:limit] if limit is not None else chosen

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Buffer a checkpoint."""
        thread, ns = _place(config)
        bare: dict[str, Any] = dict(checkpoint)
        values = bare.pop("channel_values")
        with self._lock:
            doc = self._thread(thread)
            for channel, version in new_versions.items():
                packed = self._dump(values[channel]) if channel in values else None
                doc.keep_blob(ns, channel, str(version), packed)
            about = self._dump(get_checkpoint_metadata(config, metadata))
            doc.keep_checkpoint(ns, checkpoint["id"], self._dump(bare), about, get_checkpoint_id(config) or "")
        return _config(thread, ns, checkpoint["id"])

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Buffer a task's writes; repeating a write changes nothing."""
        thread, ns = _place(config)
        checkpoint_id = config["configurable"]["checkpoint_id"]
        with self._lock:
            doc = self._thread(thread)
            for position, (channel, value) in enumerate(writes):
                slot = WRITES_IDX_MAP.get(channel, position)
                doc.keep_write(ns, checkpoint_id, task_id, slot, channel, task_path, self._dump(value))

    def delete_thread(self, thread_id: str) -> None:
        """Clear a thread; the next flush removes its document."""
        with self._lock:
            self._thread(thread_id).clear()

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Call `get_tuple`: nothing here waits long enough to be worth a thread."""
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - the name is LangGraph's
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Call `list`: nothing here waits long enough to be worth a thread."""
        for item in self.list(config, filter=filter, before=before, limit=limit):
            yield item

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Call `put`: nothing here waits long enough to be worth a thread."""
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Call `put_writes`: nothing here waits long enough to be worth a thread."""
        self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Call `delete_thread`: nothing here waits long enough to be worth a thread."""
        self.delete_thread(thread_id)

    def get_next_version(self, current: str | None, channel: None) -> str:  # noqa: ARG002 - the base class asks for it
        """Return an ascending version, different on every fork, so that two branches of a thread share no blob."""
        count = int(current.split(".")[0]) if current else 0
        return f"{count + 1:08}.{random.getrandbits(32):08x}"

    # documents and values

    def _thread(self, thread: str) -> Document:
        if thread not in self._threads:
            path = document_path(thread)
            self._threads[thread] = Document.load(path, self.store.read(self.store.head(), [path]).get(path))
        return self._threads[thread]

    def _all_threads(self) -> Sequence[str]:
        stored = {thread_of(path) for path in self.store.read(self.store.head())}
        return sorted((stored | set(self._threads)) - {""})

    def _tuple(self, thread: str, ns: str, checkpoint_id: str) -> CheckpointTuple:
        doc = self._thread(thread)
        row = doc.checkpoints[ns][checkpoint_id]
        checkpoint = self._load(row.checkpoint)
        checkpoint["channel_values"] = self._values(doc, ns, checkpoint)
        writes = sorted(doc.writes_of(ns, checkpoint_id), key=lambda w: writes_sort_key(w.path, w.task, w.slot))
        return CheckpointTuple(
            config=_config(thread, ns, checkpoint_id),
            checkpoint=checkpoint,
            metadata=self._load(row.metadata),
            parent_config=_config(thread, ns, row.parent) if row.parent else None,
            pending_writes=[(w.task, w.channel, self._load(w.value)) for w in writes],
        )

    def _values(self, doc: Document, ns: str, checkpoint: Mapping[str, Any]) -> dict[str, Any]:
        blobs = ((name, doc.blob(ns, name, str(at))) for name, at in checkpoint["channel_versions"].items())
        return {name: self._load(packed) for name, packed in blobs if packed is not None}

    def _dump(self, value: Any) -> Packed:
        return self.serde.dumps_typed(value)

    def _load(self, packed: Packed) -> Any:
        if packed[0] not in _PLAIN:
            raise ConfigError(f"a checkpoint holds a value of the form {packed[0]!r}, which Remediator never writes")
        return self.serde.loads_typed(packed)


def _place(config: RunnableConfig) -> tuple[str, str]:
    return config["configurable"]["thread_id"], config["configurable"].get("checkpoint_ns", "")


def _config(thread: str, ns: str, checkpoint_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}}
