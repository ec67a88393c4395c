"""Whole words in texts."""

from __future__ import annotations

import pytest

from remediator.domain.text import HOST_JOINERS, JOINERS, contains_word, word_pattern


@pytest.mark.parametrize(
    ("text", "word", "joiners", "expected"),
    [
        ("Job backup failed", "backup", JOINERS, True),
        ("Job backup-daily failed", "backup", JOINERS, False),
        ("Job backup-daily failed", "backup", "", True),
        ("Job backup-daily failed", "backup-daily", JOINERS, True),
        ("Job daily-backup failed", "backup", JOINERS, False),
        ("lookup redis on 10.96.0.10:53", "redis", JOINERS, True),
        ("backups failed, then backup", "backup", JOINERS, True),
        ("backups failed", "backup", "", False),
        ("backup2 failed", "backup", "", False),
        ("größe", "gr", "", False),
        ("MY_DB_HOST is not set", "DB_HOST", JOINERS, False),
        ("shop_web_80 is down", "web", "-", True),
        ('service "shop/web" not found', "web", JOINERS, True),
        ("GET /ready/live 200", "/ready", "/_", False),
        ("GET /ready 200", "/ready", "/_", True),
        ("dial api.example.com", "api", HOST_JOINERS, False),
        ("dial api.example.com", "api", JOINERS, True),
        ("dial example.com.", "example.com", HOST_JOINERS, True),
        ("dial example.com.", "example", HOST_JOINERS, False),
        ("dial www.example.com", "example.com", HOST_JOINERS, False),
        ("a.b", "axb", JOINERS, False),
        ("anything", "", JOINERS, False),
        ("", "word", JOINERS, False),
    ],
)
def test_a_word_counts_only_where_nothing_continues_it(text: str, word: str, joiners: str, expected: bool) -> None:
    assert contains_word(text, word, joiners) is expected


def test_a_pattern_replaces_only_whole_words_and_may_ignore_case() -> None:
    assert word_pattern("redis").sub("cache", "redis redis-0 Redis") == "cache redis-0 Redis"
    assert word_pattern("redis", ignore_case=True).sub("cache", "redis redis-0 Redis") == "cache redis-0 cache"
