"""LogQL: what is asked can be parsed, and its first filter, which is cheap, lets everything through that is sought."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import re2

from remediator.domain.sources import Workload
from remediator.policy import load
from remediator.services.loki.literals import first_filter, needed
from remediator.services.loki.query import line_filter, of_workload
from remediator.services.loki.source import documents
from tests.servers.loki_api import LokiServer

PATTERNS = [signal.pattern for category in load().catalogue.categories for signal in category.signals]


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("KeyError: '", {"eyerror: '"}),
        ("(?i)Connection (?:refused|reset)", {"tion re"}),
        ("(?:x{2,}|abc)+ of the volume", {" the volume"}),
        ("(?i)no route to host|EHOSTUNREACH", {"o route to host", "stunreach"}),
        (r"\bOOMKilled\b", {"mkilled"}),
        ("(?:not )?found", {"found"}),
        ("[a-z]+ing", {"ing"}),
        (r"\d+ \S", set()),
        ("(?:error)?", set()),
        ("error|.", set()),
        ("naïveté", {"vet"}),
        (r"\pL+ failed", set()),
        (r"a(?i)denied\b", {"denied"}),
        ("(?:disk full|disk fail)ure", {"isk f"}),
        ("x{2}yyyy[.]zz", {"yyyy.zz"}),
        (r"\x41bcd\.\d", {"abcd."}),
        ("**broken", set()),
        ("(broken", set()),
        ("broken)", set()),
        ("[broken", set()),
        ("(?=broken)", set()),
        ("[[:alpha:]]+ failed", set()),
    ],
)
def test_the_texts_of_which_each_hit_holds_one(pattern: str, texts: set[str]) -> None:
    assert needed(pattern) == texts


def test_one_pattern_without_texts_means_no_first_filter() -> None:
    assert first_filter(["KeyError", r"\d+"]) == ""
    assert line_filter(["KeyError", r"\d+"]) == r' |~ "(?:KeyError)|(?:\\d+)"'
    assert line_filter(["a.b+c"]) == ' |~ "(?:a.b+c)"'
    assert line_filter([]) == ""


def test_texts_are_searched_as_they_stand_and_only_the_shortest() -> None:
    assert first_filter([r"\[x\]\.y", r"z\[x\]\.y", "other"]) in {r"(?i)\[x\]\.y|other", r"(?i)other|\[x\]\.y"}


def test_all_patterns_together_have_a_first_filter_of_texts_that_begin_apart() -> None:
    wanted = first_filter(PATTERNS).removeprefix("(?i)").split("|")
    assert len(wanted) > 100
    assert not [(one, two) for one, two in pairwise(wanted) if one[0] == two[0] != "\\"]


@cache
def pattern_sets() -> list[tuple[list[str], Any]]:
    """Compile the patterns in groups, each of which looks at a line once; all in one would exceed re2's memory."""
    groups = [PATTERNS[start : start + 25] for start in range(0, len(PATTERNS), 25)]
    compiled = []
    for group in groups:
        options = re2.Options()
        options.max_mem = 64 << 20
        patterns = re2.Set.SearchSet(options)
        for pattern in group:
            patterns.Add(pattern)
        patterns.Compile()
        compiled.append((group, patterns))
    return compiled


def matching(line: str) -> list[str]:
    """Return the patterns that match a line."""
    return [group[index] for group, patterns in pattern_sets() for index in patterns.Match(line) or ()]


