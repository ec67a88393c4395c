"""Routes to Services and ports that are not there, and policies that shut a client out."""

from __future__ import annotations

import pytest

from tests.unit.remedies.network.test_services import NONE, REFUSED, SERVICE, WORKLOAD, shop
from tests.unit.remedies.small_repository import propose

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: front
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: api
                port:
                  number: 80
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: front
spec:
  rules:
    - backendRefs:
        - name: api
          port: 80
"""
NGINX = '$ kubectl logs deploy/ingress-nginx-controller -n ingress-nginx --tail=1\nW0611 08:21:04.112000       7 controller.go:1112] Error obtaining Endpoints for Service "shop/{name}": no object matching key "shop/{name}" in local store\n'
TRAEFIK = '$ kubectl logs deploy/traefik -n kube-system --tail=1\n{{"level":"error","ingress":"front","namespace":"shop","serviceName":"{name}","servicePort":"{port}","error":"{error}","message":"Cannot create service"}}\n'
PORT = TRAEFIK.format(name="api", port="&ServiceBackendPort{Name:,Number:8000,}", error="service port not found")
GATEWAY = '$ kubectl logs deploy/envoy-gateway -n envoy --tail=1\n{{"level":"error","msg":"Failed to process route rule 0 backendRef 0: service shop/{name} not found.","httproute":"shop/front"}}\n'


@pytest.mark.parametrize(
    "log",
    [NGINX.format(name="apii"), TRAEFIK.format(name="apii", port=80, error="service not found")],
    ids=["nginx", "traefik"],
)
def test_an_ingress_goes_to_the_service_that_was_meant(tmp_path, log):
    told = propose(
        tmp_path, shop(service=SERVICE, api=WORKLOAD, ingress=INGRESS.replace("name: api", "name: apii")), log
    )
    assert told.value("spec.rules.0.http.paths.0.backend.service.name", "shop/ingress.yaml") == "api"


def test_a_gateway_route_goes_to_the_service_that_was_meant(tmp_path):
    told = propose(
        tmp_path,
        shop(service=SERVICE, api=WORKLOAD, route=ROUTE.replace("name: api", "name: apii")),
        GATEWAY.format(name="apii"),
    )
    assert told.value("spec.rules.0.backendRefs.0.name", "shop/route.yaml") == "api"


def test_an_ingress_goes_back_to_a_service_of_quite_another_name(tmp_path):
    files = shop(
        service=SERVICE,
        web=SERVICE.replace("name: api", "name: web"),
        api=WORKLOAD,
        ingress=INGRESS.replace("name: api", "name: checkout"),
    )
    told = propose(tmp_path, files, NGINX.format(name="checkout"), before=[{"shop/ingress.yaml": INGRESS}])
    assert told.value("spec.rules.0.http.paths.0.backend.service.name", "shop/ingress.yaml") == "api"


def test_a_service_that_nobody_can_guess_is_left_to_a_person(tmp_path):
    files = shop(
        service=SERVICE,
        web=SERVICE.replace("name: api", "name: web"),
        api=WORKLOAD,
        ingress=INGRESS.replace("name: api", "name: checkout"),
    )
    assert not propose(tmp_path, files, NGINX.format(name="checkout")).changed


def test_a_service_that_the_repository_has_by_now_is_mended_already(tmp_path):
    assert not propose(tmp_path, shop(service=SERVICE, api=WORKLOAD, ingress=INGRESS), NGINX.format(name="api")).changed


def test_a_route_asks_for_the_port_that_is_offered(tmp_path):
    told = propose(
        tmp_path, shop(service=SERVICE, api=WORKLOAD, ingress=INGRESS.replace("number: 80", "number: 8000")), PORT
    )
    assert told.value("spec.rules.0.http.paths.0.backend.service.port.number", "shop/ingress.yaml") == 80


def test_a_service_offers_the_port_that_it_offered_before(tmp_path):
    files = shop(service=SERVICE.replace("port: 80\n", "port: 90\n"), api=WORKLOAD, ingress=INGRESS)
    told = propose(tmp_path, files, PORT.replace("8000", "80"), before=[{"shop/service.yaml": SERVICE}])
    assert told.value("spec.ports.0.port", "shop/service.yaml") == 80


def test_a_misspelt_port_name_goes_to_that_of_the_service(tmp_path):
    ingress = INGRESS.replace("number: 80", "name: htpp")
    told = propose(
        tmp_path,
        shop(service=SERVICE, api=WORKLOAD, ingress=ingress),
        PORT.replace("Name:,Number:8000", "Name:htpp,Number:0"),
    )
    assert told.value("spec.rules.0.http.paths.0.backend.service.port.name", "shop/ingress.yaml") == "http"


POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api
spec:
  podSelector:
    matchLabels:
      app: api
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: gateway
      ports:
        - port: 8080
"""
GATEWAY_PODS = WORKLOAD.replace("api", "gateway")
CALLER = GATEWAY_PODS.replace(
    "          image:", "          env:\n            - {name: BACKEND, value: 'http://api:80'}\n          image:"
)
TIMEOUT = REFUSED.replace("connection refused", "i/o timeout") + NONE.replace("<none>", "10.2.3.4:8080")


