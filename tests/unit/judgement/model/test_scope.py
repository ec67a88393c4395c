"""Where a model's change may lie: each reason that brings an Application into scope, and what stays outside of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediator.judgement.model import InvestigationSession
from tests.unit.judgement.model.shop import LOG, application, call, deployment, investigation
from tests.unit.judgement.model.test_outcome import concluded

FAR = "argocd/far.yaml"


def far(namespace: str = "vault-9", path: str = "elsewhere/parts") -> dict[str, str]:
    """An Application of another namespace, of which the facts know nothing."""
    text = application("far", namespace).replace("path: apps/far", f"path: {path}")
    return {FAR: text, f"{path}/service.yaml": _service("cellar", namespace)}


def _service(name: str, namespace: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        "spec: {selector: {app: cellar}, ports: [{port: 80}]}\n"
    )


def calls(address: str) -> str:
    """The store's Deployment, which dials this address."""
    env = f"          env: [{{name: UPSTREAM, value: {address!r}}}]\n"
    return deployment("store", "shop", memory="512Mi").replace("          ports:\n", env + "          ports:\n")


def names(folder: Path, log: str = LOG, files: dict[str, str] | None = None) -> set[str]:
    return {app.name for app in investigation(folder, log, {**far(), **(files or {})}).scene.scope}


def said(*lines: str) -> str:
    return LOG + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("log", "inside"),
    [
        (LOG, False),
        (said("$ kubectl -n vault-9 get pods"), True),
        (said("$ kubectl --namespace=vault-9 get pods"), True),
        (said("reconciling vault-9/cellar failed"), True),
        (said("kustomize build elsewhere/parts failed"), True),
        (said("Application far is out of sync"), True),
        (said("the vault-9 is locked"), False),
        (said("parts are missing"), False),
        (said("a farm is out of sync"), False),
    ],
)
def test_what_the_facts_name_is_in_scope(tmp_path: Path, log: str, inside: bool) -> None:
    assert ("far" in names(tmp_path, log)) is inside


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("http://cellar.vault-9.svc.cluster.local:80/x", True),
        ("cellar.vault-9:80", True),
        ("cellar.vault-9", True),
        ("cellar.vault-8:80", False),
        ("attic.vault-9:80", False),
        ("https://cellar.example.com", False),
    ],
)
def test_a_service_that_the_culprits_values_dial_is_in_scope(tmp_path: Path, address: str, inside: bool) -> None:
    case = investigation(
        tmp_path,
        files={**far(), "apps/store/caller.yaml": calls(address).replace("name: store\n", "name: caller\n", 1)},
    )
    assert ("far" in {app.name for app in case.scene.scope}) is inside


@pytest.mark.parametrize(("address", "inside"), [("amqp://cellar:5672", True), ("the cellar is far", False)])
def test_a_service_of_its_namespace_is_in_scope_where_a_value_dials_it(
    tmp_path: Path, address: str, inside: bool
) -> None:
    dialling = calls(address).replace("name: store\n", "name: caller\n", 1)
    log = LOG.replace("store-7c9d8b6f5d", "caller-7c9d8b6f5d")
    assert ("far" in names(tmp_path, log, {**far("shop"), "apps/store/caller.yaml": dialling})) is inside


