"""Argo CD: whether the merge has arrived everywhere, told from what merely looks like it."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from remediator.domain.lifecycle import ARRIVED, Observation
from remediator.domain.sources import Access, AnswerError
from remediator.policy import load
from remediator.servers import ConfiguredServers
from remediator.services.argocd.client import ArgoApi
from remediator.services.argocd.sync_state import MergedRevision, judge
from remediator.services.argocd.verify import ArgoVerifier
from remediator.settings import Settings
from remediator.transport.http import Http
from tests.servers.http_server import Answer, Asked, serve
from tests.servers.kubernetes_api import cluster
from tests.servers.rollouts import COMMIT, rollout

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, LATER = "1" * 40, "4" * 40
REPO = "https://github.com/acme/gitops.git"
NOW = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
AT_ONCE = timedelta(0)
HISTORY = {OLD: {OLD}, COMMIT: {OLD, COMMIT}, LATER: {OLD, COMMIT, LATER}}


def contains(revision: str, commit: str) -> bool | None:
    return commit in HISTORY[revision] if revision in HISTORY else None


def application(revision: str = COMMIT, **changes: Any) -> dict[str, Any]:
    """An Application with its status as an API server gives it; `a__b=value` sets a path."""
    source = {"repoURL": REPO, "path": "apps/checkout", "targetRevision": "main"}
    app: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "checkout", "namespace": "argocd"},
        "spec": {"project": "default", "source": source, "syncPolicy": {"automated": {"prune": True}}},
        "status": {
            "sync": {"status": "Synced", "revision": revision},
            "health": {"status": "Healthy", "lastTransitionTime": "2026-11-22T12:43:00Z"},
            "operationState": {
                "phase": "Succeeded",
                "message": "successfully synced (all tasks run)",
                "startedAt": "2026-11-22T12:42:00Z",
                "operation": {"initiatedBy": {"automated": True}},
                "syncResult": {"revision": revision},
            },
        },
    }
    for path, value in changes.items():
        *steps, last = path.split("__")
        place = app
        for step in steps:
            place = place.setdefault(step, {})
        place[last] = value
    return app


def observe(*apps: dict[str, Any], **more: Any):
    known = {app["metadata"]["name"]: app for app in apps}
    verifier = ArgoVerifier("argocd", known.get, lambda: NOW, contains, lambda url: url == REPO, AT_ONCE)
    return verifier.observe(rollout(**more), ())


def test_healthy_once_is_not_healthy_yet() -> None:
    """Argo CD calls an Application Healthy a moment before its new pods die."""
    apps: dict[str, Any] = {"checkout": application()}

    def look(minutes: float, *earlier: Observation) -> Observation:
        clock = NOW + timedelta(minutes=minutes)
        made = ArgoVerifier("argocd", apps.get, lambda: clock, contains, lambda url: url == REPO, timedelta(minutes=5))
        return made.observe(rollout(), earlier)

    first = look(0)
    assert (first.status, ARRIVED in first.facts) == ("pending", True)
    assert first.summary == "`checkout` synced to `9e8d7c6`, Healthy; to be confirmed at 12:55:00 UTC"
    assert look(4, first).status == "pending"
    assert look(5, first, look(4, first)).status == "success"
    apps["checkout"] = application(status__health__status="Progressing")
    between = look(3, first)
    apps["checkout"] = application()
    assert look(6, first, between).status == "pending", "what was not well in between begins anew"
    other = first.model_copy(update={"verifier": "argocd:prod-us"})
    assert look(6, other).status == "pending", "another target's looks are not this one's"


MULTI = {
    "spec__sources": [{"repoURL": "https://charts.example.com", "chart": "x"}, {"repoURL": REPO, "path": "a"}],
    "spec__source": None,
}
NO_MANIFEST = "ComparisonError"


@pytest.mark.parametrize(
    ("app", "status", "said"),
    [
        (application(), "success", "`checkout` synced to `9e8d7c6`, Healthy"),
        (application(LATER), "success", "Healthy"),
        (application(LATER, status__operationState__syncResult__revision=OLD), "success", "Healthy"),
        (application(OLD), "pending", "has not seen `9e8d7c6` yet for `checkout`: it is at `1111111`"),
        (application("7" * 40), "pending", "which is not known here: fetch the repository"),
        (application(status__sync={}), "pending", "it has compared nothing yet"),
        (
            application(status__sync__status="OutOfSync", spec__syncPolicy={}),
            "pending",
            "waits for a manual sync of `9e8d7c6` (automated sync is off)",
        ),
        (
            application(status__sync__status="OutOfSync", spec__syncPolicy__automated={"enabled": False}),
            "pending",
            "waits for a manual sync",
        ),
        (
            application(status__sync__status="OutOfSync", status__operationState={}),
            "pending",
            "is OutOfSync: automated sync has not begun; within a sync window it waits for a manual sync of `9e8d7c6`",
        ),
        (
            application(
                status__operationState__phase="Running",
                status__operationState__message="Sync operation blocked by sync window",
                status__sync__status="OutOfSync",
            ),
            "pending",
            "waits for a manual sync of `9e8d7c6`: Sync operation blocked by sync window",
        ),
        (application(status__operationState__phase="Terminating"), "pending", "is being synced"),
        (
            application(
                status__sync__status="OutOfSync",
                status__operationState={
                    "phase": "Error",
                    "message": "ComparisonError: rpc error",
                    "startedAt": "2026-11-22T12:42:00Z",
                    "operation": {"sync": {"revision": COMMIT}},
                    "syncResult": {"revision": ""},
                },
            ),
            "failed",
            "the sync of `9e8d7c6` failed: ComparisonError: rpc error",
        ),
        (
            application(status__operationState__phase="Running", status__operationState__retryCount=2),
            "pending",
            "is being synced, retry 2",
        ),
        (
            application(
                status__operationState__phase="Failed",
                status__sync__status="OutOfSync",
                status__operationState__message="one or more objects failed to apply: quota exceeded",
            ),
            "failed",
            "the sync of `9e8d7c6` failed: one or more objects failed to apply: quota exceeded",
        ),
        (
            application(OLD, status__operationState__phase="Failed"),
            "pending",
            "has not seen",
        ),
        (application(status__health__status="Progressing"), "pending", "synced to `9e8d7c6` but Progressing"),
        (
            application(
                status__health__status="Degraded",
                status__resources=[
                    {"kind": "Deployment", "name": "checkout", "health": {"status": "Degraded", "message": "timed out"}}
                ],
            ),
            "failed",
            "but Degraded: Deployment `checkout` timed out",
        ),
        (
            application(status__health={"status": "Degraded", "lastTransitionTime": "2026-11-22T09:00:00Z"}),
            "pending",
            "but Degraded",
        ),
        (application(status__health={}), "pending", "but Unknown"),
        (
            application(
                status__sync={"status": "Unknown", "revision": OLD},
                status__conditions=[
                    {
                        "type": NO_MANIFEST,
                        "message": "Failed to load target state: failed to generate manifest: yaml: line 3",
                        "lastTransitionTime": "2026-11-22T12:44:00Z",
                    }
                ],
            ),
            "failed",
            "ComparisonError: Failed to load target state: failed to generate manifest: yaml: line 3",
        ),
        (
            application(
                status__sync={"status": "Unknown", "revision": OLD},
                status__conditions=[
                    {
                        "type": NO_MANIFEST,
                        "message": "failed to generate manifest: rpc error: code = Unavailable: dial tcp",
                        "lastTransitionTime": "2026-11-22T12:44:00Z",
                    }
                ],
            ),
            "pending",
            "dial tcp",
        ),
        (
            application(
                status__conditions=[{"type": NO_MANIFEST, "message": "x", "lastTransitionTime": "2026-11-21T00:00:00Z"}]
            ),
            "success",
            "Healthy",
        ),
        (
            application(
                status__sync={"status": "Unknown", "revision": OLD},
                status__conditions=[
                    {
                        "type": NO_MANIFEST,
                        "message": "repository not permitted in project",
                        "lastTransitionTime": "2026-11-22T12:00:00Z",
                    }
                ],
            ),
            "pending",
            "`checkout` ComparisonError: repository not permitted in project (since before the merge)",
        ),
        (
            application(
                status__sync__status="Unknown",
                status__conditions=[
                    {
                        "type": "InvalidSpecError",
                        "message": "application destination is not permitted in project",
                        "lastTransitionTime": "2026-11-22T12:44:00Z",
                    }
                ],
            ),
            "failed",
            "InvalidSpecError: application destination is not permitted",
        ),
        (application(metadata__deletionTimestamp="2026-11-22T12:45:00Z"), "pending", "is being deleted"),
        (
            application(
                OLD,
                status__operationState__operation={"initiatedBy": {"username": "ann"}},
                status__sync={"status": "OutOfSync", "revision": COMMIT},
                spec__syncPolicy={},
            ),
            "pending",
            "was synced to the older `1111111` by ann after the merge",
        ),
        (
            application(**MULTI, status__sync={"status": "Synced", "revisions": ["1.2.3", COMMIT]}),
            "success",
            "Healthy",
        ),
        (
            application(**MULTI, status__sync={"status": "Synced", "revisions": [COMMIT, OLD]}),
            "pending",
            "it is at `1111111`",
        ),
        (application(spec__source={"repoURL": "https://other.example.com"}), "pending", "no source in this repository"),
    ],
)
def test_what_a_status_means(app, status, said) -> None:
    seen = observe(app)
    assert seen.status == status
    assert said in seen.summary


def test_a_missing_application_has_its_own_outcome() -> None:
    seen = observe()
    assert (seen.status, seen.summary) == ("pending", "`checkout` does not exist in Argo CD (deleted?)")


def test_all_affected_applications_must_agree() -> None:
    other = application(OLD, metadata__name="cart")
    seen = observe(application(), other, applications=("checkout", "cart"))
    assert (seen.status, "`cart`" in seen.summary, "`checkout`" in seen.summary) == ("pending", True, False)
    assert observe(application(), applications=()).facts == {"neutral": "no Application is named"}


TRACKED = {"argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/checkout"}


@pytest.mark.parametrize(
    ("parent", "status", "said"),
    [
        (application(metadata__name="root"), "success", "Healthy"),
        (application(OLD, metadata__name="root"), "pending", "its parent `root` has not seen `9e8d7c6` yet"),
        (
            application(
                metadata__name="root",
                status__resources=[{"kind": "Application", "name": "checkout", "status": "OutOfSync"}],
            ),
            "pending",
            "its parent `root` has not applied `checkout` yet",
        ),
        (application(OLD, metadata__name="root", spec__source={"repoURL": "elsewhere"}), "success", "Healthy"),
    ],
)
def test_the_parent_comes_before_the_child(parent, status, said) -> None:
    seen = observe(application(metadata__annotations=TRACKED), parent)
    assert seen.status == status
    assert said in seen.summary


def api(url: str, **more: Any) -> ArgoApi:
    web = Http("Argo CD", Access(url=url, token=SecretStr("s3cret")), timeout=(2, 1), sleep=lambda _s: None)
    return ArgoApi(web, **more)


def test_the_rest_api_is_asked_once_a_look_with_a_refresh() -> None:
    with serve(Answer(application())) as server:
        found = api(server.url, namespace="argocd", project="default")
        assert found.application("checkout") == found.application("checkout") == application()
        (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/applications/checkout")
    assert asked.parameters == [("appNamespace", "argocd"), ("project", "default"), ("refresh", "normal")]
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert found.link("checkout").endswith("/applications/argocd/checkout")


def test_a_refresh_that_hangs_is_given_up_and_the_status_read_as_it_stands(monkeypatch) -> None:
    monkeypatch.setattr("remediator.services.argocd.client.REFRESH_PATIENCE", 0.5)

    def script(asked: Asked) -> Answer:
        return Answer(application(), wait=9 if asked.get("refresh") else 0)

    with serve(script) as server:
        assert api(server.url).application("checkout") == application()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"error": "not found", "message": "not found", "code": 5}, 404), "does not exist in Argo CD"),
        (
            Answer({"error": "permission denied", "message": "permission denied", "code": 7}, 403),
            "without `project` a missing Application answers the same",
        ),
        (
            Answer({"error": "invalid session: token is expired", "code": 16, "message": "token is expired"}, 401),
            "answers 401 (the credentials are missing, wrong or expired): token is expired",
        ),
        (Answer({"message": "boom", "code": 2}, 500), "answers 500: boom"),
        (Answer("<html>", 200, "text/html"), "what is no JSON: '<html>'"),
        (Answer({"items": []}), "answers with no Application"),
    ],
)
def test_each_error_is_a_pending_outcome_in_its_own_words(answer, said) -> None:
    with serve(answer) as server:
        fetch = api(server.url).application
        seen = ArgoVerifier("argocd", fetch, lambda: NOW, contains, lambda url: url == REPO, AT_ONCE).observe(
            rollout(), ()
        )
    assert seen.status == "pending"
    assert said in seen.summary
    assert "s3cret" not in seen.summary


def test_custom_resources_serve_where_only_the_cluster_is_reachable() -> None:
    with cluster() as found:
        found.put("argoproj.io/v1alpha1/applications", "checkout", deepcopy(application()), "argocd")
        look = found.look()
        verifier = ArgoVerifier(
            "argocd",
            lambda name: look.application("argocd", name),
            lambda: NOW,
            contains,
            lambda url: url == REPO,
            AT_ONCE,
        )
        assert verifier.observe(rollout(), ()).status == "success"
        gone = verifier.observe(rollout(applications=("nope",)), ())
    assert "does not exist" in gone.summary


def test_a_cluster_without_argo_cd_says_so() -> None:
    with serve(Answer("404 page not found\n", 404, "text/plain; charset=utf-8")) as server:
        from remediator.services.kubernetes.client import Cluster

        look = Cluster("kubernetes", Access(url=server.url))
        verifier = ArgoVerifier(
            "argocd", lambda name: look.application("argocd", name), lambda: NOW, contains, lambda _url: True, AT_ONCE
        )
        seen = verifier.observe(rollout(), ())
    assert (seen.status, "serves no Argo CD Applications" in seen.summary) == ("pending", True)


WAITING = application(status__sync={"status": "OutOfSync", "revision": COMMIT}, spec__syncPolicy={})


def syncing(answer: Answer) -> tuple[list[Asked], Callable[[Asked], Answer]]:
    """A verifier whose policy asks for syncs, before an Application that waits for one."""
    asked: list[Asked] = []

    def script(one: Asked) -> Answer:
        asked.append(one)
        return answer if one.method == "POST" else Answer(WAITING)

    return asked, script


def test_an_application_that_waits_is_synced_once_where_the_policy_says_so() -> None:
    asked, script = syncing(Answer({"metadata": {"name": "checkout"}}))
    with serve(script) as server:
        made = api(server.url, namespace="argocd", project="shop")
        known = {"contains": contains, "ours": lambda url: url == REPO, "settle": AT_ONCE}
        verifier = ArgoVerifier("argocd", made.application, lambda: NOW, **known, sync=made.sync)
        first = verifier.observe(rollout(), ())
        second = verifier.observe(rollout(), (first,))
        third = verifier.observe(rollout(), (first, second))
        verifier.observe(rollout(), ())  # another incident of the same merge
    (post,) = [one for one in asked if one.method == "POST"]
    assert post.path == "/api/v1/applications/checkout/sync"
    assert post.headers["content-type"] == "application/json"
    wanted = {"name": "checkout", "appNamespace": "argocd", "project": "shop", "prune": False, "dryRun": False}
    wanted["revision"] = COMMIT  # what was compared, whatever the branch is at by now
    assert json.loads(post.body) == wanted
    assert "is being synced to `9e8d7c6` on the policy's behalf" in first.summary
    assert {one.status for one in (first, second, third)} == {"pending"}
    assert "is not Synced yet" in third.summary


@pytest.mark.parametrize("answer", [Answer({"message": "blocked by sync window"}, 403), Answer({}, 503)])
def test_a_sync_that_is_refused_is_said_and_asked_for_once_a_look(answer: Answer) -> None:
    asked, script = syncing(answer)
    with serve(script) as server:
        made = api(server.url)
        known = {"contains": contains, "ours": lambda url: url == REPO, "settle": AT_ONCE}
        seen = ArgoVerifier("argocd", made.application, lambda: NOW, **known, sync=made.sync).observe(rollout(), ())
    assert sum(one.method == "POST" for one in asked) == 1
    assert (seen.status, "synced" in seen.facts) == ("pending", False)
    assert "waits for a manual sync" in seen.summary
    assert str(answer.status) in seen.summary


def test_no_order_follows_a_redirect() -> None:
    _, script = syncing(Answer("", 307, headers={"Location": "/elsewhere"}))
    with serve(script) as server:
        with pytest.raises(AnswerError, match="redirects what was to be ordered"):
            api(server.url).sync("checkout", {"revision": "abc"})
        assert len(server.asked) == 1


@pytest.mark.parametrize(("policy", "synced"), [("{}", False), ("verification: {sync: true}", True)])
def test_nothing_is_synced_unless_the_policy_says_so(tmp_path, policy: str, synced: bool) -> None:
    asked, script = syncing(Answer({"metadata": {}}))
    file = tmp_path / "remediator.yml"
    file.write_text(policy)
    with serve(script) as server:
        settings = Settings.from_environ({"REMEDIATOR_ARGOCD_URL": server.url})
        found = ConfiguredServers(settings, load(file), lambda: NOW, contains, lambda url: url == REPO)
        (verifier,) = found.verifiers(timedelta(0))
        verifier.observe(rollout(), ())
    assert any(one.method == "POST" for one in asked) is synced


def test_a_parent_is_read_once_a_look_however_many_children_ask(tmp_path) -> None:
    """Through custom resources, as through the REST API."""

    def script(asked: Asked) -> Answer:
        name = asked.path.rsplit("/", 1)[-1]
        tracked = {"argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/x"} if name != "root" else {}
        return Answer(application(metadata__name=name, metadata__annotations=tracked))

    with serve(script) as server:
        settings = Settings.from_environ({"REMEDIATOR_KUBERNETES_URL": server.url})
        found = ConfiguredServers(settings, load(), lambda: NOW, contains, lambda url: url == REPO)
        verifier = next(one for one in found.verifiers(timedelta(0)) if one.name == "argocd")
        for name in ("a", "b", "a"):
            assert verifier.observe(rollout(applications=(name,)), ()).status == "success"
        names = [asked.path.rsplit("/", 1)[-1] for asked in server.asked]
        assert sorted(names) == ["a", "b", "root"]
        verifier.forget()
        verifier.observe(rollout(applications=("a",)), ())
    assert len(server.asked) == 5


@pytest.mark.parametrize("odd", [5, "x", {"a": 1}, ["x"], None])
def test_lists_that_are_none_cost_nothing(odd: object) -> None:
    app = application()
    app["status"] |= {"conditions": odd, "resources": odd}
    assert judge("checkout", app, MergedRevision(COMMIT, "", contains, lambda _: True)).status in {"success", "pending"}
