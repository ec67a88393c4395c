"""Paths, revisions, values files, kustomization entries and namespaces that Argo CD does not find."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.remedies.network.test_services import APPLICATION, WORKLOAD
from tests.unit.remedies.small_repository import propose, shop, workload


def cannot_generate(message: str, application: str = "shop") -> str:
    return (
        f'time="2026-03-11T08:29:41Z" level=error msg="Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: '
        f'code = Unknown desc = {message}" app-namespace=argocd app-qualified-name=argocd/{application} application={application} project=default\n'
    )


def refused(message: str, application: str = "shop") -> str:
    return (
        f'time="2026-03-11T08:29:41Z" level=warning msg="Sync operation to 4f1c2ab failed: one or more objects failed to apply, reason: {message}" '
        f"app-namespace=argocd app-qualified-name=argocd/{application} application={application} project=default\n"
    )


PATH = cannot_generate("shpo: app path does not exist")


def test_a_path_goes_to_the_directory_that_was_meant(tmp_path):
    files = {
        "argocd/shop.yaml": APPLICATION.replace("path: shop", "path: shpo"),
        "shop/api.yaml": WORKLOAD,
        "web/api.yaml": WORKLOAD,
    }
    assert propose(tmp_path, files, PATH).value("spec.source.path", "argocd/shop.yaml") == "shop"


def test_a_path_of_another_environment_is_not_taken(tmp_path):
    files = {
        "argocd/shop.yaml": APPLICATION.replace("path: shop", "path: envs/prod-us"),
        "envs/prod-eu/api.yaml": WORKLOAD,
    }
    assert not propose(tmp_path, files, cannot_generate("envs/prod-us: app path does not exist")).changed


def test_a_path_that_is_there_by_now_is_mended_already(tmp_path):
    files = {"argocd/shop.yaml": APPLICATION, "shop/api.yaml": WORKLOAD, "shpo2/api.yaml": WORKLOAD}
    assert not propose(tmp_path, files, PATH).changed


def test_a_path_of_another_application_is_not_touched(tmp_path):
    files = {"argocd/shop.yaml": APPLICATION, "shop/api.yaml": WORKLOAD}
    assert not propose(tmp_path, files, cannot_generate("web: app path does not exist")).changed


SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: shops
  namespace: argocd
spec:
  generators:
    - list:
        elements:
          - name: prod
            folder: prod
          - name: qa
            folder: qaa
  template:
    metadata:
      name: 'shop-{{name}}'
    spec:
      project: default
      source:
        repoURL: https://git.example.com/platform/gitops.git
        targetRevision: main
        path: 'shops/{{folder}}'
      destination:
        server: https://kubernetes.default.svc
        namespace: 'shop-{{name}}'
"""


def test_a_generator_parameter_goes_back_to_what_it_was(tmp_path):
    files = {
        "argocd/shops.yaml": SET.replace("folder: qaa", "folder: test-qa"),
        "shops/prod/api.yaml": WORKLOAD,
        "shops/qa/api.yaml": WORKLOAD,
    }
    before = {"argocd/shops.yaml": SET.replace("folder: qaa", "folder: qa")}
    told = propose(
        tmp_path, files, cannot_generate("shops/test-qa: app path does not exist", "shop-qa"), before=[before]
    )
    assert told.value("spec.generators.0.list.elements.1.folder", "argocd/shops.yaml") == "qa"


def test_the_template_of_a_set_goes_to_the_directory_that_was_meant(tmp_path):
    files = {
        "argocd/shops.yaml": SET.replace("folder: qaa", "folder: qa").replace("'shops/{{folder}}'", "'shosp/{{folder}}'"),
        "shops/prod/api.yaml": WORKLOAD, "shops/qa/api.yaml": WORKLOAD,
    }  # fmt: skip
    told = propose(tmp_path, files, cannot_generate("shosp/qa: app path does not exist", "shop-qa"))
    assert told.value("spec.template.spec.source.path", "argocd/shops.yaml") == "shops/{{folder}}"
    assert set(told.outcomes[0].proposals[0].places[0].also_feeds) == {"shop-prod"}


REVISION = "unable to resolve 'mian' to a commit SHA"


