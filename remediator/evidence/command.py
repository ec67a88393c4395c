"""Command lines in an input (`$ kubectl logs web-0 -n shop`): what the lines after one are about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from remediator.evidence.kinds import kind_of

_TOOLS = r"kubectl|oc|k|k3s|microk8s|minikube|argocd|helm|kustomize|flux|stern|kubetail|logcli|amtool|promtool|docker|podman|crictl|nerdctl|journalctl|dmesg|curl|cat|tail|grep|watch|sudo|git(?=\ ls-remote)|(?:ss|netstat|lsof)(?=\ -)"
_PROMPTED = re.compile(
    rf"""(?:
        \$\ (?P<any>\S.*)                                                    # an explicit shell prompt: any command
      | (?:[^\s$\#>%]{{1,64}}[@:][^\s$\#>%]{{0,128}}\ ?[$\#>%]\ ?            # user@host:~/dir$
        | [A-Za-z0-9][\w.-]{{0,63}}>\ +                                      # name>
      | [\w.-]{{1,64}}@[\w.-]{{1,64}}\ [~/][^\s>]{{0,128}}>\ +            # fish: user@host ~/dir>
      | [^\sA-Za-z0-9"'=\{{]{{1,3}}\ *[^\n"'=\{{]{{0,80}}[$\#%❯➜»λ✗✔]\ +    # drawn prompts: ➜ dir git:(main) ✗
        | \[[^\]]{{1,80}}\][$\#]\ ?                                          # [user@host dir]$
        | [\#>%❯➜»λ]\ +(?:~\ )?                                              # bare prompts
      | ~[$\#>%]?\ +                                                       # the home directory alone
        | PS\ [^>]{{0,128}}>\ ?                                              # PowerShell
        | \++\ +                                                             # set -x
        | \#\#\[group\]Run\ | \[command\](?:/\S*/)?                          # a GitHub Actions step
        | (?:time\ )?
        )(?P<known>(?:sudo\ (?:-\w+\ )*)?(?:{_TOOLS})\ (?!APP\b|\s).*)
    )""",
    re.VERBOSE,
)
_BARE = re.compile(r"(?:kubectl|oc|argocd|helm) [a-z][\w-]*( |$)")
_VALUE_FLAGS = frozenset(
    [
        "-n",
        "--namespace",
        "-c",
        "--container",
        "-l",
        "--selector",
        "-o",
        "--output",
        "--context",
        "--cluster",
        "--tail",
        "--lines",
        "--limit",
        "--since",
        "--since-time",
        "-f",
        "--filename",
        "--field-selector",
        "--sort-by",
        "--kubeconfig",
        "--user",
        "--as",
        "-L",
        "--label-columns",
        "--limit-bytes",
        "--timeout",
        "--for",
        "-p-value",
        "--max-log-requests",
        "--server",
        "--grpc-web-root-path",
        "--app-namespace",
        "-N",
        "--project",
        "-s",
        "--token",
        "--request-timeout",
    ]
)


_OF_CONTAINERS = (["exec"], ["debug"], ["run"])

_BOUNDS = {
    "journalctl": ("-n", "--lines"),
    "docker": ("--tail", "-n"),
    "tail": ("-n", "--lines"),
    "logcli": ("--limit",),
}
"""Flags that bound the lines of a log, where `--tail` is not the only one."""


_WORD = re.compile(r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\"|['\"])+")
_ENDS = frozenset({"|", "||", "&&", ";", ">", ">>"})


@dataclass(frozen=True, slots=True)
class Command:
    """A command taken apart as far as it tells what its output is about."""

    tool: str = ""
    verb: str = ""
    words: tuple[str, ...] = ()
    """Arguments that are no flags, after the verb."""
    flags: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    container: str = ""
    piped: bool = False
    """True if another command filters the output."""

    @property
    def target(self) -> tuple[str, str]:
        """Return the kind and name that kubectl is asked about; either may be empty (`get pods`, `logs -l app=web`)."""
        words = self.words[1:] if self.verb == "rollout" else self.words
        if not words:
            return "", ""
        kind, slash, name = words[0].partition("/")
        if slash:
            return kind_of(kind), name
        if self.verb in {"logs", "log", "exec", "debug", "attach", "cp", "port-forward"}:
            return "Pod", words[0]
        return kind_of(words[0].split(",")[0]), words[1] if len(words) > 1 else ""

    @property
    def tail(self) -> int:
        """Return the number of lines that the command prints at most; 0 without a bound."""
        names = _BOUNDS.get(self.tool, ("--tail",))
        value = next((self.flags[name] for name in names if name in self.flags), "")
        return int(value) if value.isdigit() else 0

    @property
    def is_log(self) -> bool:
        """Return True if the command prints a log."""
        return (self.tool in {"kubectl", "docker", "crictl"} and self.verb in {"logs", "log"}) or self.tool in {
            "stern",
            "kubetail",
            "logcli",
            "journalctl",
            "dmesg",
        }


def _words(line: str) -> tuple[list[str], bool]:
    """Return the words of the first command of a line, quoted ones whole, and True if another command filters its output."""
    words = [match.group() for match in _WORD.finditer(line)]
    end = next((index for index, word in enumerate(words) if word in _ENDS or word.startswith("2>")), len(words))
    return words[:end], end < len(words) and words[end] == "|"


def command_of(text: str) -> Command | None:
    """Return the command that a line shows, or None."""
    match = _PROMPTED.match(text)
    line = (match["any"] or match["known"]) if match else (text if _BARE.match(text) else None)
    if not line:
        return None
    words, is_piped = _words(line)
    while words and (words[0] in {"sudo", "watch", "time", "microk8s", "k3s", "minikube", "--"} or "=" in words[0]):
        words.pop(0)
    if not words:
        return Command()
    tool = words.pop(0).rsplit("/", 1)[-1].removesuffix(".exe")
    tool = {"k": "kubectl", "oc": "kubectl", "podman": "docker", "nerdctl": "docker"}.get(tool, tool)
    return replace(_read(tool, words), piped=is_piped)


def _read(tool: str, words: list[str]) -> Command:
    plain: list[str] = []
    flags: dict[str, str] = {}
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--" and plain[:1] in _OF_CONTAINERS:
            break  # what follows is the command inside the container, with flags of its own
        if not word.startswith("-") or word == "-":
            plain.append(word.strip("'\""))
            continue
        name, equals, value = word.partition("=")
        if not equals and name in _VALUE_FLAGS and index < len(words):
            value = words[index]
            index += 1
        elif not equals and len(name) > 2 and name[:2] in {"-n", "-c", "-l", "-o"} and name[1] != "-":
            name, value = name[:2], name[2:]
        flags[name] = value.strip("'\"")
    verb = plain.pop(0) if plain else ""
    namespace = "" if "-n" in _BOUNDS.get(tool, ()) else flags.get("-n") or flags.get("--namespace") or ""
    container = flags.get("-c") or flags.get("--container") or flags.get("--target") or ""
    if verb in {"logs", "log"} and not container and len(plain) > 1:
        container = plain[1]
    if tool == "argocd" and plain:
        verb = f"{verb} {plain.pop(0)}"
    return Command(tool, verb, tuple(plain), flags, namespace, container)
