"""A local git repository by its plumbing: the user's worktree and index are never touched."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from remediator.domain.symbolic_links import link_target
from remediator.errors import ConfigError, ConflictError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOT_NAME = "Remediator"
BOT_EMAIL = "remediator@users.noreply.invalid"

_REDIRECTS = frozenset(
    {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_CEILING_DIRECTORIES",
    }
)
"""Variables that hooks and wrappers set; they would redirect our commands to another repository."""

_FOR_GIT = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LANG", "TZ", "TERM", "DISPLAY", "SHELL", "DBUS_SESSION_BUS_ADDRESS"}
)  # fmt: skip
_FOR_GIT_BEGINS = ("GIT_", "SSH_", "XDG_", "LC_", "GNUPG", "GPG_")
"""Variables that git, ssh and helpers for credentials need; tokens and passwords of other servers are none of them."""


def _is_for_git(name: str) -> bool:
    """Return True for a variable that git is given; proxies and certificate authorities are among them."""
    if name in _REDIRECTS:
        return False
    return name in _FOR_GIT or name.startswith(_FOR_GIT_BEGINS) or name.lower() in _TO_SERVERS


_TO_SERVERS = frozenset(
    {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir", "curl_ca_bundle"}
)

_QUIET = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.splitIndex=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "gc.auto=0"),
)
"""Options for every command: no hook of the user's runs, and no private index leaves shared files behind."""

SYMLINK, SUBMODULE = "120000", "160000"
_HOPS = 16


@dataclass(frozen=True)
class GitTreeEntry:
    """One path of a tree: git's mode and object id."""

    mode: str
    oid: str


