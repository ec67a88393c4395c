"""What the rules may propose the model may try and conclude, and what it may not do directly it may not do round about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remediator.judgement.model import InvestigationSession
from tests.git_repositories import git, write
from tests.unit.judgement.model.shop import DEPLOYMENT, LOG, application, call, deployment, investigation
from tests.unit.judgement.model.test_outcome import concluded

UNSEEN = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: store, namespace: argocd}
spec:
  project: default
  source:
    repoURL: https://charts.example.com/stable
    chart: store
    targetRevision: 1.2.0
    helm:
      valuesObject:
        ingress:
          annotations: {team: shop}
        service:
          port: 80
  destination: {server: https://kubernetes.default.svc, namespace: shop}
"""
VALUES = "spec.source.helm.valuesObject"


def test_a_proposal_of_the_rules_is_concluded_by_its_id(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    best = case.plan.proposals[0]
    result = concluded(case, tried=["R1"])
    assert result.draft == ""
    assert result.proposals[0].edits == best.edits
    assert result.note.startswith("It agrees with the rules.")


def test_a_number_that_the_rules_have_not_given_is_no_proposal(tmp_path: Path) -> None:
    case = investigation(tmp_path)
    number = len(case.plan.proposals) + 1
    answer = call(
        case,
        "conclude",
        cause="x",
        category="oom",
        severity="critical",
        cites=["E1"],
        tried=[f"R{number}"],
        confidence=1,
    )
    assert "no proved change has the id" in answer.text


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> InvestigationSession:
    return investigation(tmp_path_factory.mktemp("unseen"), files={"argocd/store.yaml": UNSEEN}, rules=False)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ('ingress.annotations["example.com/size"]', "8m", "passed the proof"),
        ("ingress.annotations", {"team": "shop", "example.com/size": "8m"}, "passed the proof"),
        ("dnsPolicy", "ClusterFirstWithHostNet", "passed the proof"),
        ("server.limits.allowStructured", False, "passed the proof"),
        ("controllerServiceAccount", {"name": "store", "namespace": "shop"}, "passed the proof"),
        ("podSecurityContext.fsGroup", 1000, "passed the proof"),
        ("service.nodePort", 30080, "may lower a protection"),
        ("service", {"port": 80, "nodePort": 30080}, "may lower a protection"),
        ("service.type", "LoadBalancer", "may lower a protection"),
        ("hostNetwork", True, "guardrails"),
        ("podSecurityContext.runAsUser", 0, "may lower a protection"),
        ("rbac.clusterWide", True, "may lower a protection"),
        ("auth.enabled", False, "may lower a protection"),
        ("extraObjects", [{"kind": "ConfigMap"}], "may lower a protection"),
        ("extraContainers", [{"name": "x"}], "may lower a protection"),
        ("extraArgs", ["--kubelet-insecure-tls"], "may lower a protection"),
        ("adminPassword", "x", "may lower a protection"),
        ("image.repository", "registry.example.net/other/store", "has never had repository"),
        ("upstream", "https://elsewhere.example.net/v1", "has never had the host"),
        ("upstream", "https://git.example.com/v1", "passed the proof"),
    ],
)
def test_a_new_key_of_a_chart_that_is_not_at_hand_passes_where_it_can_lower_nothing(
    unseen: InvestigationSession, path: str, value: Any, told: str
) -> None:
    unseen.tried.clear()
    edit = {"file": "argocd/store.yaml", "path": f"{VALUES}.{path}", "value": value}
    assert told in call(unseen, "try_change", edits=[edit], cites=["E1"]).text


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("spec.source.targetRevision", "1.1.9", "passed the proof"),
        ("spec.source.targetRevision", "1.3.0", "passed the proof"),
        ("spec.source.targetRevision", "1.4.0", "knows the revision"),
        ("spec.source.repoURL", "https://charts.example.net/stable", "stays within what the repository has"),
        ("spec.source.chart", "other", "stays within what the repository has"),
    ],
    ids=["it had it", "a fact names it", "nobody knows it", "another host", "another chart"],
)
def test_a_source_goes_only_where_it_was_or_where_the_facts_say(
    tmp_path: Path, path: str, value: str, told: str
) -> None:
    log = f"{LOG}$ kubectl logs -n shop deploy/store\nFATAL store 1.2.0 is withdrawn, use 1.3.0\n"
    first = investigation(tmp_path, log, {"argocd/store.yaml": UNSEEN.replace("1.2.0", "1.1.9")}, rules=False)
    root = first.inquiry.repository.root
    write(root, {"argocd/store.yaml": UNSEEN})
    git(root, "commit", "-q", "-a", "-m", "Take the next chart of store")
    case = investigation(tmp_path, log, rules=False)
    edit = {"file": "argocd/store.yaml", "path": path, "value": value}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


