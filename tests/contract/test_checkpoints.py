"""LangGraph's own conformance suite over each ref store, and what our saver promises beyond it."""

from __future__ import annotations

import base64
import json
import multiprocessing
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ormsgpack
import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.conformance import checkpointer_test, validate

from remediator.domain.incident import Subject
from remediator.errors import ConfigError, ConflictError
from remediator.services.checkpoints.documents import INDEX, SCHEMA, document_path
from remediator.services.checkpoints.saver import RefCheckpointSaver
from remediator.services.github.ref_store import GitHubRefStore
from remediator.services.local.git import Git
from remediator.services.local.ref_store import GitRefStore
from tests.fake_ports import MemoryRefStore
from tests.git_repositories import ENVIRON, git, repository
from tests.github.stand_in import client, stand_in

if TYPE_CHECKING:
    from remediator.domain.ports import RefStore


class WriteThrough(RefCheckpointSaver):
    """Flushes at once and forgets, so that every read of the suite comes from the store."""

    def _through(self) -> None:
        self.flush("Write")
        self.forget()

    async def aput(self, *args: Any, **named: Any) -> Any:
        answer = await super().aput(*args, **named)
        self._through()
        return answer

    async def aput_writes(self, *args: Any, **named: Any) -> None:
        await super().aput_writes(*args, **named)
        self._through()

    async def adelete_thread(self, thread_id: str) -> None:
        await super().adelete_thread(thread_id)
        self._through()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "kind",
    [
        "buffered",
        "fake",
        pytest.param("local", marks=pytest.mark.thorough),
        pytest.param("github", marks=pytest.mark.thorough),
    ],
)
async def test_the_saver_conforms(kind: str) -> None:
    @checkpointer_test(name=kind)
    async def factory() -> Any:
        with tempfile.TemporaryDirectory() as folder:
            if kind == "buffered":
                yield RefCheckpointSaver(MemoryRefStore())
            elif kind == "fake":
                yield WriteThrough(MemoryRefStore())
            elif kind == "github":
                with stand_in(Path(folder), {"a": "1"}) as server:
                    yield WriteThrough(GitHubRefStore(client(server), prefetch=[INDEX]))
            else:
                root = repository(Path(folder, "repo"), {"a": "1"})
                yield WriteThrough(GitRefStore(Git(root, environ=ENVIRON)))

    report = await validate(factory)
    assert report.passed_all_base(), {name: result.failures for name, result in report.results.items()}


def put(saver: RefCheckpointSaver, thread: str, value: Any) -> None:
    """One more checkpoint with one channel."""
    checkpoint = empty_checkpoint()
    version = saver.get_next_version(None, None)
    checkpoint["channel_values"], checkpoint["channel_versions"] = {"value": value}, {"value": version}
    config = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    saver.put(config, checkpoint, {"source": "loop", "step": 1}, {"value": version})


def got(saver: RefCheckpointSaver, thread: str) -> Any:
    found = saver.get({"configurable": {"thread_id": thread}})
    return found and found["channel_values"]["value"]


def test_a_flush_is_one_commit_whatever_was_put() -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store)
    for number in range(5):
        put(saver, f"inc-{number % 2}", number)
    assert store.head() == ""
    saver.flush("Record two")
    assert store.messages == ["Record two [skip ci]"]
    assert got(RefCheckpointSaver(store), "inc-1") == 3
    saver.flush("Nothing new")
    assert len(store.messages) == 1


def test_frozen_values_come_back_equal_and_unlisted_classes_do_not_come_back() -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store)
    put(saver, "t", Subject(name="checkout"))
    saver.flush("Record")
    assert got(RefCheckpointSaver(store, allowed=[Subject]), "t") == Subject(name="checkout")
    assert isinstance(got(RefCheckpointSaver(store), "t"), dict)


def test_strict_mode_of_langgraph_shares_the_buffer() -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store)
    strict = saver.with_allowlist({(Subject.__module__, "Subject")})
    assert isinstance(strict, RefCheckpointSaver)
    assert strict is not saver
    put(strict, "t", Subject(name="checkout"))
    saver.flush("Record")
    assert got(strict, "t") == Subject(name="checkout")


def tampered(store: MemoryRefStore, kind: str, payload: bytes) -> None:
    """Replace the only value of thread t, as somebody with write access to the branch could."""
    body = json.loads(store.commits[-1][document_path("t")])
    (versions,) = body["values"][""].values()
    (version,) = versions
    versions[version] = [kind, base64.b64encode(payload).decode()]
    store.write(store.head(), {document_path("t"): json.dumps(body).encode()}, "tampered")