@dataclass
class Git:
    """A repository with a worktree; `prefix` is the folder of the GitOps root inside it, "" or ending in "/"."""

    top: Path
    prefix: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    _identity: dict[str, str] | None = field(default=None, repr=False)

    @classmethod
    def find(cls, folder: Path, environ: Mapping[str, str] | None = None) -> Git | None:
        """Return the repository that `folder` is in, or None when there is none.

        A repository that git refuses to open (owned by someone else) is an error, not none: git says how to allow it.
        """
        probe = cls(folder, environ=dict(os.environ if environ is None else environ))
        result = probe._spawn(["rev-parse", "--show-toplevel", "--show-prefix"], b"", {})
        output = result.stderr.decode(errors="replace")
        if result.returncode:
            if "not a git repository" in output:
                return None
            if "must be run in a work tree" in output:
                raise ConfigError("is a bare repository, without files to read: give a checkout", file=str(folder))
            raise ConfigError(f"git cannot open this repository: {_last_line(output)}", file=str(folder))
        lines = result.stdout.decode(errors="surrogateescape").split("\n")
        return cls(Path(lines[0]), lines[1], probe.environ)

    def run(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Return a command's output without its last line break; ServiceError with git's own words if it fails."""
        return self.raw(*args, stdin=stdin, env=env).decode(errors="surrogateescape").removesuffix("\n")

    def raw(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Return a command's output unchanged."""
        result = self._spawn(args, stdin, env or {})
        if result.returncode:
            output = result.stderr.decode(errors="replace") or result.stdout.decode(errors="replace")
            raise ServiceError(f"git {args[0]}: {_last_line(output)}")
        return result.stdout

    def ask(self, *args: str) -> str:
        """Return the output of a command whose failure only means "no": empty then."""
        result = self._spawn(args, b"", {})
        return "" if result.returncode else result.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def holds(self, *args: str) -> bool:
        """Return whether a command that answers by its exit code says yes."""
        return self._spawn(args, b"", {}).returncode == 0

    def commit_id(self, revision: str) -> str:
        """Return the commit that a ref or id names; empty when there is none."""
        return self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")

    def entry(self, commit: str, path: str) -> GitTreeEntry | None:
        """Return the entry at exactly that path, links not followed."""
        listed = self.raw("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path)
        for line in listed.split(b"\0"):
            if line:
                meta, _, name = line.partition(b"\t")
                if name.decode(errors="surrogateescape") == path:
                    mode, _, oid = meta.decode().split(" ")
                    return GitTreeEntry(mode, oid)
        return None

    def resolve(self, commit: str, path: str) -> str:
        """Return the path behind symbolic links of the tree, of files and of folders on the way.

        FileNotFoundError for a link out of the repository, in a circle, or into a submodule.
        """
        resolved, remaining = PurePosixPath(), list(PurePosixPath(path).parts)
        for _ in range(_HOPS + len(remaining)):
            if not remaining:
                return str(resolved)
            step = resolved / remaining.pop(0)
            entry = self.entry(commit, str(step))
            if entry is None:
                return str(step.joinpath(*remaining))
            if entry.mode == SUBMODULE:
                raise FileNotFoundError(f"{path}: lies in the submodule {step}")
            if entry.mode != SYMLINK:
                resolved = step
                continue
            target = self.run("cat-file", "blob", entry.oid)
            steps = link_target(resolved, target)
            if steps is None:
                raise FileNotFoundError(f"{path}: a symbolic link leads out of the repository")
            resolved, remaining = PurePosixPath(), [*steps, *remaining]
        raise FileNotFoundError(f"{path}: symbolic links in a circle")

    def blob(self, commit: str, path: str) -> bytes:
        """Return the contents of a file at a commit, links followed inside the tree; FileNotFoundError."""
        entry = self.entry(commit, path)
        if entry is None or entry.mode == SYMLINK:
            entry = self.entry(commit, self.resolve(commit, path))
        if entry is None or entry.mode == SUBMODULE:
            raise FileNotFoundError(f"{path}: not in commit {commit[:9]} (commit it first?)")
        return self.raw("cat-file", "blob", entry.oid)

    def documents(self, commit: str, paths: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return the contents of many files, in two processes whatever their number."""
        names = [] if paths is None else ["--", *paths]
        listed = self.raw("--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit, *names)
        ids: dict[str, str] = {}
        for line in listed.split(b"\0"):
            meta, _, path = line.partition(b"\t")
            if path:
                ids[path.decode(errors="surrogateescape")] = meta.decode().split(" ")[2]
        if not ids:
            return {}
        out = self.raw("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in ids.values()).encode())
        contents: dict[str, bytes] = {}
        at = 0
        for name in ids:
            end = out.index(b"\n", at)
            size = int(out[at:end].split(b" ")[2])
            contents[name] = out[end + 1 : end + 1 + size]
            at = end + size + 2
        return contents

    def tree_with(self, commit: str, changes: Mapping[str, bytes | None]) -> str:
        """Return the id of `commit`'s tree with these files changed; modes, links and submodules stay.

        An empty `commit` starts from the empty tree.
        """
        lines = []
        for path, content in changes.items():
            entry = self.entry(commit, path) if commit else None
            if content is None:
                lines.append(f"0 {'0' * 40}\t{path}\0")
                continue
            oid = self.run("hash-object", "-w", "--stdin", stdin=content)
            lines.append(f"{entry.mode if entry else '100644'} {oid}\t{path}\0")
        with tempfile.TemporaryDirectory(prefix="remediator-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            if commit:
                self.run("read-tree", commit, env=env)
            stdin = "".join(lines).encode(errors="surrogateescape")
            self.run("update-index", "-z", "--index-info", stdin=stdin, env=env)
            return self.run("write-tree", env=env)

    def commit_tree(self, tree: str, parents: Sequence[str], message: str) -> str:
        """Return the id of a new commit; the author is git's configured one, else the bot."""
        args = [part for parent in parents for part in ("-p", parent)]
        return self.run("commit-tree", tree, *args, "-F", "-", stdin=message.encode(), env=self.identity())

    def move(self, ref: str, new: str, old: str) -> None:
        """Set a ref if it still is `old` ("" = does not exist), else ConflictError; an empty `new` deletes it."""
        args = ["update-ref", "-d", ref, old] if not new else ["update-ref", ref, new, old]
        result = self._spawn(args, b"", self.identity())
        if not result.returncode:
            return
        message = _last_line(result.stderr.decode(errors="replace"))
        if "Permission denied" in message or "Read-only" in message or "No space" in message:
            raise ServiceError(f"git cannot write {ref}: {message}")
        if "cannot create" in message:
            raise ConfigError(f"a branch of yours stands in the way of {ref}, rename it: {message}", file=str(self.top))
        raise ConflictError(f"{ref} was moved by somebody else: {message}")

    def identity(self) -> dict[str, str]:
        """Return variables that name an author where git's configuration names none."""
        if self._identity is None:
            configured = self.ask("config", "user.name") and self.ask("config", "user.email")
            self._identity = {}
            for role in () if configured else ("AUTHOR", "COMMITTER"):
                self._identity[f"GIT_{role}_NAME"] = self.environ.get(f"GIT_{role}_NAME") or BOT_NAME
                self._identity[f"GIT_{role}_EMAIL"] = self.environ.get(f"GIT_{role}_EMAIL") or BOT_EMAIL
        return self._identity

    def _spawn(self, args: Sequence[str], stdin: bytes, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        environ = {key: value for key, value in self.environ.items() if _is_for_git(key)}
        fixed = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
        command = ["git", "-C", str(self.top), *_QUIET, *args]
        try:
            return subprocess.run(
                command, input=stdin, capture_output=True, env=environ | fixed | dict(env), check=False
            )
        except FileNotFoundError:
            raise ConfigError("git is not on the PATH: install git 2.30 or newer") from None


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("hint:")]
    return lines[-1].removeprefix("fatal: ").removeprefix("error: ") if lines else "failed without a word"
