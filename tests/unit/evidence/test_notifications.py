"""Notifications pasted from chat and mail, and webhooks that were cut."""

from __future__ import annotations

import json

import pytest

from tests.unit.evidence.scanning import scan, statements

SLACK = """\
alertmanager APP  9:14 AM
[FIRING:1] KubePodCrashLooping (shop critical)
*Alert:* Pod is crash looping - `critical`
*Description:* Pod shop/web-7c9d8b6f5d-4xk2p (app) restarts
*Details:*
  • *alertname:* `KubePodCrashLooping`
  • *container:* `app`
  • *namespace:* `shop`
  • *pod:* `web-7c9d8b6f5d-4xk2p`
  • *severity:* `critical`
"""
LIST = """\
**Firing**

Value: A=12
Labels:
 - alertname = KubePodCrashLooping
 - container = app
 - namespace = shop
 - pod = web-7c9d8b6f5d-4xk2p
 - severity = critical
Annotations:
 - description = Pod shop/web-7c9d8b6f5d-4xk2p (app) restarts
Source: https://grafana.example.com/alerting/x
"""
INLINE = (
    ':fire: [FIRING:1] KubePodCrashLooping (container="app" namespace="shop" pod="web-7c9d8b6f5d-4xk2p" '
    'severity="critical")\nDescription: Pod shop/web-7c9d8b6f5d-4xk2p (app) restarts\n'
)
BARE = """\
[FIRING:1] KubePodCrashLooping
Severity: critical
namespace: shop
pod: web-7c9d8b6f5d-4xk2p
container: app
message: Pod shop/web-7c9d8b6f5d-4xk2p (app) restarts
"""


@pytest.mark.parametrize("text", [SLACK, LIST, INLINE, BARE], ids=["slack", "list", "inline", "bare"])
def test_an_alert_in_a_chat_is_an_alert(text: str):
    (alert,) = [row for row in statements(text) if row.channel == "alert"]
    subject = alert.subject
    assert (alert.reason, alert.level, alert.facts["status"]) == ("KubePodCrashLooping", "critical", "firing")
    assert (subject.namespace, subject.name, subject.container) == ("shop", "web", "app")
    assert alert.text == "Pod shop/web-7c9d8b6f5d-4xk2p (app) restarts"


def test_several_alerts_of_one_message_stay_apart_and_resolved_ones_say_so():
    first = LIST.partition("Source")[0]
    second = first.replace("web-7c9d8b6f5d-4xk2p", "cart-5b7c9d8f6-abcde").replace("**Firing**", "**Resolved**")
    alerts = statements(f"[FIRING:1, RESOLVED:1]\n{first}\n{second}")
    assert [(row.subject.name, row.facts["status"]) for row in alerts if row.channel == "alert"] == [
        ("web", "firing"),
        ("cart", "resolved"),
    ]


def test_labels_of_an_object_are_no_alert():
    rows = statements("Labels:\n - app = web\n - tier = front\n")
    assert all(row.channel != "alert" for row in rows)


def test_a_failed_sync_told_in_a_chat_is_about_the_application():
    message = 'one or more objects failed to apply, reason: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1'
    (row,) = statements(
        f":exclamation:  The sync operation of application shop-web has failed at 2026-01-01T00:00:20Z with the following error: {message}\n"
        "Sync operation details are available at: https://argocd.example.com/applications/shop-web?operation=true .\n"
    )
    assert (row.channel, row.speaker, row.reason, row.text) == ("sync", "argocd", "Failed", message)
    assert (row.subject.application, row.facts["phase"], row.facts["field"]) == ("shop-web", "Failed", "spec.replicas")
    assert row.last_seen == "2026-01-01T00:00:20Z"


def test_degraded_and_unknown_applications_told_in_a_chat():
    text = """\
:x: Application argocd/shop-web has degraded.
Application details: https://argocd.example.com/applications/shop-web.
Sync Status
Synced
Repository
https://git.example.com/ops/fleet.git

:exclamation: Application cart sync is 'Unknown'.
Application details: https://argocd.example.com/applications/cart.
    * Failed to load target state: app path does not exist
"""
    degraded, unknown, condition = statements(text)
    assert (degraded.reason, degraded.subject.application, degraded.facts["sync_status"]) == (
        "Degraded",
        "shop-web",
        "Synced",
    )
    assert (unknown.reason, unknown.subject.application) == ("Unknown", "cart")
    assert (condition.reason, condition.text) == (
        "ComparisonError",
        "Failed to load target state: app path does not exist",
    )


def webhook(*names: str) -> dict[str, object]:
    labels = [{"alertname": "PodDown", "namespace": "shop", "pod": f"{name}-0", "severity": "page"} for name in names]
    alerts = [{"status": "firing", "labels": item, "annotations": {"summary": 'a "quoted" word'}} for item in labels]
    return {"receiver": "x", "status": "firing", "alerts": alerts, "commonLabels": {}}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_webhook_that_ends_early_tells_its_whole_alerts(indent: int | None):
    text = json.dumps(webhook("web", "cart"), indent=indent)
    ends = {
        text.index("cart-0"): ["web"],
        text.rindex('"annotations"'): ["web", "cart"],
        text.rindex("quoted"): ["web", "cart"],
    }
    for end, names in ends.items():
        result = scan(text[:end])
        assert [row.subject.name for row in result.statements if row.channel == "alert"] == names
        assert any("JSON ends early" in note for note in result.notes)


def test_every_beginning_of_a_webhook_is_read_without_an_invented_alert():
    text = json.dumps(webhook("web"))
    for end in range(len(text)):
        names = [row.subject.name for row in statements(text[:end] or " ") if row.channel == "alert"]
        assert names in ([], ["web"])
