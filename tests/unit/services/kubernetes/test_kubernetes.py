"""A cluster: what is collected of a workload, and when its pods count as recovered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from remediator.domain.sources import Access, AnswerError, Question, Workload
from remediator.errors import ConfigError
from remediator.evidence import Scanner
from remediator.intake.collector import inputs_of
from remediator.services.kubernetes import client as kube
from remediator.services.kubernetes import objects, source
from remediator.services.kubernetes.client import Cluster
from remediator.services.kubernetes.source import ClusterSource
from remediator.services.kubernetes.verify import PodVerifier
from tests.servers.http_server import Answer, Asked, certificate, dripping, serve
from tests.servers.kubernetes_api import Api, cluster, deployment, event, pod, running, waiting
from tests.servers.rollouts import rollout

NAME = "checkout-6d5f4c8b7-abcde"
START = datetime(2026, 11, 22, 12, 46, tzinfo=UTC)
CHECKOUT = Workload(namespace="shop", kind="Deployment", name="checkout")


@pytest.fixture
def api():
    with cluster() as found:
        yield found


def look(api: Api, earlier=(), *, minutes: float = 0, rollouts: bool = True, **more):
    clock = START + timedelta(minutes=minutes)
    verifier = PodVerifier("pods", api.look(), lambda: clock, timedelta(minutes=5), rollouts)
    return verifier.observe(rollout(**more), earlier)


def ask(*workloads: Workload) -> Question:
    return Question(since=START - timedelta(hours=1), until=START, workloads=workloads)


# verifying


def test_health_is_two_equal_looks_the_settle_time_apart(api: Api) -> None:
    api.put("v1/pods", NAME, pod())
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    first = look(api)
    assert (first.status, first.summary) == (
        "pending",
        "1 pod ready, 0 restarts; to be seen unchanged at 12:51:00 UTC",
    )
    assert look(api, [first], minutes=4).status == "pending"
    done = look(api, [first, look(api, [first], minutes=2)], minutes=6)
    assert (done.status, done.summary) == ("success", "1 pod ready, 0 restarts, unchanged since 2026-11-22T12:46:00Z")


@pytest.mark.parametrize("what", ["restart", "flap"])
def test_a_restart_or_a_flap_between_two_looks_starts_the_wait_anew(api: Api, what: str) -> None:
    api.put("v1/pods", NAME, pod(), uid="u1")
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    first = look(api)
    changed = pod(running(1, reason="Error", exitCode=1)) if what == "restart" else pod()
    if what == "flap":
        changed["status"]["conditions"][0]["lastTransitionTime"] = "2026-11-22T12:49:00Z"
    api.put("v1/pods", NAME, changed, uid="u1")
    second = look(api, [first], minutes=6)
    assert (second.status, second.facts["since"]) == ("pending", "2026-11-22T12:52:00Z")


def test_a_cluster_out_of_reach_between_two_looks_is_no_change(api: Api) -> None:
    api.put("v1/pods", NAME, pod())
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    first = look(api)
    gone = PodVerifier("pods", Cluster("kubernetes", Access(url="http://127.0.0.1:9")), lambda: START, timedelta(0))
    lost = gone.observe(rollout(), [first])
    assert (lost.status, "cannot be reached" in lost.summary) == ("pending", True)
    assert look(api, [first, lost], minutes=6).status == "success"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (waiting("CrashLoopBackOff", "back-off 40s", 4), "CrashLoopBackOff: back-off 40s; last ended OOMKilled (137)"),
        (waiting("ImagePullBackOff", 'Back-off pulling image "x:typo"'), "ImagePullBackOff: Back-off pulling"),
        (waiting("CreateContainerConfigError", 'configmap "c" not found'), 'configmap "c" not found'),
        (running(3), f"`{NAME}`, container `app` was restarted; last ended OOMKilled (137)"),
    ],
)
def test_new_pods_in_the_same_trouble_have_failed(api: Api, status, said) -> None:
    api.put("v1/pods", NAME, pod(status, ready="running" in status["state"]))
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    seen = look(api)
    assert seen.status == "failed"
    assert said in seen.summary


@pytest.mark.parametrize(
    "made",
    [
        pod(waiting("CrashLoopBackOff", restarts=9), created="2026-11-22T09:00:00Z", ready=False),
        pod(waiting("ErrImagePull"), ready=False),
        pod(waiting("ContainerCreating"), ready=False),
        pod(running(1, reason="Error", exitCode=1, finishedAt="2026-11-22T12:44:30Z")),
        pod(ready=False),
    ],
)
def test_what_may_still_mend_itself_is_waited_for_but_not_for_ever(api: Api, made) -> None:
    api.put("v1/pods", NAME, made)
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    first = look(api)
    assert first.status == "pending"
    if "running" not in made["status"]["containerStatuses"][0]["state"] or first.summary.endswith("[app]"):
        assert look(api, [first], minutes=11).status == "failed"


def test_deaths_before_the_merge_count_for_nothing(api: Api) -> None:
    made = pod(running(14, finishedAt="2026-11-22T12:39:00Z"), created="2026-11-22T09:00:00Z")
    api.put("v1/pods", NAME, made)
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    assert look(api, [look(api)], minutes=6).status == "success"


def test_a_pod_that_died_before_the_merge_is_no_proof_of_a_change_that_makes_pods_anew(api: Api) -> None:
    died = running(14, finishedAt="2026-11-22T12:39:00Z")
    api.put("v1/pods", NAME, pod(died, created="2026-11-22T09:00:00Z"))
    remade = ("Deployment/checkout",)
    first = look(api, rollouts=False, remade=remade)
    last = look(api, [first], minutes=30, rollouts=False, remade=remade)
    said = f"`{NAME}` is older than the merge and died before it (OOMKilled): not rolled out yet"
    assert [(one.status, one.summary) for one in (first, last)] == [("pending", said)] * 2
    api.drop("v1/pods", NAME)
    api.put("v1/pods", "checkout-5f5f5f5f5-fghij", pod(template="5f5f5f5f5"))
    fresh = look(api, [last], minutes=31, rollouts=False, remade=remade)
    assert look(api, [fresh], minutes=37, rollouts=False, remade=remade).status == "success"


def test_a_pod_that_still_crashes_as_before_a_change_that_makes_pods_anew_is_no_failure_of_it(api: Api) -> None:
    looping = waiting("CrashLoopBackOff", "back-off 5m0s", 14, finishedAt="2026-11-22T12:50:00Z")
    api.put("v1/pods", NAME, pod(looping, created="2026-11-22T09:00:00Z", ready=False))
    about = {"rollouts": False, "remade": ("Deployment/checkout",)}
    last = look(api, [look(api, **about)], minutes=30, **about)
    assert (last.status, "CrashLoopBackOff" in last.summary) == ("pending", True), last.summary
    assert look(api, [look(api)], minutes=30).status == "failed"


def test_pods_that_a_person_had_patched_before_the_merge_are_as_the_change_wants_them(api: Api) -> None:
    api.put("v1/pods", NAME, pod(created="2026-11-22T12:30:00Z"))
    about = {"rollouts": False, "remade": ("Deployment/checkout",)}
    assert look(api, [look(api, **about)], minutes=6, **about).status == "success"


def test_a_new_pod_that_died_before_the_change_was_first_seen_to_be_there_counts(api: Api) -> None:
    api.put("v1/pods", NAME, pod(running(2, finishedAt="2026-11-22T12:42:00Z")))
    seen = look(api, rollouts=False, arrived_at="2026-11-22T12:45:00Z", remade=("Deployment/checkout",))
    assert (seen.status, "container `app` was restarted; last ended OOMKilled" in seen.summary) == ("failed", True)


@pytest.mark.parametrize(("at", "status"), [("2026-11-22T12:00:00Z", "pending"), ("2026-11-22T12:51:00Z", "failed")])
def test_a_rollout_whose_time_ran_out_before_the_merge_is_not_the_changes(api: Api, at: str, status: str) -> None:
    late = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "timed out", "lastUpdateTime": at}
    api.put("apps/v1/deployments", "checkout", deployment(0, 1, 1, late))
    seen = look(api)
    assert (seen.status, "was not rolled out: timed out" in seen.summary) == (status, True), seen.summary


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        (deployment(0, 1, 3), "pending", "1 of 3 updated, 0 ready"),
        (deployment(0, 0, 0), "pending", "scaled to 0"),
        (deployment(3, 3, 3, paused=True), "pending", "is paused"),
        (deployment() | {"metadata": {"generation": 3}}, "pending", "has not seen the change"),
        (
            deployment(0, 3, 3, {"reason": "ProgressDeadlineExceeded", "message": "ReplicaSet has timed out"}),
            "failed",
            "was not rolled out: ReplicaSet has timed out",
        ),
        (
            deployment(0, 0, 3, {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: compute"}),
            "pending",
            "cannot make pods: exceeded quota: compute",
        ),
    ],
)
def test_the_rollout_is_the_workloads_own_word(api: Api, made, status, said) -> None:
    api.put("v1/pods", NAME, pod())
    api.put("apps/v1/deployments", "checkout", made)
    seen = look(api)
    assert seen.status == status
    assert said in seen.summary


def test_no_pods_are_no_health(api: Api) -> None:
    assert "Deployment `checkout` in `shop` does not exist" in look(api).summary
    nowhere = look(api, subject={"namespace": "nowhere"})
    assert (nowhere.status, nowhere.summary) == ("pending", "namespace `nowhere` does not exist")
    bare = look(api, subject={"kind": "Rollout"})
    assert (bare.status, bare.summary) == (
        "pending",
        "Rollout `checkout` in `shop`: there are none, and no pods are no health",
    )


@pytest.mark.parametrize("odd", [5, "Ready", ["Ready", 5], {"type": "Ready"}])
def test_conditions_that_are_none_are_not_there(odd: object) -> None:
    made = deployment(1, 1, 1)
    made["metadata"]["name"] = "checkout"
    made["status"]["conditions"] = odd
    sick = pod(ready=False)
    sick["metadata"] |= {"name": NAME, "namespace": "shop", "ownerReferences": 5, "managedFields": []}
    sick["status"] |= {"conditions": odd, "containerStatuses": odd}

    def script(asked: Asked) -> Answer:
        if asked.path.endswith(("/pods", "/events")):
            return Answer(
                {"kind": "List", "metadata": {}, "items": [sick] if "pods" in asked.path else [{"metadata": 5}]}
            )
        return Answer(made)

    with serve(script) as server:
        known = Cluster("kubernetes", Access(url=server.url))
        seen = PodVerifier("pods", known, lambda: START, timedelta(minutes=5)).observe(rollout(), ())
        assert seen.status == "pending"
        assert known.application("argocd", "checkout")["status"]["conditions"] == []
        assert ClusterSource("kubernetes", known).read(ask(CHECKOUT)).items == 1


def test_pods_of_the_old_template_and_of_others_are_left_aside(api: Api) -> None:
    old = pod(waiting("CrashLoopBackOff", restarts=9), created="2026-11-22T09:00:00Z", template="old", ready=False)
    api.put("v1/pods", "checkout-5d5f4c8b7-aaaaa", old | {"metadata": {**old["metadata"]}})
    api.put("v1/pods", "other-5d5f4c8b7-aaaaa", pod(waiting("CrashLoopBackOff"), owner="other-5d5f4c8b7", ready=False))
    api.put("v1/pods", NAME, pod())
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    assert look(api).summary.startswith("1 pod ready")


def test_a_warning_since_they_stand_as_they_do_keeps_it_pending(api: Api) -> None:
    api.put("v1/pods", NAME, pod())
    api.put("apps/v1/deployments", "checkout", deployment(1, 1, 1))
    first = look(api)
    api.put("v1/events", "e0", event(NAME, "Unhealthy", "old", "2026-11-22T12:30:00Z"))
    api.put("v1/events", "e1", event(NAME, "Unhealthy", "Readiness probe failed: 503", "2026-11-22T12:50:00Z"))
    seen = look(api, [first], minutes=6)
    assert (seen.status, "Readiness probe failed: 503" in seen.summary) == ("pending", True)


@pytest.mark.parametrize(
    "kind",
    ["PersistentVolumeClaim", "HorizontalPodAutoscaler", "ResourceQuota", "PodDisruptionBudget", "NetworkPolicy"],
)
def test_what_owns_no_pods_is_not_for_pods_to_judge(api: Api, kind: str) -> None:
    seen = look(api, subject={"kind": kind, "name": "data-0"})
    assert (seen.status, seen.facts) == ("success", {"neutral": "nothing that runs pods is named"})
    nowhere = look(api, subject={"kind": kind, "name": "data-0", "namespace": "nowhere"})
    assert (nowhere.status, nowhere.summary) == ("pending", "namespace `nowhere` does not exist")


def run_of(job: str, phase: str, created: str) -> dict:
    """A pod of a Job, which stays as it ended."""
    code = {"Failed": 137, "Succeeded": 0}.get(phase)
    ended = {"terminated": {"exitCode": code, "reason": "OOMKilled" if code else "Completed", "finishedAt": created}}
    made = pod(running() | ({} if code is None else {"state": ended}), created=created, ready=code is None, phase=phase)
    made["metadata"]["ownerReferences"] = [{"kind": "Job", "name": job, "controller": True}]
    del made["metadata"]["labels"]["pod-template-hash"]
    return made


def test_what_a_job_left_behind_before_the_merge_neither_fails_it_nor_is_its_health(api: Api) -> None:
    about = {"subject": {"kind": "CronJob", "name": "report"}}
    api.put("v1/pods", "report-28912345-aaaaa", run_of("report-28912345", "Failed", "2026-11-22T12:00:00Z"))
    api.put("v1/pods", "report-28912344-aaaaa", run_of("report-28912344", "Succeeded", "2026-11-22T11:00:00Z"))
    first = look(api, **about)
    later = look(api, [first], minutes=30, **about)
    waits = ("pending", "CronJob `report` in `shop` has not run since the merge")
    assert [(one.status, one.summary) for one in (first, later)] == [waits, waits]
    api.put("v1/pods", "report-28912346-aaaaa", run_of("report-28912346", "Failed", "2026-11-22T12:50:00Z"))
    assert "OOMKilled" in look(api, minutes=31, **about).summary
    api.put("v1/pods", "report-28912346-bbbbb", run_of("report-28912346", "Succeeded", "2026-11-22T12:51:00Z"))
    well = look(api, minutes=32, **about)
    assert well.summary.startswith("1 pod ready"), "a Job that succeeded at its second try has succeeded"
    assert look(api, [well], minutes=38, **about).status == "success"


def test_a_run_that_failed_after_the_merge_counts_until_a_newer_one_went_well(api: Api) -> None:
    about = {"subject": {"kind": "CronJob", "name": "report"}}
    api.put("v1/pods", "report-28912346-aaaaa", run_of("report-28912346", "Failed", "2026-11-22T12:42:00Z"))
    first = look(api, **about)
    assert first.status == "pending"
    assert look(api, [first], minutes=11, **about).status == "failed"
    api.put("v1/pods", "report-28912347-aaaaa", run_of("report-28912347", "Succeeded", "2026-11-22T12:57:00Z"))
    assert look(api, [first], minutes=12, **about).summary.startswith("1 pod ready")


def test_an_incident_without_a_workload_is_not_for_pods_to_judge(api: Api) -> None:
    seen = look(api, subject={"kind": "Application", "name": "checkout"})
    assert (seen.status, seen.facts) == ("success", {"neutral": "no workload is named"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer({"message": "Unauthorized"}, 401), "answers 401 (the token is missing, wrong or expired)"),
        (Answer({"message": 'User "x" cannot list resource "pods"'}, 403), "answers 403 (see deploy/kubernetes): User"),
        (Answer("hello", 200, "text/plain"), "no JSON: 'hello'"),
        (Answer({"items": 3}), "with no list"),
        (Answer({"items": []}, cut=5), "cannot be reached"),
    ],
)
def test_each_refusal_is_an_outcome_of_its_own(answer, said) -> None:
    with serve(answer) as server:
        found = Cluster("kubernetes", Access(url=server.url, token=SecretStr("s3cret")))
        seen = PodVerifier("pods", found, lambda: START, timedelta(0)).observe(rollout(), ())
    assert seen.status == "pending"
    assert said in seen.summary
    assert "s3cret" not in seen.summary


@pytest.mark.needs_tools("openssl")
def test_an_own_authority_is_trusted_and_a_stranger_not(tmp_path) -> None:
    pem = certificate(tmp_path)
    with serve(Answer({"metadata": {}, "items": []}), certificate=pem) as server:
        assert Cluster("k", Access(url=server.url, ca=(tmp_path / "cert.pem").read_text())).pods("shop") == []
        with pytest.raises(AnswerError, match=r"cannot be reached: .*certificate verify failed"):
            Cluster("k", Access(url=server.url)).pods("shop")


def test_long_lists_are_read_to_their_end() -> None:
    def script(asked):
        number = int(asked.get("continue") or 0)
        more = {"continue": str(number + 1)} if number < 3 else {}
        return Answer({"metadata": more, "items": [{"metadata": {"name": f"p{number}"}}]})

    with serve(script) as server:
        assert len(Cluster("k", Access(url=server.url)).pods("shop")) == 4


@pytest.mark.parametrize(
    "access", [Access(context="nowhere", kubeconfig="apiVersion: v1\nkind: Config\n"), Access(kubeconfig="/nowhere")]
)
def test_a_kubeconfig_that_leads_nowhere_is_the_users_to_mend(access) -> None:
    with pytest.raises(ConfigError):
        Cluster("k", access).pods("shop")


# collecting


def test_a_workloads_events_pods_and_last_words_are_understood(api: Api) -> None:
    api.put("v1/pods", NAME, pod(waiting("CrashLoopBackOff", "back-off", 4), ready=False))
    api.put("v1/pods", "other-5d5f4c8b7-aaaaa", pod(owner="other-5d5f4c8b7"))
    api.put(
        "v1/events", "e1", event(NAME, "BackOff", "Back-off restarting failed container app", "2026-11-22T12:44:00Z")
    )
    api.put("v1/events", "e2", event("other-5d5f4c8b7-aaaaa", "Unhealthy", "other", "2026-11-22T12:44:00Z"))
    api.put("v1/events", "e3", event(NAME, "BackOff", "long ago", "2026-11-22T10:00:00Z"))
    api.app[f"get /api/v1/namespaces/shop/pods/{NAME}/log"] << (
        lambda: ["2026-11-22T12:43:59Z KeyError: 'DATABASE_URL'"]
    )
    reading = ClusterSource("kubernetes", api.look()).read(ask(CHECKOUT))
    said = {statement.text: statement for s in [Scanner().scan(inputs_of(reading))] for statement in s.statements}
    assert "Back-off restarting failed container app" in said
    assert not {"other", "long ago"} & set(said)
    assert any(s.subject.name == "checkout" and "OOMKilled" in (s.reason + s.text) for s in said.values())
    (log,) = [s for text, s in said.items() if "DATABASE_URL" in text]
    assert (log.channel, log.subject.pod, log.subject.container) == ("log", NAME, "app")
    assert all(path.startswith("method.GET ") for path in api.paths())


def test_polled_namespaces_give_events_and_troubled_pods_once(api: Api) -> None:
    api.put("v1/pods", NAME, pod(waiting("CrashLoopBackOff", restarts=4), ready=False))
    api.put("v1/pods", "well-6d5f4c8b7-abcde", pod(owner="well-6d5f4c8b7"))
    api.put("v1/events", "e1", event(NAME, "BackOff", "Back-off", "2026-11-22T12:44:00Z"))
    source = ClusterSource("kubernetes", api.look(), ["shop"])
    first = source.read(ask())
    again = source.read(ask().model_copy(update={"handled": frozenset(first.ids)}))
    assert (first.items, again.items) == (2, 1)
    assert "well-6d5f4c8b7" not in str(first)


def test_headers_that_drip_are_within_the_budget_and_a_dead_server_is_waited_for_a_few_times_a_look(
    monkeypatch,
) -> None:
    monkeypatch.setattr(kube, "_BUDGET", 0.2)
    with dripping(connections := []) as url:
        dead = Cluster("kubernetes", Access(url=url))
        for number in range(40):
            with pytest.raises(AnswerError, match="did not begin its answer"):
                dead.pods(f"shop-{number}")
    assert len(connections) < 10


def test_what_is_not_shown_is_said(api: Api, monkeypatch) -> None:
    for what in ("EVENTS", "PODS", "LOGS"):
        monkeypatch.setattr(source, f"_MOST_{what}", 1)
    for number in range(2):
        name = f"checkout-6d5f4c8b7-abcd{number}"
        api.put("v1/pods", name, pod(waiting("CrashLoopBackOff", restarts=3), ready=False))
        api.put("v1/events", f"e{number}", event(name, "BackOff", "Back-off", f"2026-11-22T12:4{number}:00Z"))
    assert [note for note in ClusterSource("kubernetes", api.look()).read(ask(CHECKOUT)).notes if "only" in note] == [
        "shop: only the newest 1 of 2 events were read",
        "shop: only the first 1 of 2 pods were read",
        "shop: only the first 1 of 2 logs of dead containers were read",
    ]


def test_a_namespace_that_is_not_there_is_said(api: Api) -> None:
    reading = ClusterSource("kubernetes", api.look()).read(
        ask(Workload(namespace="nowhere", name="x", kind="Deployment"))
    )
    assert reading.notes == ("namespace nowhere does not exist in this cluster",)
    with pytest.raises(ConfigError, match=r"needs `kubernetes.namespaces`"):
        ClusterSource("kubernetes", api.look()).read(ask())


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "a%2fb", "shop/pods/x/exec?command=sh#"])
def test_a_name_from_a_log_leads_nowhere_else(api: Api, name: str) -> None:
    with pytest.raises(AnswerError, match="is no name of an object"):
        api.look().pods(name)
    assert api.paths() == []


def test_a_kubeconfig_serves_as_a_file_and_as_the_text_that_a_secret_holds(tmp_path) -> None:
    with serve(Answer({"metadata": {}, "items": []})) as server:
        text = f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: '{server.url}'}}}}]
users: [{{name: u, user: {{token: tok}}}}]
contexts: [{{name: prod, context: {{cluster: c, user: u}}}}]
"""
        (tmp_path / "config").write_text(text)
        for given in (text, str(tmp_path / "config")):
            assert Cluster("k", Access(kubeconfig=given, context="prod")).pods("shop") == []
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer tok"] * 2


