"""Typos and quantities: what counts as a slip, and how a number is written back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from remediator.domain import quantities
from remediator.remedies.engine.spelling import distance, is_typo, nearest


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [("", "abc", 3), ("reds", "redis", 1), ("teh", "the", 1), ("same", "same", 0), ("kitten", "sitting", 3)],
)
def test_distance_counts_slips(a: str, b: str, slips: int) -> None:
    assert distance(a, b) == distance(b, a) == slips


def test_distance_stops_counting_at_its_bound() -> None:
    assert distance("a" * 50, "b" * 50, bound=2) == 3


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("reds", "redis"), ("lnux", "linux"), ("zigbee-secrets-1", "zigbee-secrets"), ("myqsl", "mysql")],
)
def test_slips_are_typos(wrong: str, right: str) -> None:
    assert is_typo(wrong, right)


@pytest.mark.parametrize(
    ("a", "b"), [("db", "web"), ("red", "blue"), ("v1", "v2"), ("app", "api"), ("prod", "test"), ("", "x")]
)
def test_other_words_are_not(a: str, b: str) -> None:
    assert not is_typo(a, b)


def test_nearest_abstains_between_equals() -> None:
    assert nearest("app-x", ["app-y", "app-z"]) == ""
    assert nearest("grafanas", ["grafana", "prometheus"]) == "grafana"


@pytest.mark.parametrize(
    ("text", "amount"),
    [("128Mi", 128 * 2**20), ("1G", 10**9), ("250m", Decimal("0.25")), ("1e3", 1000), ("0.5", Decimal("0.5")), (2, 2)],
)
def test_quantities_parse(text: object, amount: Decimal) -> None:
    assert quantities.parse(text) == amount


@pytest.mark.parametrize("text", [None, True, "", "12 Mi b", "Mi", "1e400"])
def test_what_is_no_quantity(text: object) -> None:
    assert quantities.parse(text) is None


@pytest.mark.parametrize(
    ("amount", "model", "text"),
    [("256Mi", "128Mi", "256Mi"), ("1024Mi", "512Mi", "1Gi"), ("1500M", "750M", "1500M"), ("24Mi", "12Mi", "24Mi")],
)
def test_bytes_are_written_as_people_write_them(amount: str, model: str, text: str) -> None:
    parsed = quantities.parse(amount)
    assert parsed is not None
    assert quantities.bytes_like(parsed, model) == text


@pytest.mark.parametrize(
    ("amount", "model", "text"),
    [("0.4", "100m", "400m"), ("2", "1", "2"), ("2", "500m", "2000m"), ("1.5", "1", "1500m")],
)
def test_cores_are_written_as_people_write_them(amount: str, model: str, text: str) -> None:
    assert quantities.cores_like(Decimal(amount), model) == text