def applicationset(name: str, folder: str) -> str:
    return f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: {name}, namespace: argocd}}
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
    - git:
        repoURL: https://git.example.com/ops/gitops.git
        revision: main
        files: [{{path: "{folder}/*/settings.yaml"}}]
  template:
    metadata: {{name: "{name}-{{{{ .path.basename }}}}"}}
    spec:
      project: default
      source: {{repoURL: https://git.example.com/ops/gitops.git, targetRevision: main, path: "{{{{ .chart }}}}"}}
      destination: {{server: https://kubernetes.default.svc, namespace: "{name}-{{{{ .path.basename }}}}"}}
"""


SETS = {
    "argocd/tills.yaml": applicationset("tills", "tills"),
    "argocd/lamps.yaml": applicationset("lamps", "lamps"),
    "tills/north/settings.yaml": "chart: parts/till\n",
    "tills/south/settings.yaml": "chrat: parts/till\n",
    "lamps/north/settings.yaml": "chrat: parts/till\n",
    "parts/till/service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: till}\nspec: {selector: {app: till}, ports: [{port: 80}]}\n",
}
"""Two sets, each with a file whose key is misspelt, so that its Application is not there yet."""


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("tills/south/settings.yaml", "passed the proof"),
        ("lamps/north/settings.yaml", "nothing to do with this incident"),
    ],
)
def test_one_file_of_the_set_that_the_facts_name_may_be_mended(tmp_path: Path, file: str, told: str) -> None:
    log = said(
        "Warning  ErrorOccurred  1m  applicationset-controller  ApplicationSet tills: map has no entry for key chart"
    )
    case = investigation(tmp_path, log, SETS)
    edit = {"file": file, "path": "chrat", "op": "rename", "value": "chart"}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


ARGOCD = {
    "argocd/own.yaml": application("own", "argocd-9").replace("path: apps/own", "path: system/own"),
    "system/own/cm.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd-9}\n"
        "data:\n  timeout.reconciliation: 180s\n  policy.csv: g, shop, role:readonly\n"
    ),
}


@pytest.mark.parametrize(("log", "inside"), [(LOG, False), (said("argocd: ComparisonError since 9:00"), True)])
def test_argo_cds_own_settings_are_in_scope_where_the_facts_speak_of_it(tmp_path: Path, log: str, inside: bool) -> None:
    assert ("own" in names(tmp_path, log, ARGOCD)) is inside


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> InvestigationSession:
    return investigation(tmp_path_factory.mktemp("own"), said("argocd: ComparisonError since 9:00"), ARGOCD)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("timeout.reconciliation", "60s", "passed the proof"),
        ("kustomize.buildOptions", "--enable-helm", "passed the proof"),
        ("kustomize.buildOptions", "--enable-helm --enable-exec", "guardrails"),
        ("kustomize.buildOptions", "--load-restrictor LoadRestrictionsNone", "guardrails"),
        ("policy.csv", "g, shop, role:admin", "it weakens"),
        ("accounts.eve", "apiKey, login", "it weakens"),
        ("users.anonymous.enabled", "true", "it weakens"),
        ("exec.enabled", "true", "it weakens"),
    ],
)
def test_who_may_use_argo_cd_is_no_models_to_change(
    settings: InvestigationSession, key: str, value: str, told: str
) -> None:
    settings.tried.clear()
    edit = {"file": "system/own/cm.yaml", "path": f'data["{key}"]', "value": value}
    assert told in call(settings, "try_change", edits=[edit], cites=["E1"]).text


def policy(namespace: str, kind: str = "Pod") -> dict[str, str]:
    """A policy of the cluster that places pods of one namespace."""
    text = f"""\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: placement}}
spec:
  rules:
    - name: place
      match: {{any: [{{resources: {{kinds: [{kind}], namespaces: [{namespace}]}}}}]}}
      mutate:
        patchStrategicMerge:
          spec: {{nodeSelector: {{pool: old}}, securityContext: {{runAsNonRoot: true}}}}
    - name: refuse
      match: {{any: [{{resources: {{kinds: [{kind}], namespaces: [{namespace}]}}}}]}}
      validate: {{message: no, pattern: {{spec: {{nodeSelector: {{pool: "?*"}}}}}}}}
"""
    return {FAR: application("far", "vault-9").replace("path: apps/far", "path: rules"), "rules/placement.yaml": text}


@pytest.mark.parametrize(
    ("files", "inside"),
    [
        (policy("shop"), True),
        (policy("books"), False),
        (policy("shop", "Ingress"), False),
        (policy("shop", "v1/Pod"), True),
    ],
    ids=["its namespace", "another namespace", "another kind", "a kind with its version"],
)
def test_a_policy_of_the_cluster_is_in_scope_where_it_reaches_the_culprit(
    tmp_path: Path, files: dict[str, str], inside: bool
) -> None:
    assert ("far" in names(tmp_path, files=files)) is inside


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("spec.rules[0].mutate.patchStrategicMerge.spec.nodeSelector.pool", "passed the proof"),
        ("spec.rules[0].mutate.patchStrategicMerge.spec.securityContext.runAsNonRoot", "it weakens"),
        ("spec.rules[1].validate.pattern.spec.nodeSelector.pool", "it weakens"),
    ],
    ids=["where pods go", "what they may do", "what is refused"],
)
def test_of_a_policy_only_the_placement_may_change(tmp_path: Path, path: str, told: str) -> None:
    case = investigation(tmp_path, files=policy("shop"))
    edit = {"file": "rules/placement.yaml", "path": path, "value": False if "runAsNonRoot" in path else "new"}
    assert told in call(case, "try_change", edits=[edit], cites=["E1"]).text


def governing(namespace: str) -> dict[str, str]:
    """An Application of the cluster's namespaces, with one that the facts do not name."""
    text = (
        f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}, labels: {{team: ops}}}}\n---\n"
        f"apiVersion: v1\nkind: LimitRange\nmetadata: {{name: bounds, namespace: {namespace}}}\n"
        "spec: {limits: [{type: Container, max: {memory: 128Mi}}]}\n"
    )
    return {FAR: application("far", "vault-9").replace("path: apps/far", "path: spaces"), "spaces/all.yaml": text}


@pytest.mark.parametrize(("namespace", "inside"), [("shop", True), ("garden", False)])
def test_the_namespace_and_its_bounds_are_in_scope_and_shown(tmp_path: Path, namespace: str, inside: bool) -> None:
    case = investigation(tmp_path, files=governing(namespace))
    assert ("far" in {app.name for app in case.scene.scope}) is inside
    assert ("# LimitRange bounds of far, from spaces/all.yaml" in case.opening[1]) is inside


def test_an_application_that_only_a_log_names_gets_no_more_than_a_draft(tmp_path: Path) -> None:
    log = said("$ kubectl logs -n shop deploy/store", "ERROR ask vault-9/cellar to listen on 81, now")
    case = investigation(tmp_path, log, far(), rules=False)
    edit = {"file": "elsewhere/parts/service.yaml", "path": "spec.ports[0].port", "value": 81}
    result = concluded(case, edit)
    assert result.proposals[0].source == "model"
    assert result.draft == "proposed by small, tried by rendering, not confirmed by a rule"
