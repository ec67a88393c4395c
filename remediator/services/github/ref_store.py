"""Documents on an orphan branch on GitHub, changed by compare-and-swap, one request a write."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError, ConflictError, RemediatorError, ServiceError
from remediator.services.github.batches import declarations, numbered, numbered_fields
from remediator.services.github.blobs import BLOB, entry, find
from remediator.services.github.client import Unsure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.services.github.client import Client

STATE_BRANCH = "remediator-state"
WRITE_ID = "Write-Id"
"""Trailer by which a write is recognised whose answer was lost."""

_COMMIT = """
mutation Record($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}"""
_LATEST = """
query Latest($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) { target { ... on Commit { history(first: 50) { nodes { oid message } } } } }
  }
}"""


@dataclass
class GitHubRefStore:
    """A `RefStore`; commits are GraphQL's `createCommitOnBranch` with the head that is expected.

    `prefetch` names documents that are read together with the head, as nearly every run needs them.
    `fresh_for` is how many seconds a head is believed: a write on an outdated one fails, and the next look is new.
    """

    client: Client
    branch: str = STATE_BRANCH
    prefetch: Sequence[str] = ()
    fresh_for: float = 0.0
    _head_cache: tuple[str, float] = ("", float("-inf"))
    """The newest head, and the time of its request."""
    _visibility: str = ""
    _documents: dict[tuple[str, str], bytes | None] = field(default_factory=dict, repr=False)
    """Documents by commit and path; a commit never changes."""

    def head(self) -> str:
        """Return the head; the prefetched documents come with it."""
        head, at = self._head_cache
        if time.monotonic() - at >= self.fresh_for:
            head = self._head()
            self._head_cache = head, time.monotonic()
        return head

    def public(self) -> bool:
        """Return whether everybody can read the repository; the answer comes with the head."""
        if not self._visibility:
            self.head()
        return self._visibility == "PUBLIC"

    def _head(self) -> str:
        documents = numbered_fields(len(self.prefetch), f"file(path: $item) {{ mode oid {BLOB} }}")
        query = (
            f"query Head($owner: String!, $name: String!, $ref: String!{declarations(len(self.prefetch), 'String!')}) {{"
            " repository(owner: $owner, name: $name) { visibility ref(qualifiedName: $ref) {"
            f" target {{ oid ... on Commit {{ {documents or 'id'} }} }} }} }} }}"
        )
        paths = numbered(self.prefetch)
        repository = self.client.graphql(query, {"ref": f"refs/heads/{self.branch}", **paths})["repository"]
        self._visibility = repository["visibility"]
        if not repository["ref"]:
            return ""
        target = repository["ref"]["target"]
        for name, path in paths.items():
            row = target.get(name)
            self._documents[target["oid"], path] = entry(self.client, row).content if row else None
        return str(target["oid"])

    def read(self, head: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return the documents at that commit; only unknown ones are requested."""
        if not head:
            return {}
        names = self._all(head) if paths is None else list(paths)
        unknown = [path for path in names if (head, path) not in self._documents]
        blobs = find(self.client, head, unknown) if unknown else {}
        self._documents |= {(head, path): blobs[path].content if path in blobs else None for path in unknown}
        documents = {path: self._documents[head, path] for path in names}
        return {path: content for path, content in documents.items() if content is not None}

    def write(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        """Write the documents in one commit; the first write creates the branch, without a parent."""
        self._head_cache = "", float("-inf")
        commit = self._commit(expected, changes, message) if expected else self._create(changes, message)
        self._head_cache = commit, time.monotonic()
        # The next question is nearly always for what was just written.
        unchanged = {path: text for (at, path), text in self._documents.items() if at == expected}
        self._documents = {(commit, path): text for path, text in {**unchanged, **changes}.items()}
        return commit

    def _all(self, head: str) -> list[str]:
        tree = self.client.rest("GET", f"/git/trees/{head}", params={"recursive": "1"}).body
        if tree.get("truncated"):
            raise ServiceError(f"{self.branch} holds more documents than GitHub lists at once")
        return [row["path"] for row in tree["tree"] if row["type"] == "blob"]

    def _commit(self, expected: str, changes: Mapping[str, bytes | None], message: str) -> str:
        headline, _, body = message.partition("\n")
        mark = f"{WRITE_ID}: {uuid.uuid4()}"
        additions = [{"path": p, "contents": base64.b64encode(t).decode()} for p, t in changes.items() if t is not None]
        deleted = [path for path, text in changes.items() if text is None]
        existing = self.read(expected, deleted) if deleted else {}  # GitHub refuses to delete what is not there
        request = {
            "branch": {"repositoryNameWithOwner": self.client.repository, "branchName": self.branch},
            "message": {"headline": headline, "body": f"{body.strip()}\n\n{mark}".strip()},
            "expectedHeadOid": expected,
            "fileChanges": {"additions": additions, "deletions": [{"path": path} for path in existing]},
        }
        for last in (False, True):
            try:
                answer = self.client.graphql(_COMMIT, {"input": request}, again=False, expect={"STALE_DATA"})
            except Unsure:
                if commit := self._find_own_commit(mark):
                    return commit
                if last:
                    raise
                continue
            except ServiceError as error:
                raise self._refusal(error, expected) from error
            if not answer["errors"]:
                return str(answer["createCommitOnBranch"]["commit"]["oid"])
            if last and (commit := self._find_own_commit(mark)):
                return commit
            break
        raise ConflictError(f"{self.branch} has moved on from {expected[:9]}")

    def _find_own_commit(self, mark: str) -> str:
        """Return the commit that holds our mark, if the lost request made one."""
        data = self.client.graphql(_LATEST, {"ref": f"refs/heads/{self.branch}"})
        ref = data["repository"]["ref"] or {"target": {"history": {"nodes": []}}}
        return next((str(node["oid"]) for node in ref["target"]["history"]["nodes"] if mark in node["message"]), "")

    def _create(self, changes: Mapping[str, bytes | None], message: str) -> str:
        rows = [self._row(path, text) for path, text in changes.items() if text is not None]
        tree = self.client.rest("POST", "/git/trees", {"tree": rows}, again=True).body["sha"]
        # The mark makes the commit ours alone: two first writes of the same documents must not both seem to win.
        text = f"{message}\n\n{WRITE_ID}: {uuid.uuid4()}"
        commit = {"message": text, "tree": tree, "parents": []}
        commit_id = str(self.client.rest("POST", "/git/commits", commit, again=True).body["sha"])
        ref = {"ref": f"refs/heads/{self.branch}", "sha": commit_id}
        reply = self.client.rest("POST", "/git/refs", ref, expect={422}, again=True)
        if reply.status == 422 and "already exists" not in reply.message:
            raise self._refusal(ServiceError(reply.message), "")
        if reply.status == 422 and self._head() != commit_id:
            raise ConflictError(f"{self.branch} was made by somebody else")
        return commit_id

    def _row(self, path: str, content: bytes) -> dict[str, Any]:
        row = {"path": path, "mode": "100644", "type": "blob"}
        try:
            return {**row, "content": content.decode()}
        except UnicodeDecodeError:
            blob = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            return {**row, "sha": self.client.rest("POST", "/git/blobs", blob, again=True).body["sha"]}

    def _refusal(self, error: ServiceError, expected: str) -> RemediatorError:
        """Return our error: a rule that forbids the branch is a setting, and a missing branch a race."""
        words = str(error)
        if "rule" in words.lower() or "protected" in words.lower():
            return ConfigError(
                f"a ruleset of {self.client.repository} forbids the branch {self.branch}, where the incidents' state"
                f" is kept: exempt it there, or name another repository as state-repository ({words})"
            )
        if expected and "No ref matching" in words:
            return ConflictError(f"{self.branch} was deleted meanwhile")
        return error
