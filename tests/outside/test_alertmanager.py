"""What a webhook's message says, and what is asked again of Alertmanager where it says too little."""

from __future__ import annotations

import json

import pytest

from remediator.domain.outside import Access
from remediator.errors import ConfigError
from remediator.evidence import Scanner, text_input
from remediator.services.alertmanager import filters_of_group, is_group, of_dispatch
from remediator.services.http import Http
from tests.outside.servers import Answer, serve

URLS = {"runbook_url": "https://runbooks.example.com/oom"}


def told(name: str, status: object = "firing") -> dict:
    labels = {"alertname": name, "namespace": "shop", "pod": "checkout-7c9d8f6b5d-x2x7k"}
    return {"status": status, "labels": labels, "annotations": URLS, "generatorURL": "https://prometheus.example.com/g"}


@pytest.mark.parametrize(
    ("key", "filters"),
    [
        ('{}:{alertname="X", namespace="shop"}', ['alertname="X"', 'namespace="shop"']),
        ('{}/{severity=~"c|w"}:{alertname="X"}', ['severity=~"c|w"', 'alertname="X"']),
        ('{}/{team!="a"}/{x!~"b"}/3:{alertname="X"}', ['team!="a"', 'x!~"b"', 'alertname="X"']),
        ('{}:{alertname="a":{b}:{c", x="{}:{}"}', ['alertname="a":{b}:{c"', 'x="{}:{}"']),
        ('{}:{"my.label"="x", job="{a=\\"b\\"}"}', ['"my.label"="x"', 'job="{a=\\"b\\"}"']),
        ("{}:{}", []),
    ],
)
def test_a_groups_key_is_its_routes_and_its_own_matchers(key: str, filters: list[str]) -> None:
    key = key.replace('a":{', 'a\\":{')
    filters = [one.replace('a":{', 'a\\":{') for one in filters]
    assert is_group(key)
    assert filters_of_group(key) == filters


@pytest.mark.parametrize("key", ["", "x", "{}", "{}:", '{a="b"}', '{}:{a="b"'])
def test_what_is_no_groups_key_is_asked_of_nobody(key: str) -> None:
    assert not is_group(key)
    with serve(Answer([])) as server, pytest.raises(ConfigError):
        of_dispatch({"payload": {"groupKey": key, "truncatedAlerts": 3}}, Http("A", Access(url=server.url)))


def test_a_group_of_everything_is_asked_for_by_its_receiver() -> None:
    message = {"groupKey": "{}:{}", "truncatedAlerts": 3, "receiver": "team.a", "alerts": []}
    with serve(Answer([])) as server:
        of_dispatch({"payload": message}, Http("A", Access(url=server.url)))
        (asked,) = server.asked
    assert [value for name, value in asked.parameters if name in {"filter", "receiver"}] == ["team\\.a"]


def test_alerts_of_a_firing_group_that_are_over_or_silenced_are_left_out() -> None:
    alerts = [told("A"), told("B", "resolved"), told("C", {"state": "suppressed"}), told("D", {"state": "active"})]
    found = json.loads(of_dispatch({"payload": {"alerts": alerts, "groupKey": "{}:{}"}}, None))
    assert [one["labels"]["alertname"] for one in found] == ["A", "D"]


def test_where_an_alert_is_explained_and_measured_is_kept() -> None:
    text = of_dispatch({"payload": {"alerts": [told("A")], "groupKey": "{}:{}"}}, None)
    (one,) = Scanner().scan([text_input("dispatch", text)]).statements
    assert one.facts["runbook_url"] == "https://runbooks.example.com/oom"
    assert one.facts["generator_url"] == "https://prometheus.example.com/g"
