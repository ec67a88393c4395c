import json

from tests.unit.evidence.scanning import brief, statements

APP = """\
$ argocd app get shop
Name:               argocd/shop
Project:            default
Server:             https://kubernetes.default.svc
Namespace:          shop-prod
URL:                https://argocd.example.com/applications/shop
Sources:
- Repo:             https://github.com/acme/gitops.git
  Target:           main
  Path:             apps/shop
  Helm Values:      values.yaml,values-prod.yaml
- Repo:             https://charts.example.com
  Target:           1.2.3
  Chart:            web
SyncWindow:         Sync Allowed
Sync Policy:        Automated (Prune)
Sync Status:        OutOfSync from main (4f1c2ab)
Health Status:      Degraded

CONDITION  MESSAGE                                                             LAST TRANSITION
SyncError  Failed last sync attempt to [4f1c2ab]: namespaces "shop" not found  2025-03-11 08:29:41 +0000 UTC

Operation:          Sync
Sync Revision:      4f1c2ab6c0de93b7a1f05f6f2b1f4bd7e6a9f311
Phase:              Failed
Start:              2025-03-11 08:29:38 +0000 UTC
Finished:           2025-03-11 08:29:41 +0000 UTC
Duration:           3s
Message:            one or more objects failed to apply

GROUP  KIND        NAMESPACE  NAME  STATUS     HEALTH    HOOK  MESSAGE
       Service     shop-prod  web   Synced     Healthy         service/web unchanged
apps   Deployment  shop-prod  web   OutOfSync  Degraded        Deployment.apps "web" is invalid: spec.selector: Invalid value: x: field is immutable

$ kubectl get pods -n shop-prod
NAME                   READY   STATUS             RESTARTS   AGE
web-6b7f8c9d5f-zx4lp   0/1     CrashLoopBackOff   3          5m
"""


def test_every_part_of_app_get_is_about_the_application():
    found = statements(APP)
    assert [brief(s)[1:5] for s in found] == [
        ("sync", "OutOfSync", "Application", "shop"),
        ("sync", "Degraded", "Application", "shop"),
        ("sync", "SyncError", "Application", "shop"),
        ("sync", "Failed", "Application", "shop"),
        ("sync", "Healthy", "Service", "web"),
        ("sync", "OutOfSync", "Deployment", "web"),
        ("status", "CrashLoopBackOff", "Deployment", "web"),
    ]
    assert {s.subject.application for s in found} == {"shop"}


def test_its_facts_tell_source_destination_and_times():
    _, _, condition, operation, _, resource, _ = statements(APP)
    expected = {
        "repo": "https://github.com/acme/gitops.git, https://charts.example.com",
        "path": "apps/shop",
        "chart": "web",
        "target_revision": "main, 1.2.3",
        "destination_namespace": "shop-prod",
        "app_namespace": "argocd",
    }
    assert {key: condition.facts[key] for key in expected} == expected
    assert (condition.last_seen, condition.facts["missing_kind"], condition.facts["missing"]) == (
        "2025-03-11T08:29:41Z",
        "Namespace",
        "shop",
    )
    assert not condition.text.endswith("UTC")
    assert (operation.first_seen, operation.facts["sync_revision"][:7], operation.text) == (
        "2025-03-11T08:29:38Z",
        "4f1c2ab",
        "one or more objects failed to apply",
    )
    assert (resource.facts["field"], resource.facts["resource_health"], resource.facts["group"]) == (
        "spec.selector",
        "Degraded",
        "apps",
    )


def test_a_list_of_applications():
    text = """\
NAME           CLUSTER                         NAMESPACE  PROJECT  STATUS     HEALTH   SYNCPOLICY  CONDITIONS  REPO             PATH  TARGET
argocd/shop    https://kubernetes.default.svc  shop       default  OutOfSync  Missing  Auto        SyncError   https://x/y.git  a/b   main
"""
    (found,) = statements(text)
    assert (found.subject.application, found.reason, found.facts["conditions"], found.facts["path"]) == (
        "shop",
        "OutOfSync",
        "SyncError",
        "a/b",
    )