def test_what_no_rendering_shows_is_never_more_than_a_draft(tmp_path: Path) -> None:
    case = investigation(tmp_path, files={"argocd/store.yaml": UNSEEN}, rules=False)
    edit = {"file": "argocd/store.yaml", "path": f"{VALUES}.dnsPolicy", "value": "Default"}
    assert "it can only become a draft" in call(case, "try_change", edits=[edit], cites=["E1"]).text
    assert concluded(case, tried=["C1"]).draft.endswith("not confirmed by a rule")


@pytest.mark.parametrize(
    ("value", "told"),
    [("main", "passed the proof"), ("release-7", "knows the revision")],
    ids=["another's", "nobody's"],
)
def test_the_revision_of_a_source_of_this_repository_is_one_that_is_known(
    tmp_path: Path, value: str, told: str
) -> None:
    gone = application("store", "shop").replace("targetRevision: main", "targetRevision: gone")
    case = investigation(tmp_path, files={"argocd/store.yaml": gone}, rules=False)
    edit = {"file": "argocd/store.yaml", "path": "spec.source.targetRevision", "value": value}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: store-migrate, namespace: shop}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: migrate, image: "registry.example.com/shop/store:1.4.2"}
"""
IMMUTABLE = """\
$ argocd app get store
Name:               argocd/store
Project:            default
Namespace:          shop
Sync Status:        OutOfSync from main (1f2e3d4)
Health Status:      Healthy

GROUP  KIND  NAMESPACE  NAME           STATUS     HEALTH   HOOK  MESSAGE
batch  Job   shop       store-migrate  SyncFailed  Healthy        Job.batch "store-migrate" is invalid: spec.template: Invalid value: {}: field is immutable
"""


HOOK, POLICY = "argocd.argoproj.io/hook", "argocd.argoproj.io/hook-delete-policy"


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}, "passed"),
        ({"argocd.argoproj.io/sync-options": "Prune=false"}, "has run"),
        ({HOOK: "Sync", POLICY: "BeforeHookCreation"}, "passed"),
        ({HOOK: "PreSync"}, "passed"),
        ({HOOK: "PreSync", POLICY: "HookSucceeded"}, "has run"),
        ({HOOK: "Skip"}, "has run"),
    ],
)
def test_a_job_that_ran_may_change_where_it_is_replaced(tmp_path: Path, annotations: dict[str, str], told: str) -> None:
    case = investigation(tmp_path, log=IMMUTABLE, files={"apps/store/job.yaml": JOB}, rules=False)
    edit = {"kind": "Job", "name": "store-migrate", "field": "metadata.annotations", "value": annotations}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


BIND = """apiVersion: v1
kind: ServiceAccount
metadata: {name: store, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: store-reader, namespace: shop}
"""
REFUSED = """$ kubectl logs -n shop deploy/store
2026-03-04T07:36:15Z FATAL store cannot start: its account is unknown
"""


@pytest.mark.parametrize(
    ("account", "told"), [("sotre", "passed the proof"), ("store-reader", "log's word alone")], ids=["broken", "whole"]
)
def test_a_logs_word_is_enough_where_the_change_ends_a_contradiction(tmp_path: Path, account: str, told: str) -> None:
    files = {"apps/store/accounts.yaml": BIND}
    case = investigation(tmp_path, REFUSED, files, rules=False)
    manifest = deployment("store", "shop").replace(
        "      containers:", f"      serviceAccountName: {account}\n      containers:"
    )
    write(case.inquiry.repository.root, {DEPLOYMENT: manifest})
    case = investigation(tmp_path, REFUSED, rules=False)
    edit = {"kind": "Deployment", "name": "store", "field": "spec.template.spec.serviceAccountName", "value": "store"}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["CreateNamespace=true"], "it can only become a draft"),
        (["ServerSideApply=true", "PruneLast=true"], "it can only become a draft"),
        (["Validate=false"], "nothing that Argo CD applies would change"),
        (["CreateNamespace=true", "Replace=true"], "nothing that Argo CD applies would change"),
    ],
)
def test_an_option_of_the_sync_passes_where_it_leaves_no_check_out(
    tmp_path: Path, options: list[str], told: str
) -> None:
    case = investigation(tmp_path, rules=False)
    edit = {"file": "argocd/store.yaml", "path": "spec.syncPolicy.syncOptions", "value": options}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


KUSTOMIZATION = """\
resources: [deployment.yaml, service.yaml, config.yaml]
patches: [{}]
"""


@pytest.mark.needs_tools("kubectl")
@pytest.mark.parametrize(
    ("value", "told"),
    [({"path": "patch.yaml"}, "passed the proof"), ("other.yaml", "Refused")],
    ids=["right", "still wrong"],
)
def test_what_makes_an_application_render_again_passes_though_its_objects_stay(
    tmp_path: Path, value: Any, told: str
) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: store, namespace: shop}\nspec: {replicas: 2}\n"
    files = {"apps/store/kustomization.yaml": KUSTOMIZATION.format("patch.yaml"), "apps/store/patch.yaml": patch}
    case = investigation(tmp_path, files=files, rules=False)
    edit = {"file": "apps/store/kustomization.yaml", "path": "patches[0]", "value": value}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text