def test_a_policy_admits_the_client_whose_label_was_misspelt(tmp_path):
    files = shop(service=SERVICE, api=WORKLOAD, gateway=CALLER, policy=POLICY.replace("app: gateway", "app: gatewy"))
    told = propose(tmp_path, files, TIMEOUT)
    assert told.value("spec.ingress.0.from.0.podSelector.matchLabels.app", "shop/policy.yaml") == "gateway"


def test_a_policy_that_admits_others_admits_the_client_too(tmp_path):
    files = shop(
        service=SERVICE,
        api=WORKLOAD,
        gateway=CALLER,
        worker=WORKLOAD.replace("api", "worker"),
        policy=POLICY.replace("app: gateway", "app: worker"),
    )
    told = propose(tmp_path, files, TIMEOUT)
    assert told.value("spec.ingress.0.from", "shop/policy.yaml") == [
        {"podSelector": {"matchLabels": {"app": "worker"}}},
        {"podSelector": {"matchLabels": {"app": "gateway"}}},
    ]


def test_a_policy_opens_the_port_that_is_listened_on(tmp_path):
    told = propose(
        tmp_path,
        shop(service=SERVICE, api=WORKLOAD, gateway=CALLER, policy=POLICY.replace("port: 8080", "port: 8081")),
        TIMEOUT,
    )
    assert told.value("spec.ingress.0.ports.0.port", "shop/policy.yaml") == 8080


def test_a_policy_is_not_opened_for_a_call_that_no_configuration_names(tmp_path):
    policy = POLICY.replace("app: gateway", "app: gatewy")
    assert not propose(
        tmp_path, shop(service=SERVICE, api=WORKLOAD, gateway=GATEWAY_PODS, policy=policy), TIMEOUT
    ).changed


@pytest.mark.parametrize(
    "policy",
    [
        pytest.param(POLICY, id="it-admits-the-client"),
        pytest.param(POLICY.replace("app: api\n  policyTypes", "app: other\n  policyTypes"), id="it-is-for-other-pods"),
        pytest.param(
            POLICY.replace(
                "- podSelector:\n            matchLabels:\n              app: gateway",
                "- ipBlock:\n            cidr: 10.0.0.0/8",
            ),
            id="it-admits-addresses",
        ),
        pytest.param(
            POLICY.replace(
                "- podSelector:\n            matchLabels:\n              app: gateway", "- namespaceSelector: {}"
            ),
            id="it-admits-namespaces",
        ),
    ],
)
def test_a_policy_that_may_admit_the_client_is_left_alone(tmp_path, policy):
    assert not propose(
        tmp_path, shop(service=SERVICE, api=WORKLOAD, gateway=GATEWAY_PODS, policy=policy), TIMEOUT
    ).changed


def test_a_policy_that_denies_everything_is_meant_to(tmp_path):
    policy = POLICY.split("  ingress:", maxsplit=1)[0]
    assert not propose(
        tmp_path, shop(service=SERVICE, api=WORKLOAD, gateway=GATEWAY_PODS, policy=policy), TIMEOUT
    ).changed
