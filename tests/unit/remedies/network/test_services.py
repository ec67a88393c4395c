"""Services without pods or on the wrong port: mended where one right value is plain, left alone where not."""

from __future__ import annotations

import pytest

from tests.unit.remedies.small_repository import propose

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://git.example.com/platform/gitops.git
    targetRevision: main
    path: shop
  destination:
    server: https://kubernetes.default.svc
    namespace: shop
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector:
    app: api
    track: stable
  ports:
    - name: http
      port: 80
      targetPort: http
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 2
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
        track: stable
    spec:
      containers:
        - name: api
          image: registry.example.com/api:1.0
          ports:
            - name: http
              containerPort: 8080
"""
OTHER = WORKLOAD.replace("api", "worker")
REFUSED = '$ kubectl logs deploy/gateway -n shop --tail=2\ndial tcp: Get "http://api.shop.svc.cluster.local:80/": dial tcp 10.96.3.4:80: connect: connection refused\n'
NONE = "\n$ kubectl get endpoints api -n shop\nNAME   ENDPOINTS   AGE\napi    <none>      3d\n"

UP = "\n$ kubectl get pods -n shop\nNAME                  READY   STATUS    RESTARTS   AGE\napi-6d5f8c7b9-x2k4p   1/1     Running   0          3d\n"


def shop(**files: str) -> dict[str, str]:
    return {"argocd/shop.yaml": APPLICATION, **{f"shop/{name}.yaml": text for name, text in files.items()}}


def test_a_misspelt_label_goes_to_that_of_the_pods(tmp_path):
    told = propose(
        tmp_path, shop(service=SERVICE.replace("app: api", "app: apii", 1), api=WORKLOAD, other=OTHER), REFUSED + NONE
    )
    assert told.value("spec.selector.app", "shop/service.yaml") == "api"
    assert list(told.changed) == ["shop/service.yaml"]
    assert told.outcomes[0].proposals[0].remade == ()


def test_another_value_goes_to_the_only_workload_with_the_other_labels(tmp_path):
    told = propose(
        tmp_path,
        shop(service=SERVICE.replace("track: stable", "track: blue"), api=WORKLOAD, other=OTHER),
        REFUSED + NONE,
    )
    assert told.value("spec.selector.track", "shop/service.yaml") == "stable"


def test_two_workloads_that_fit_as_well_are_none(tmp_path):
    twin = WORKLOAD.replace("name: api\nspec:\n  replicas", "name: api-2\nspec:\n  replicas").replace(
        "track: stable", "track: canary"
    )
    told = propose(
        tmp_path, shop(service=SERVICE.replace("track: stable", "track: blue"), api=WORKLOAD, twin=twin), REFUSED + NONE
    )
    assert not told.changed


def test_a_misspelt_label_key_is_replaced(tmp_path):
    told = propose(
        tmp_path, shop(service=SERVICE.replace("    track: stable", "    tracks: stable"), api=WORKLOAD), REFUSED + NONE
    )
    assert told.value("spec.selector", "shop/service.yaml") == {"app": "api", "track": "stable"}


def test_what_the_history_had_comes_first(tmp_path):
    files = shop(service=SERVICE.replace("app: api", "app: web", 1), api=WORKLOAD, other=OTHER)
    told = propose(tmp_path, files, REFUSED + NONE, before=[{"shop/service.yaml": SERVICE}])
    assert told.value("spec.selector.app", "shop/service.yaml") == "api"
    assert "was changed from api to web" in told.outcomes[0].proposals[0].reason


def test_a_label_that_was_changed_on_the_pods_goes_back_there(tmp_path):
    files = shop(service=SERVICE, api=WORKLOAD.replace("track: stable", "track: edge"))
    told = propose(tmp_path, files, REFUSED + NONE, before=[{"shop/api.yaml": WORKLOAD}])
    assert told.value("spec.template.metadata.labels.track", "shop/api.yaml") == "stable"


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(REFUSED + NONE.replace("<none>", "10.2.3.4:8080"), id="endpoints-are-there"),
        pytest.param(
            REFUSED
            + "\n$ kubectl describe svc api -n shop\nName:        api\nNamespace:   shop\nSelector:    app=other\nType:        ClusterIP\nEndpoints:   <none>\n",
            id="the-cluster-has-another-selector",
        ),
        pytest.param(
            REFUSED.replace("api.shop.svc.cluster.local", "api.payments.example.com") + NONE.replace("api ", "web "),
            id="another-host",
        ),
    ],
)
def test_nothing_is_changed_where_the_selector_is_not_at_fault(tmp_path, log):
    told = propose(tmp_path, shop(service=SERVICE.replace("app: api", "app: apii", 1), api=WORKLOAD), log)
    assert not told.changed


def test_pods_that_are_selected_but_fail_are_no_fault_of_the_service(tmp_path):
    assert not propose(tmp_path, shop(service=SERVICE, api=WORKLOAD), REFUSED + NONE).changed


def test_an_unknown_port_name_goes_to_that_of_the_container(tmp_path):
    told = propose(
        tmp_path, shop(service=SERVICE.replace("targetPort: http", "targetPort: htpp"), api=WORKLOAD), REFUSED + NONE
    )
    assert told.value("spec.ports.0.targetPort", "shop/service.yaml") == "http"


def test_a_port_on_which_nothing_listens_goes_to_the_declared_one(tmp_path):
    told = propose(
        tmp_path, shop(service=SERVICE.replace("targetPort: http", "targetPort: 8081"), api=WORKLOAD), REFUSED + UP
    )
    assert told.value("spec.ports.0.targetPort", "shop/service.yaml") == 8080


def test_a_refusal_by_pods_that_are_not_up_says_nothing_of_the_port(tmp_path):
    assert not propose(
        tmp_path, shop(service=SERVICE.replace("targetPort: http", "targetPort: 8081"), api=WORKLOAD), REFUSED
    ).changed


def test_pods_of_an_operator_may_be_behind_a_service_that_selects_none_of_these(tmp_path):
    files = shop(service=SERVICE.replace("app: api", "app: apii", 1), api=WORKLOAD)
    assert not propose(tmp_path, files, REFUSED).changed


def test_what_the_log_says_it_listens_on_beats_what_is_declared(tmp_path):
    log = REFUSED + "\n$ kubectl logs deploy/api -n shop --tail=1\nserver listening on port 9000\n"
    told = propose(tmp_path, shop(service=SERVICE.replace("targetPort: http", "targetPort: 8080"), api=WORKLOAD), log)
    assert told.value("spec.ports.0.targetPort", "shop/service.yaml") == 9000


def test_two_declared_ports_of_which_either_could_be_meant_are_left_alone(tmp_path):
    more = WORKLOAD + "            - name: admin\n              containerPort: 9090\n"
    assert not propose(
        tmp_path, shop(service=SERVICE.replace("targetPort: http", "targetPort: 5000"), api=more), REFUSED
    ).changed


def test_a_headless_service_has_no_target_port_to_mend(tmp_path):
    service = SERVICE.replace("  ports", "  clusterIP: None\n  ports").replace("targetPort: http", "targetPort: 8081")
    assert not propose(tmp_path, shop(service=service, api=WORKLOAD), REFUSED).changed


def test_a_target_port_that_the_cluster_does_not_have_any_more_is_mended_already(tmp_path):
    log = (
        REFUSED
        + "\n$ kubectl describe svc api -n shop\nName:         api\nNamespace:    shop\nSelector:     app=api,track=stable\nTargetPort:   9999/TCP\nEndpoints:    10.2.3.4:9999\n"
    )
    assert not propose(
        tmp_path, shop(service=SERVICE.replace("targetPort: http", "targetPort: 8081"), api=WORKLOAD), log
    ).changed


def test_a_workload_at_zero_comes_back_when_clients_are_refused(tmp_path):
    told = propose(tmp_path, shop(service=SERVICE, api=WORKLOAD.replace("replicas: 2", "replicas: 0")), REFUSED + NONE)
    assert told.value("spec.replicas", "shop/api.yaml") == 1


def test_a_workload_at_zero_comes_back_as_it_was(tmp_path):
    files = shop(service=SERVICE, api=WORKLOAD.replace("replicas: 2", "replicas: 0"))
    assert (
        propose(tmp_path, files, REFUSED + NONE, before=[{"shop/api.yaml": WORKLOAD}]).value(
            "spec.replicas", "shop/api.yaml"
        )
        == 2
    )


def test_zero_is_left_alone_where_something_scales_it(tmp_path):
    scaled = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: api\nspec:\n  scaleTargetRef:\n    name: api\n"
    files = shop(service=SERVICE, api=WORKLOAD.replace("replicas: 2", "replicas: 0"), scaled=scaled)
    assert not propose(tmp_path, files, REFUSED + NONE).changed


def test_zero_is_left_alone_where_nobody_complains(tmp_path):
    log = "$ kubectl get deployment -n shop\nNAME   READY   UP-TO-DATE   AVAILABLE   AGE\napi    0/0     0            0           41d\n"
    assert not propose(tmp_path, shop(service=SERVICE, api=WORKLOAD.replace("replicas: 2", "replicas: 0")), log).changed


def test_zero_is_left_alone_where_another_workload_serves(tmp_path):
    standby = WORKLOAD.replace("name: api\nspec:\n  replicas: 2", "name: api-standby\nspec:\n  replicas: 0")
    assert not propose(tmp_path, shop(service=SERVICE, api=WORKLOAD, standby=standby), REFUSED + NONE).changed


def test_a_host_that_is_defined_nowhere_is_said_to_be(tmp_path):
    told = propose(
        tmp_path, shop(api=WORKLOAD), REFUSED.replace("gateway", "api").replace("api.shop.svc.cluster.local", "prod-db")
    )
    assert not told.changed
    assert told.outcomes[0].reason.startswith("prod-db is defined nowhere in this repository.")