def _warned(allowed: int) -> tuple[list[str], list[list]]:
    """Warnings of six namespaces, and what was asked for them; the whole cluster answers with `allowed`."""

    def script(asked: Asked) -> Answer:
        names = ["shop-1", "shop-5"] if asked.path == "/api/v1/events" else [asked.path.split("/")[-2]]
        items = [{"metadata": {"namespace": name, "name": "e"}, "type": "Warning"} for name in names]
        return Answer({"metadata": {}, "items": items}, allowed if asked.path == "/api/v1/events" else 200)

    with serve(script) as server:
        cluster = Cluster("kubernetes", Access(url=server.url))
        found = [cluster.warnings(f"shop-{number}") for number in range(6)]
        return [asked.path for asked in server.asked], found


def test_events_of_many_namespaces_are_asked_for_at_once() -> None:
    paths, found = _warned(200)
    assert paths == [*(f"/api/v1/namespaces/shop-{number}/events" for number in range(3)), "/api/v1/events"]
    assert [len(one) for one in found] == [1, 1, 1, 0, 0, 1]


def test_a_role_that_is_bound_in_some_namespaces_only_is_enough() -> None:
    paths, found = _warned(403)
    assert paths.count("/api/v1/events") == 1
    assert [len(one) for one in found] == [1] * 6