@pytest.mark.parametrize("code", range(8))
def test_a_class_from_the_store_is_not_instantiated(tmp_path: Path, code: int) -> None:
    store, mark = MemoryRefStore(), tmp_path / "owned"
    saver = RefCheckpointSaver(store, allowed=[Subject])
    put(saver, "t", "x")
    saver.flush("Record")
    args: Any = f"touch {mark}" if code in {0, 3} else [f"touch {mark}"]
    inner = ormsgpack.packb(("os", "system", args, "__call__"))
    tampered(store, "msgpack", ormsgpack.packb(ormsgpack.Ext(code, inner)))
    got(RefCheckpointSaver(store, allowed=[Subject]), "t")
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["json", "pickle"])
def test_only_our_own_form_is_read(kind: str) -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store)
    put(saver, "t", "x")
    saver.flush("Record")
    tampered(store, kind, b'{"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", "HumanMessage"]}')
    with pytest.raises(ConfigError, match="never writes"):
        got(RefCheckpointSaver(store), "t")


def test_two_writers_of_different_threads_both_land() -> None:
    store = MemoryRefStore()
    first, second = RefCheckpointSaver(store), RefCheckpointSaver(store)
    put(first, "a", 1)
    put(second, "b", 2)
    first.flush("a")
    second.flush("b")
    assert (got(RefCheckpointSaver(store), "a"), got(RefCheckpointSaver(store), "b")) == (1, 2)


def test_the_loser_on_one_thread_is_told_and_loses_nothing_else() -> None:
    store = MemoryRefStore()
    first, second = RefCheckpointSaver(store), RefCheckpointSaver(store)
    put(first, "a", 1)
    put(second, "a", 2)
    put(second, "b", 2)
    first.flush("a")
    with pytest.raises(ConflictError, match="a"):
        second.flush("both")
    assert got(second, "a") == 1
    assert got(RefCheckpointSaver(store), "b") == 2


def test_pruning_keeps_the_newest_and_its_values() -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store, keep=1)
    for number in range(4):
        put(saver, "t", number)
        saver.flush("Record")
    fresh = RefCheckpointSaver(store, keep=1)
    assert got(fresh, "t") == 3
    assert len(list(fresh.list({"configurable": {"thread_id": "t"}}))) == 1


def test_the_head_of_a_document_reads_without_langgraph() -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store, summarise=lambda thread, values: {"incident_id": thread, **values})
    put(saver, "inc-abc-1", 7)
    saver.flush("Record")
    assert saver.records() == [{"incident_id": "inc-abc-1", "value": 7}]


def test_the_index_is_the_heads_and_all_that_listing_reads() -> None:
    store = MemoryRefStore()
    saver = RefCheckpointSaver(store, summarise=lambda thread, values: {"incident_id": thread})
    for name in ("a", "b", "c"):
        put(saver, name, name)
    saver.flush("Record")
    saver.delete_thread("b")
    saver.flush("Forget b")
    read: list[object] = []
    plain = store.read
    store.read = lambda head, paths=None: read.append(paths) or plain(head, paths)  # type: ignore[method-assign, func-returns-value]
    assert saver.records() == [{"incident_id": "a"}, {"incident_id": "c"}]
    assert read == [["index.json"]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{", "not a document"),
        (b"[]", "no schema"),
        (b'{"schema": 1}', "not a document"),
        (json.dumps({"schema": SCHEMA + 1}).encode(), "newer Remediator"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(text: bytes, says: str) -> None:
    store = MemoryRefStore()
    store.write("", {document_path("t"): text}, "by hand")
    with pytest.raises(ConfigError, match=says):
        got(RefCheckpointSaver(store), "t")


def _run_saver(store: RefStore, number: int) -> None:
    saver = RefCheckpointSaver(store)
    for turn in range(2):
        put(saver, f"inc-{number}", turn)
        saver.flush(f"Record {number}")


@pytest.mark.thorough
def test_twenty_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo", {"a": "1"})
    context = multiprocessing.get_context("fork")
    store = GitRefStore(Git(root, environ=ENVIRON))
    workers = [context.Process(target=_run_saver, args=(store, number)) for number in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 20
    saver = RefCheckpointSaver(GitRefStore(Git(root, environ=ENVIRON)))
    assert [got(saver, f"inc-{number}") for number in range(20)] == [1] * 20
    assert len(list(saver.list(None))) == 40
    assert int(git(root, "rev-list", "--count", "remediator-state")) == 40


@pytest.mark.thorough
def test_twenty_clients_of_github_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    with stand_in(tmp_path, {"a": "1"}) as server:
        with ThreadPoolExecutor(20) as pool:
            stores = [GitHubRefStore(client(server), prefetch=[INDEX]) for _ in range(20)]
            list(pool.map(_run_saver, stores, range(20)))
        saver = RefCheckpointSaver(GitHubRefStore(client(server)))
        assert [got(saver, f"inc-{number}") for number in range(20)] == [1] * 20
        assert len(list(saver.list(None))) == 40