def test_an_application_as_json():
    app = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"project": "default", "source": {"repoURL": "r", "path": "p", "targetRevision": "main"}, "destination": {"namespace": "shop-prod"}},
        "status": {
            "sync": {"status": "Unknown"}, "health": {"status": "Healthy"},
            "conditions": [{"type": "ComparisonError", "message": "p: app path does not exist", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "operationState": {"phase": "Failed", "message": "bad", "syncResult": {"revision": "abc", "resources": [{"kind": "Service", "name": "web", "namespace": "shop-prod", "status": "SyncFailed", "message": "no"}]}},
            "resources": [{"kind": "Deployment", "name": "web", "namespace": "shop-prod", "status": "OutOfSync", "health": {"status": "Missing"}}],
        },
    }  # fmt: skip
    found = statements(json.dumps(app))
    assert [(s.reason, s.subject.kind) for s in found] == [
        ("Unknown", "Application"), ("Healthy", "Application"), ("ComparisonError", "Application"), ("Failed", "Application"), ("SyncFailed", "Service"), ("OutOfSync", "Deployment"),
    ]  # fmt: skip
    assert {(s.channel, s.subject.application, s.facts["destination_namespace"]) for s in found} == {
        ("sync", "shop", "shop-prod")
    }


def test_an_application_set_tells_only_conditions_that_mean_trouble():
    conditions = [
        {
            "type": "ErrorOccurred",
            "status": "True",
            "reason": "ApplicationParamsGenerationError",
            "message": "bad generator",
        },
        {"type": "ParametersGenerated", "status": "False", "reason": "ErrorOccurred", "message": "bad generator"},
        {"type": "ResourcesUpToDate", "status": "True", "reason": "ApplicationSetUpToDate", "message": "fine"},
    ]
    app_set = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "all"},
        "status": {"conditions": conditions},
    }
    assert [s.reason for s in statements(json.dumps(app_set))] == ["ErrorOccurred", "ParametersGenerated"]


def test_the_status_of_an_application_without_the_rest_is_about_the_application_of_the_command():
    text = """\
# kubectl -n argocd get app jobs-prod -o yaml
status:
  health:
    status: Healthy
  operationState:
    message: 'one or more synchronization tasks completed unsuccessfully, reason:
      CronJob.batch "settle" is invalid: spec.suspend: Invalid value'
    phase: Failed
    syncResult:
      resources:
      - group: batch
        kind: CronJob
        message: 'CronJob.batch "settle" is invalid: spec.suspend: Invalid value'
        name: settle
        namespace: ledger
        status: SyncFailed
  sync:
    status: OutOfSync
"""
    told = {s.reason: s for s in statements(text)}
    assert told["Failed"].text.endswith('CronJob.batch "settle" is invalid: spec.suspend: Invalid value')
    assert told["Failed"].subject.application == "jobs-prod"
    failed = told["SyncFailed"].subject
    assert (failed.kind, failed.name, failed.namespace) == ("CronJob", "settle", "ledger")


def test_a_condition_that_grep_left_is_about_the_application_of_the_command():
    text = """\
~ argocd app get web --hard-refresh 2>/dev/null | grep -A3 ^ComparisonError
ComparisonError  Failed to load target state: `helm template .` failed exit status 1: Error: web/x.yaml:1:14
    nil pointer evaluating interface {}.enabled

Use --debug flag to render out invalid YAML  2026-03-01 09:24:02 +0000 UTC

it has to be out before six
"""
    (condition,) = [s for s in statements(text) if s.facts.get("condition")]
    assert (condition.subject.application, condition.reason) == ("web", "ComparisonError")
    assert "nil pointer evaluating" in condition.text
    assert condition.last_seen == "2026-03-01T09:24:02Z"