def test_a_list_whose_place_the_server_has_forgotten_is_read_anew() -> None:
    asked_for: list[str] = []

    def script(asked: Asked) -> Answer:
        asked_for.append(asked.get("continue"))
        if asked.get("continue") and len(asked_for) == 2:
            said = {
                "kind": "Status",
                "reason": "Expired",
                "code": 410,
                "message": "The provided continue parameter is too old",
            }
            return Answer(said, 410)
        first = {"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]}
        return Answer(first if not asked.get("continue") else {"metadata": {}, "items": [{"metadata": {"name": "b"}}]})

    with serve(script) as server:
        pods = Cluster("kubernetes", Access(url=server.url)).pods("shop")
    assert [one["metadata"]["name"] for one in pods] == ["a", "b"]
    assert asked_for == ["", "more", "", "more"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_asked_again_after_a_while(status: int) -> None:
    slept: list[float] = []
    answers = [Answer({"message": "busy"}, status), Answer({"message": "busy"}, status), Answer({"items": []})]
    with serve(lambda _asked: answers.pop(0)) as server:
        assert Cluster("kubernetes", Access(url=server.url), slept.append).pods("shop") == []
    assert slept == [0.5, 2.0]


def test_a_log_that_cannot_be_had_costs_the_rest_nothing() -> None:
    slept: list[float] = []

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/log"):
            return Answer({"message": "no preferred addresses found; known addresses: []"}, 500)
        made = pod(waiting("CrashLoopBackOff", restarts=3), ready=False)
        made["metadata"] |= {"name": "checkout-6d5f4c8b7-abcde", "namespace": "shop"}
        return Answer({"metadata": {}, "items": [made] if asked.path.endswith("/pods") else []})

    with serve(script) as server:
        wanted = Workload(namespace="shop", kind="Deployment", name="checkout")
        now = datetime(2026, 11, 22, 12, 50, tzinfo=UTC)
        question = Question(since=now - timedelta(hours=1), until=now, workloads=(wanted,))
        reading = ClusterSource("kubernetes", Cluster("kubernetes", Access(url=server.url), slept.append)).read(
            question
        )
    assert (reading.items, slept) == (1, [])
    assert any("no preferred addresses" in note for note in reading.notes)


def test_an_event_with_fractions_of_a_second_is_no_younger_than_the_merge_of_that_second() -> None:
    assert objects.moment_of({"eventTime": "2026-11-22T12:40:00.999999Z"}) == "2026-11-22T12:40:00Z"
    assert objects.moment_of({"lastTimestamp": "2026-11-22T12:40:00Z"}) == "2026-11-22T12:40:00Z"