def test_a_revision_goes_to_the_branch_that_was_meant(tmp_path):
    files = {
        "argocd/shop.yaml": APPLICATION.replace("targetRevision: main", "targetRevision: mian"),
        "shop/api.yaml": WORKLOAD,
    }
    assert (
        propose(tmp_path, files, cannot_generate(REVISION)).value("spec.source.targetRevision", "argocd/shop.yaml")
        == "main"
    )


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("unable to resolve 'main' to a commit SHA", id="the-branch-is-here"),
        pytest.param(
            'failed to list refs: Get \\"https://git.example.com/\\": dial tcp 192.0.2.7:443: i/o timeout',
            id="the-server-is-silent",
        ),
        pytest.param(
            "failed to fetch chart: could not download https://charts.example.com/shop-1.2.tgz: 503 Service Unavailable",
            id="the-registry-is-down",
        ),
    ],
)
def test_a_revision_that_is_right_is_left_alone(tmp_path, message):
    before = {"argocd/shop.yaml": APPLICATION.replace("targetRevision: main", "targetRevision: HEAD")}
    assert not propose(
        tmp_path,
        {"argocd/shop.yaml": APPLICATION, "shop/api.yaml": WORKLOAD},
        cannot_generate(message),
        before=[before],
    ).changed


CHART = {
    "shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "shop/templates/api.yaml": WORKLOAD,
    "shop/values.yaml": "{}\n",
}


def with_values(name: str) -> str:
    return APPLICATION.replace("    path: shop\n", f"    path: shop\n    helm:\n      valueFiles:\n        - {name}\n")


def no_value_file(name: str) -> str:
    return cannot_generate(
        f"Manifest generation error (cached): failed to execute helm template command: `helm template . --values <path to cached source>/shop/{name}` failed exit status 1: Error: open <path to cached source>/shop/{name}: no such file or directory"
    )


def test_a_values_file_goes_to_the_one_that_was_meant(tmp_path):
    files = {
        "argocd/shop.yaml": with_values("values-prd.yaml"),
        **CHART,
        "shop/values-prod.yaml": "{}\n",
        "shop/values-qa.yaml": "{}\n",
    }
    told = propose(tmp_path, files, no_value_file("values-prd.yaml"))
    assert told.value("spec.source.helm.valueFiles.0", "argocd/shop.yaml") == "values-prod.yaml"


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("values-prod-us.yaml", "values-prod-eu.yaml"),
        ("values-web-1.yaml", "values-web-2.yaml"),
        ("values-qa.yaml", "values-uat.yaml"),
    ],
)
def test_the_values_file_of_another_environment_is_not_taken(tmp_path, wanted, there):
    files = {"argocd/shop.yaml": with_values(wanted), **CHART, f"shop/{there}": "{}\n"}
    assert not propose(tmp_path, files, no_value_file(wanted)).changed


KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - deployment.yaml\n"
MISSING = cannot_generate(
    "`kustomize build <path to cached source>/shop` failed exit status 1: Error: accumulating resources: accumulation err='accumulating resources from 'depolyment.yaml': open <path to cached source>/shop/depolyment.yaml: no such file or directory'"
)


def test_an_entry_of_a_kustomization_goes_to_the_file_that_was_meant(tmp_path):
    files = {
        "argocd/shop.yaml": APPLICATION,
        "shop/kustomization.yaml": KUSTOMIZATION.replace("deployment", "depolyment"),
        "shop/deployment.yaml": WORKLOAD,
    }
    told = propose(tmp_path, files, MISSING)
    assert told.value("resources", "shop/kustomization.yaml") == ["deployment.yaml"]


def test_an_entry_that_the_newest_commit_mended_is_left_alone(tmp_path):
    files = {
        "argocd/shop.yaml": APPLICATION,
        "shop/kustomization.yaml": KUSTOMIZATION,
        "shop/deployment.yaml": WORKLOAD,
    }
    before = {"shop/kustomization.yaml": KUSTOMIZATION.replace("deployment", "depolyment")}
    assert not propose(tmp_path, files, MISSING, before=[before]).changed


def test_one_base_of_several_applications_is_mended_once_and_all_are_named(tmp_path):
    overlay = KUSTOMIZATION.replace("deployment.yaml", "../base")
    files = {
        "argocd/qa.yaml": APPLICATION.replace("name: shop", "name: shop-qa").replace("path: shop", "path: shop/qa"),
        "argocd/prod.yaml": APPLICATION.replace("name: shop", "name: shop-prod").replace("path: shop", "path: shop/prod"),
        "shop/base/kustomization.yaml": KUSTOMIZATION.replace("deployment", "depolyment"), "shop/base/deployment.yaml": WORKLOAD,
        "shop/qa/kustomization.yaml": overlay, "shop/prod/kustomization.yaml": overlay,
    }  # fmt: skip
    told = propose(
        tmp_path,
        files,
        MISSING.replace("argocd/shop", "argocd/shop-qa").replace("application=shop", "application=shop-qa"),
    )
    assert list(told.changed) == ["shop/base/kustomization.yaml"]
    assert told.outcomes[0].proposals[0].places[0].also_feeds == ("shop-prod",)


NO_NAMESPACE = refused('namespaces \\"shop\\" not found')


