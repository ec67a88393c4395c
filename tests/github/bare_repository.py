"""A bare git repository by the git command: the objects and refs that the stand-in serves are real ones."""

from __future__ import annotations

import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.git_repositories import ENVIRON

TREE, LINK, MODULE = "40000", "120000", "160000"


class Entry(NamedTuple):
    """A path of a tree; `mode` as git stores it, without a leading zero."""

    mode: str
    oid: str


class Commit(NamedTuple):
    tree: str
    parents: tuple[str, ...]
    author: str
    message: str


@dataclass
class Bare:
    """One bare repository, one long-lived `git cat-file` for all reading."""

    path: Path
    lock: threading.RLock = field(default_factory=threading.RLock)
    _reader: subprocess.Popen[bytes] | None = None

    @classmethod
    def of(cls, checkout: Path, path: Path) -> Bare:
        """A bare repository with all that a checkout has committed: its .git directory without index and worktree."""
        shutil.copytree(checkout / ".git", path, ignore=shutil.ignore_patterns("index", "COMMIT_EDITMSG", "logs"))
        config = path / "config"
        config.write_text(config.read_text().replace("bare = false", "bare = true"))
        return cls(path)

    def run(self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        command = ["git", "-C", str(self.path), *args]
        process = subprocess.run(command, input=stdin, env=ENVIRON | (env or {}), capture_output=True, check=False)
        if process.returncode:
            raise ValueError(process.stderr.decode() or process.stdout.decode())
        return process.stdout.decode().removesuffix("\n")

    def close(self) -> None:
        if self._reader:
            assert self._reader.stdin
            assert self._reader.stdout
            self._reader.stdin.close()
            self._reader.wait(10)
            self._reader.stdout.close()
            self._reader = None

    def ask(self, name: str) -> tuple[str, str, bytes] | None:
        """Id, type and contents of an object by any name that git knows; None where there is none."""
        with self.lock:
            if self._reader is None:
                command = ["git", "-C", str(self.path), "cat-file", "--batch"]
                pipe = subprocess.PIPE
                self._reader = subprocess.Popen(command, env=ENVIRON, stdin=pipe, stdout=pipe)
            out, into = self._reader.stdout, self._reader.stdin
            assert out
            assert into
            into.write(f"{name}\n".encode())
            into.flush()
            head = out.readline().decode().split()
            if head[-1] in {"missing", "ambiguous"} or len(head) != 3:
                return None
            contents = out.read(int(head[2]))
            out.read(1)
            return head[0], head[1], contents

    def ref(self, name: str) -> str:
        """The commit id of a full ref; empty when it does not exist."""
        entry = self.ask(name)
        return entry[0] if entry else ""

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        lines = self.run("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def tree(self, oid: str) -> dict[str, Entry]:
        """One level of a tree, by the id of the tree or of a commit."""
        entry = self.ask(f"{oid}^{{tree}}")
        out: dict[str, Entry] = {}
        raw, at = (entry[2] if entry else b""), 0
        while at < len(raw):
            end = raw.index(b"\0", at)
            mode, _, name = raw[at:end].partition(b" ")
            out[name.decode()] = Entry(mode.decode(), raw[end + 1 : end + 21].hex())
            at = end + 21
        return out

    def walk(self, oid: str, prefix: str = "") -> dict[str, Entry]:
        """All entries below a tree, folders included."""
        out: dict[str, Entry] = {}
        for name, entry in self.tree(oid).items():
            out[prefix + name] = entry
            if entry.mode == TREE:
                out |= self.walk(entry.oid, f"{prefix}{name}/")
        return out

    def entry(self, oid: str, path: str) -> Entry | None:
        """Exactly that path, links not followed."""
        for step in path.split("/")[:-1]:
            entry = self.tree(oid).get(step)
            if entry is None or entry.mode != TREE:
                return None
            oid = entry.oid
        return self.tree(oid).get(path.rsplit("/", maxsplit=1)[-1])

    def commit(self, oid: str) -> Commit | None:
        answer = self.ask(oid)
        if answer is None or answer[1] != "commit":
            return None
        head, _, message = answer[2].decode().partition("\n\n")
        lines = [line.split(" ", 1) for line in head.splitlines() if not line.startswith(" ")]
        fields = dict(lines)
        parents = tuple(value for key, value in lines if key == "parent")
        return Commit(fields["tree"], parents, fields["author"].rsplit(" <", 1)[0], message)

    def write_blob(self, content: bytes) -> str:
        return self.run("hash-object", "-w", "--stdin", stdin=content)

    def write_tree(self, base: str, changes: dict[str, Entry | None]) -> str:
        """Id of a tree with these paths changed; an empty `base` starts from nothing."""
        entries = self.tree(base) if base else {}
        below: dict[str, dict[str, Entry | None]] = {}
        for path, entry in changes.items():
            name, slash, remainder = path.partition("/")
            if slash:
                below.setdefault(name, {})[remainder] = entry
            elif entry is None:
                entries.pop(name, None)
            else:
                entries[name] = entry
        for name, inner in below.items():
            subtree = entries.get(name)
            oid = self.write_tree(subtree.oid if subtree and subtree.mode == TREE else "", inner)
            if self.tree(oid):
                entries[name] = Entry(TREE, oid)
            else:
                entries.pop(name, None)
        order = sorted(entries.items(), key=lambda item: item[0] + ("/" if item[1].mode == TREE else ""))
        raw = b"".join(f"{e.mode} {name}".encode() + b"\0" + bytes.fromhex(e.oid) for name, e in order)
        return self.run("hash-object", "-w", "-t", "tree", "--stdin", stdin=raw)

    def write_commit(self, tree: str, parents: list[str], message: str, login: str) -> str:
        args = [part for parent in parents for part in ("-p", parent)]
        name = {"NAME": login, "EMAIL": f"{login}@users.noreply.github.invalid"}
        env = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in name.items()}
        return self.run(
            "commit-tree",
            tree,
            *args,
            "-F",
            "-",
            stdin=message.encode(),
            env=env | {"GIT_AUTHOR_DATE": "", "GIT_COMMITTER_DATE": ""},
        )

    def holds(self, ancestor: str, commit: str) -> bool:
        newest = self.commit(commit)
        if ancestor == commit or (newest and ancestor in newest.parents):
            return True
        command = ["git", "-C", str(self.path), "merge-base", "--is-ancestor", ancestor, commit]
        return subprocess.run(command, env=ENVIRON, capture_output=True, check=False).returncode == 0

    def ahead(self, base: str, head: str) -> list[str]:
        """Commits of `head` that `base` does not hold, oldest first."""
        return self.run("rev-list", "--reverse", f"{base}..{head}").split()

    def set_ref(self, name: str, oid: str) -> None:
        if oid:
            self.run("update-ref", name, oid)
        else:
            self.run("update-ref", "-d", name)