def test_what_a_pattern_hits_holds_one_of_its_texts() -> None:
    files = [one for one in Path("tests").rglob("*") if one.suffix in {".log", ".txt", ".json", ".yaml", ".py"}]
    lines = {line for one in files for line in one.read_text(errors="replace").splitlines()}
    matches = [(pattern, line) for line in lines for pattern in matching(line)]
    assert len(matches) > 100
    texts = {pattern: needed(pattern) for pattern in PATTERNS}
    assert [
        (pattern, line)
        for pattern, line in matches
        if texts[pattern] and not any(text in line.lower() for text in texts[pattern])
    ] == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("^panic: ", "2026-11-22T12:20:55Z stderr F panic: boom"),
        ("^panic: |^fatal: ", "\x1b[31mpanic: boom\x1b[0m"),
        (r"(?:^|[\s/])sh: (?P<command>\S+): not found(?:;|$)", r'{"log":"sh: curl: not found\n","stream":"stderr"}'),
        ('directory "(?P<name>[^"]+)" exists', r'{"log":"directory \"/data\" exists\n"}'),
        (r"""(?i)variable ['"`]?(?P<name>[A-Z_]+)['"`]? is unset""", r'{"msg":"variable \"DATABASE_URL\" is unset"}'),
        (r'exec: \\?"(?P<command>[^"\\]+)\\?": not found', r'{"msg":"exec: \"foo\": not found"}'),
        (r'cost\$ \^ \"x\" [[:alpha:]"]+ []"]', r'cost$ ^ "x" a"b ]'),
    ],
)
def test_a_line_that_is_wrapped_is_found_all_the_same(pattern: str, line: str) -> None:
    loki = LokiServer()
    loki.add(1, line, namespace="shop")
    loki.add(1, "GET /healthz 200", namespace="shop")
    assert [one.text for one in loki._select('{namespace="shop"}' + line_filter([pattern, "a pattern"]))] == [line]


def test_every_pattern_of_the_policies_is_one_that_loki_can_take() -> None:
    for pattern in PATTERNS:
        for part in line_filter([pattern]).split(" |~ ")[1:]:
            re2.compile(json.loads(part))
    assert len(line_filter(PATTERNS).encode()) < 65_536
    assert list(documents("loki", [])) == []


@pytest.mark.parametrize(
    ("kind", "pods", "others"),
    [
        (
            "Deployment",
            ["cart-6d5f4c8b7-x2x7k", "cart-x2x7k"],
            ["cart-worker-6d5f4c8b7-x2x7k", "carts-6d5f4c8b7-x2x7k"],
        ),
        ("StatefulSet", ["cart-0", "cart-12"], ["cart-db-0", "cart-6d5f4c8b7-x2x7k"]),
        ("DaemonSet", ["cart-x2x7k"], ["cart-agent-x2x7k", "cart"]),
        ("CronJob", ["cart-28912345-x2x7k"], ["cart-nightly-28912345-x2x7k"]),
        ("Job", ["cart-x2x7k", "cart-0-x2x7k"], ["cart-of-2-x2x7k"]),
        ("", ["cart-0", "cart-6d5f4c8b7-x2x7k"], ["cart-worker-6d5f4c8b7-x2x7k"]),
        ("Pod", ["cart"], ["cart-0"]),
    ],
)
def test_pods_of_a_workload_whose_name_begins_alike_are_not_its_own(kind: str, pods: list, others: list) -> None:
    loki = LokiServer()
    for name in (*pods, *others):
        loki.add(1, name, namespace="shop", pod=name)
    query = of_workload(Workload(namespace="shop", kind=kind, name="cart"), {}, "")
    assert [line.text for line in loki._select(query)] == pods


@pytest.mark.parametrize(
    "name", ['quo"te', "back\\slash", "tick`", "line\nline", "nul\x00", "del\x7f", "{}", "ü😀", "a|b", "#", "a/b"]
)
def test_whatever_a_name_holds_the_query_can_be_parsed_and_finds_it(name: str) -> None:
    loki = LokiServer()
    loki.add(1, f"KeyError: {name}", namespace=name, pod=f"{name}-1", container=name)
    loki.add(1, f"KeyError: {name}", namespace=name, pod=f"{name}", container=name)
    query = of_workload(Workload(namespace=name, name=name, container=name), {}, line_filter(["KeyError"]))
    assert len(loki._select(query)) == 1
