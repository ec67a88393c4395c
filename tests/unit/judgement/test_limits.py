"""Limits in messages meet the values of the repository that set them, whatever unit each is written in."""

from __future__ import annotations

from decimal import Decimal

import pytest

from remediator.judgement.limit_values import limits_in, readings, scaled


@pytest.mark.parametrize(
    ("message", "key", "value"),
    [
        ("ingestion rate limit exceeded (limit: 4194304 bytes/sec)", "ingestion_rate_mb", 4),
        ("message size 5242880 exceeds the maximum of 4MiB", "max_message_size", 4194304),
        ("request body exceeded 10m", "proxyBodySizeLimit", "10m"),
        ("context deadline exceeded: timeout of 1m30s", "exec_timeout", "90s"),
        ("timed out after 90 seconds", "timeoutSeconds", 90),
        ("too many connections: limit is 100", "max_connections", "100"),
    ],
)
def test_a_value_is_known_again_in_another_unit(message: str, key: str, value: object) -> None:
    assert set(limits_in(message)) & set(readings(key, value))


@pytest.mark.parametrize(
    ("message", "key", "value"),
    [
        ("received 4194304 bytes from upstream", "max_message_size", 4194304),
        ("retry limit reached after 3 attempts", "max_attempts", 3),
        ("message exceeds 4MiB", "replicas", 4194304),
        ("limit is 100", "max_connections", True),
    ],
    ids=["no limit is spoken of", "a small count", "a key that sets no limit", "no quantity"],
)
def test_what_only_looks_alike_is_no_limit(message: str, key: str, value: object) -> None:
    assert not set(limits_in(message)) & set(readings(key, value))


@pytest.mark.parametrize(
    ("value", "twice"), [(4, 8), ("4Mi", "8Mi"), ("90s", "180s"), ("10m", "20m"), (0.5, 1.0), ("1m30s", "180s")]
)
def test_a_scaled_value_keeps_its_spelling(value: object, twice: object) -> None:
    assert scaled(value, Decimal(2)) == twice