def test_a_namespace_that_nobody_makes_is_made_by_argo_cd(tmp_path):
    told = propose(tmp_path, {"argocd/shop.yaml": APPLICATION, "shop/api.yaml": WORKLOAD}, NO_NAMESPACE)
    assert told.value("spec.syncPolicy.syncOptions", "argocd/shop.yaml") == ["CreateNamespace=true"]


def test_other_options_stay_as_they_are(tmp_path):
    text = APPLICATION + "  syncPolicy:\n    automated: {}\n    syncOptions:\n      - ServerSideApply=true\n"
    told = propose(tmp_path, {"argocd/shop.yaml": text, "shop/api.yaml": WORKLOAD}, NO_NAMESPACE)
    assert told.value("spec.syncPolicy.syncOptions", "argocd/shop.yaml") == [
        "ServerSideApply=true",
        "CreateNamespace=true",
    ]


def test_a_namespace_in_a_set_is_made_for_all_of_it(tmp_path):
    files = {
        "argocd/shops.yaml": SET.replace("folder: qaa", "folder: qa"),
        "shops/prod/api.yaml": WORKLOAD,
        "shops/qa/api.yaml": WORKLOAD,
    }
    told = propose(tmp_path, files, refused('namespaces \\"shop-qa\\" not found', "shop-qa"))
    assert told.value("spec.template.spec.syncPolicy.syncOptions", "argocd/shops.yaml") == ["CreateNamespace=true"]


@pytest.mark.parametrize(
    ("application", "log"),
    [
        pytest.param(APPLICATION, refused('namespaces \\"other\\" not found'), id="not-the-destination"),
        pytest.param(
            APPLICATION + "  syncPolicy:\n    syncOptions: [CreateNamespace=true]\n",
            NO_NAMESPACE,
            id="it-is-set-by-now",
        ),
        pytest.param(
            APPLICATION,
            refused(
                "application destination server 'https://kubernetes.default.svc' and namespace 'shop' do not match any of the allowed destinations in project 'default'"
            ),
            id="the-project-forbids-it",
        ),
    ],
)
def test_a_namespace_is_not_made_where_that_would_not_help(tmp_path, application, log):
    assert not propose(tmp_path, {"argocd/shop.yaml": application, "shop/api.yaml": WORKLOAD}, log).changed


def test_a_file_that_is_listed_twice_is_listed_once(tmp_path: Path) -> None:
    files = shop(web=workload())
    files["web/kustomization.yaml"] = "resources:\n  - web.yaml\n  - web.yaml\n"
    log = (
        "$ argocd app get web\nName:               argocd/web\nProject:            default\nNamespace:          shop\n\n"
        "CONDITION  MESSAGE  LAST TRANSITION\nComparisonError  Failed to load target state: failed to generate manifest for source 1 of 1: "
        "rpc error: code = Unknown desc = `kustomize build <path to cached source>/web` failed exit status 1: Error: accumulating resources: "
        "accumulation err='merging resources from 'web.yaml': may not add resource with an already registered id: "
        "Deployment.v1.apps/web.[noNs]': must build at directory: '/web/web.yaml': file is not directory  2026-03-09 09:10:00 +0000 UTC\n"
    )
    told = propose(tmp_path, files, log)
    assert told.categories == ("sync_error",)
    assert told.changed["web/kustomization.yaml"] == "resources:\n  - web.yaml\n"


def test_a_values_file_that_a_commit_moved_is_named_at_its_new_place(tmp_path):
    text = "replicas: 3\nimage:\n  tag: '1.4'\n"
    files = {"argocd/shop.yaml": with_values("values-live.yaml"), **CHART}
    told = propose(
        tmp_path,
        {**files, "shop/stages/live.yaml": text},
        no_value_file("values-live.yaml"),
        before=[{"shop/values-live.yaml": text, "shop/stages/live.yaml": "{}\n"}],
    )
    assert told.value("spec.source.helm.valueFiles.0", "argocd/shop.yaml") == "stages/live.yaml"


def test_a_values_file_in_the_applications_own_source_is_found_there(tmp_path):
    application = with_values("$shared/common.yaml").replace(
        "  source:\n",
        "  sources:\n  - repoURL: https://git.example.com/shop.git\n    targetRevision: main\n    path: shared/shop\n    ref: shared\n  - ",
    )
    assert "sources" in application
    files = {
        "argocd/shop.yaml": application.replace("  -     repoURL", "  - repoURL"),
        **CHART,
        "shared/shop/common.yaml": "{}\n",
        "shared/desk/common.yaml": "{}\n",
    }
    told = propose(tmp_path, files, no_value_file("common.yaml").replace("/shop/common", "/common"))
    assert told.value("spec.sources.1.helm.valueFiles.0", "argocd/shop.yaml") == "$shared/shared/shop/common.yaml"
