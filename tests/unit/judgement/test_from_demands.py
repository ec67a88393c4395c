"""A message that says what it wants gets it, at the one place that is meant; what leaves the value open is declined."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.remedies.small_repository import application, claim, other, propose, shop, workload

SYNC_STATUS = """\
$ argocd app get web
Name:               argocd/web
Project:            default
Namespace:          shop
Sync Status:        OutOfSync from main (1f2e3d4)
Health Status:      Missing

CONDITION  MESSAGE                                                LAST TRANSITION
SyncError  Failed last sync attempt to [1f2e3d4]: {message}  2026-03-11 08:29:41 +0000 UTC

Operation:          Sync
Phase:              Failed
Message:            {message}
"""
REFUSED = 'one or more objects failed to apply, reason: admission webhook "validation.gatekeeper.sh" denied the request: [sizes] '


def resources(**sides: str) -> dict[str, object]:
    return {"resources": {side: {"memory": amount} for side, amount in sides.items()}}


def gatekeeper(container: str, value: str, maximum: str) -> str:
    text = f"container <{container}> memory limit <{value}> is higher than the maximum allowed of <{maximum}>"
    return SYNC_STATUS.format(message=REFUSED + text)


def test_a_limit_above_the_maximum_of_a_policy_is_lowered_with_its_request(tmp_path: Path) -> None:
    files = shop(web=workload(resources(requests="1536Mi", limits="3Gi")))
    result = propose(tmp_path, files, gatekeeper("web", "3Gi", "1Gi"))
    assert result.value("spec.template.spec.containers.0.resources") == {
        "requests": {"memory": "1Gi"},
        "limits": {"memory": "1Gi"},
    }


@pytest.mark.parametrize(
    ("container", "value"), [("proxy", "3Gi"), ("web", "4Gi")], ids=["another container", "no longer the value"]
)
def test_a_refused_amount_that_stands_nowhere_changes_nothing(tmp_path: Path, container: str, value: str) -> None:
    files = shop(web=workload(resources(limits="3Gi")))
    assert not propose(tmp_path, files, gatekeeper(container, value, "1Gi")).changed


def test_of_two_containers_with_the_refused_amount_none_is_changed(tmp_path: Path) -> None:
    twin = workload(resources(limits="3Gi"))
    twin["metadata"] = {"name": "web-blue"}
    files = shop(web=workload(resources(limits="3Gi")), blue=twin)
    assert not propose(tmp_path, files, gatekeeper("web", "3Gi", "1Gi")).changed


KYVERNO = (
    "one or more objects failed to apply, reason: admission webhook denied the request: "
    "resource Deployment/shop/web was blocked due to the following policies sizes: autogen-sizes: 'validation error: "
    "memory limits must {bound}. rule autogen-sizes failed at path "
    "/spec/template/spec/containers/0/resources/limits/memory/'"
)


def test_a_limit_is_lowered_to_what_a_kyverno_policy_says(tmp_path: Path) -> None:
    files = shop(web=workload(resources(limits="3Gi")))
    result = propose(tmp_path, files, SYNC_STATUS.format(message=KYVERNO.format(bound="not exceed 2Gi")))
    assert result.value("spec.template.spec.containers.0.resources.limits.memory") == "2Gi"


def test_a_bound_that_is_not_allowed_itself_leaves_the_value_open(tmp_path: Path) -> None:
    files = shop(web=workload(resources(limits="3Gi")))
    assert not propose(tmp_path, files, SYNC_STATUS.format(message=KYVERNO.format(bound="be less than 2Gi"))).changed


KUSTOMIZATION = """\
resources:
- web.yaml
patches:
- {first}
- path: replicas.yaml  # set by hand
"""
NOT_AN_OBJECT = SYNC_STATUS.format(
    message="Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
    "`kustomize build <path to cached source>/web` failed exit status 1: Error: invalid Kustomization: json: cannot "
    "unmarshal string into Go struct field Kustomization.patches of type types.Patch"
)


def kustomized(first: str) -> dict[str, str]:
    patch = yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}})
    return {
        "apps/web.yaml": yaml.safe_dump(application("web", "web")),
        "web/web.yaml": yaml.safe_dump(workload()),
        "web/kustomization.yaml": KUSTOMIZATION.format(first=first),
        "web/memory.yaml": patch,
        "web/replicas.yaml": patch,
    }


def test_a_bare_name_among_patches_becomes_an_object_with_a_path(tmp_path: Path) -> None:
    result = propose(tmp_path, kustomized("memory.yaml"), NOT_AN_OBJECT)
    assert result.changed == {"web/kustomization.yaml": KUSTOMIZATION.format(first="path: memory.yaml")}


@pytest.mark.parametrize("entry", ["memroy.yaml", "path: memory.yaml"], ids=["no such file", "already an object"])
def test_an_entry_that_a_path_would_not_mend_stays(tmp_path: Path, entry: str) -> None:
    assert not propose(tmp_path, kustomized(entry), NOT_AN_OBJECT).changed


DIFFERENCE = SYNC_STATUS.format(
    message="one or more objects failed to apply, reason: PersistentVolumeClaim "
    '"data" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and '
    "volumeAttributesClassName for bound claims  core.PersistentVolumeClaimSpec{{    ... // 3 identical fields  "
    '  VolumeName: "pvc-1",  - StorageClassName: &"fast",  + StorageClassName: {applied},  {rest_of_difference}  VolumeMode: '
    '&"Filesystem",  }}'
)
"""Argo CD prints the message on one line here; in JSON it has line breaks."""


def test_a_field_that_cannot_change_gets_the_value_that_runs(tmp_path: Path) -> None:
    result = propose(
        tmp_path, shop(web=workload(), data=claim("data")), DIFFERENCE.format(applied="nil", rest_of_difference="")
    )
    assert result.value("spec.storageClassName", "web/data.yaml") == "fast"


@pytest.mark.parametrize(
    ("applied", "difference"),
    [('&"slow"', ""), ("nil", '- VolumeMode: &"Block",  + VolumeMode: nil,')],
    ids=["the desired state sets it", "more than one field"],
)
def test_a_difference_that_may_be_meant_stays(tmp_path: Path, applied: str, difference: str) -> None:
    result = propose(
        tmp_path,
        shop(web=workload(), data=claim("data")),
        DIFFERENCE.format(applied=applied, rest_of_difference=difference),
    )
    assert not result.changed


CALL = """\
$ kubectl logs deploy/web -n shop --tail=2
panic: cannot reach the catalogue: dial tcp: catalogue:9091: connect: connection refused

$ kubectl get svc catalogue -n shop
NAME        TYPE        CLUSTER-IP    EXTERNAL-IP   PORT(S)    AGE
catalogue   ClusterIP   10.96.7.20    <none>        {ports}   3d
"""
CHART = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: web
  namespace: argocd
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source:
    repoURL: https://charts.example.com/stable
    chart: web
    targetRevision: 1.0.0
    helm:
      valuesObject:
        web:
          catalogue: grpc://catalogue:9091/v1  # no TLS inside
          prices: prices:9091
"""


def test_a_text_that_dials_a_port_which_the_service_has_not_dials_the_one_it_has(tmp_path: Path) -> None:
    result = propose(tmp_path, {"apps/web.yaml": CHART}, CALL.format(ports="9090/TCP"))
    assert result.changed == {"apps/web.yaml": CHART.replace("catalogue:9091", "catalogue:9090")}


@pytest.mark.parametrize("ports", ["9091/TCP", "9090/TCP,9093/TCP"], ids=["the dialled one", "two ports"])
def test_a_service_that_does_not_tell_one_other_port_changes_nothing(tmp_path: Path, ports: str) -> None:
    assert not propose(tmp_path, {"apps/web.yaml": CHART}, CALL.format(ports=ports)).changed


def test_of_two_texts_with_the_refused_address_none_is_changed(tmp_path: Path) -> None:
    twice = CHART + "          fallback: catalogue:9091\n"
    assert not propose(tmp_path, {"apps/web.yaml": twice}, CALL.format(ports="9090/TCP")).changed


SCHEDULING = """\
$ kubectl get events -n shop
LAST SEEN   TYPE      REASON             OBJECT                     MESSAGE
31s         Warning   FailedScheduling   pod/web-5d7b9c6f8b-x2m7k   0/2 nodes are available: 2 Insufficient memory.

$ kubectl get nodes -o custom-columns=NAME:.metadata.name,MEM:{path}
NAME   MEM
a      8Gi
b      4Gi
"""


def test_an_amount_in_a_column_of_any_heading_bounds_a_request(tmp_path: Path) -> None:
    files = shop(web=workload(resources(requests="12Gi")))
    result = propose(tmp_path, files, SCHEDULING.format(path=".status.allocatable.memory"))
    assert result.value("spec.template.spec.containers.0.resources.requests.memory") == "4Gi"


def test_a_column_that_is_no_amount_of_a_node_bounds_nothing(tmp_path: Path) -> None:
    files = shop(web=workload(resources(requests="12Gi")))
    assert not propose(tmp_path, files, SCHEDULING.format(path=".metadata.annotations.memory")).changed


def service(name: str, node_port: int) -> dict[str, object]:
    ports = [{"port": 80, "nodePort": node_port}]
    return other("Service", name, {"type": "NodePort", "selector": {"app": "web"}, "ports": ports})


def refused(kind: str, name: str, field: str) -> str:
    message = f'one or more objects failed to apply, reason: {kind} "{name}" is invalid: {field}'
    return SYNC_STATUS.format(message=message)


RANGE = "Invalid value: {}: provided port is not in the valid range. The range of valid ports is 30000-32767"


def test_a_node_port_outside_the_range_becomes_the_nearest_free_one(tmp_path: Path) -> None:
    files = shop(web=workload(), one=service("one", 32801), two=service("two", 32767))
    result = propose(tmp_path, files, refused("Service", "one", f"spec.ports[0].nodePort: {RANGE.format(32801)}"))
    assert result.value("spec.ports.0.nodePort", "web/one.yaml") == 32766


def test_a_node_port_that_ran_before_comes_before_the_nearest_one(tmp_path: Path) -> None:
    files, older = shop(web=workload(), one=service("one", 32801)), shop(one=service("one", 31001))
    text = refused("Service", "one", f"spec.ports[0].nodePort: {RANGE.format(32801)}")
    result = propose(tmp_path, files, text, before=[older])
    assert result.value("spec.ports.0.nodePort", "web/one.yaml") == 31001


def test_an_amount_above_the_range_becomes_its_upper_end(tmp_path: Path) -> None:
    weight = {"weight": 150, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
    terms = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [weight]}}
    files = shop(web=workload(pod={"affinity": terms}))
    field = "spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight"
    text = f"{field}: Invalid value: 150: must be in the range 1-100"
    result = propose(tmp_path, files, refused("Deployment.apps", "web", text))
    steps = field.replace("[0]", ".0")
    assert result.value(steps) == 100


@pytest.mark.parametrize(
    ("current", "field", "text"),
    [
        ({"ports": [{"containerPort": 70000}]}, "ports[0].containerPort", "70000: must be between 1 and 65535"),
        ({"securityContext": {"runAsUser": 70000}}, "securityContext.runAsUser", "70000: must be between 1 and 65535"),
        (
            {"terminationMessagePath": "/a", "livenessProbe": {"periodSeconds": 5, "exec": {"command": ["true"]}}},
            "livenessProbe.periodSeconds",
            "0: must be greater than or equal to 10",
        ),
    ],
    ids=["a port that something listens on", "an account", "no longer the value"],
)
def test_a_number_whose_nearest_allowed_one_means_nothing_stays(
    tmp_path: Path, current: dict[str, object], field: str, text: str
) -> None:
    message = f"spec.template.spec.containers[0].{field}: Invalid value: {text}"
    assert not propose(tmp_path, shop(web=workload(current)), refused("Deployment.apps", "web", message)).changed


TEMPLATE = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "needsowner"},
    "spec": {"crd": {"spec": {"names": {"kind": "NeedsOwner"}}}},
}
CONSTRAINT = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "NeedsOwner", "metadata": {"name": "spaces"}}
UNKNOWN_KIND = SYNC_STATUS.format(
    message="The Kubernetes API could not find constraints.gatekeeper.sh/NeedsOwner for requested resource shop/spaces. Make sure the CRD is installed."
)


def test_the_dry_run_of_a_kind_that_a_template_makes_is_left_out(tmp_path: Path) -> None:
    result = propose(tmp_path, shop(template=TEMPLATE, constraint=CONSTRAINT), UNKNOWN_KIND)
    assert set(result.changed) == {"web/constraint.yaml"}
    annotations = result.value("metadata.annotations", "web/constraint.yaml")
    assert annotations == {"argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true"}


def test_a_kind_that_nothing_here_makes_is_left_to_a_person(tmp_path: Path) -> None:
    assert not propose(tmp_path, shop(constraint=CONSTRAINT), UNKNOWN_KIND).changed


ESCALATION = (
    'admission webhook "validate.kyverno.svc-fail" denied the request: resource Deployment/shop/web was blocked due to the following policies '
    "no-escalation: rule-1: 'validation error: Privilege escalation is disallowed. rule rule-1 failed at path "
    "/spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation/'"
)


@pytest.mark.parametrize(
    "message",
    [REFUSED + "Privilege escalation container is not allowed: web", ESCALATION],
    ids=["gatekeeper", "kyverno"],
)
def test_the_container_that_a_policy_names_may_gain_no_privileges(tmp_path: Path, message: str) -> None:
    files = shop(web=workload(), other=workload(name="other"))
    result = propose(tmp_path, files, SYNC_STATUS.format(message=message))
    assert set(result.changed) == {"web/web.yaml"}
    assert result.value("spec.template.spec.containers.0.securityContext") == {"allowPrivilegeEscalation": False}


def test_a_container_of_another_name_gains_nothing(tmp_path: Path) -> None:
    message = REFUSED + "Privilege escalation container is not allowed: agent"
    assert not propose(tmp_path, shop(web=workload()), SYNC_STATUS.format(message=message)).changed


EXEC_FORMAT = """\
$ kubectl get pods -n shop
NAME                   READY   STATUS             RESTARTS      AGE
web-5d7b9c6f8b-x2m7k   0/1     CrashLoopBackOff   6 (71s ago)   7m
$ kubectl logs web-5d7b9c6f8b-x2m7k -n shop
exec /app/web: exec format error
"""


def bound_to(architecture: str) -> dict[str, object]:
    return workload(pod={"nodeSelector": {"kubernetes.io/arch": architecture}})


def test_pods_go_back_to_the_architecture_that_others_ask_for(tmp_path: Path) -> None:
    api = workload(name="api", pod={"nodeSelector": {"kubernetes.io/arch": "amd64"}})
    told = propose(tmp_path, shop(web=bound_to("arm64"), api=api), EXEC_FORMAT)
    assert told.value("spec.template.spec.nodeSelector") == {"kubernetes.io/arch": "amd64"}


@pytest.mark.parametrize("architecture", ["arm64", "s390x"])
def test_an_architecture_that_nothing_names_is_not_guessed(tmp_path: Path, architecture: str) -> None:
    assert not propose(tmp_path, shop(web=bound_to(architecture)), EXEC_FORMAT).changed


LINK = """$ kubectl get pods -n shop
NAME                   READY   STATUS             RESTARTS      AGE
web-5d7b9c6f8b-x2m7k   0/1     CrashLoopBackOff   6 (71s ago)   7m
$ kubectl logs web-5d7b9c6f8b-x2m7k -n shop
Traceback (most recent call last):
  File "/app/settings.py", line 41, in load
    port=int(os.environ.get("CACHE_PORT", "6379")),
ValueError: invalid literal for int() with base 10: 'tcp://10.96.114.27:6379'
"""
CACHE = other("Service", "cache", {"selector": {"app": "cache"}, "ports": [{"port": 6379}]})


def test_a_program_that_stumbles_over_a_service_link_gets_none(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(web=workload(), cache=CACHE), LINK)
    assert told.value("spec.template.spec.enableServiceLinks") is False


@pytest.mark.parametrize(
    "env",
    [{"name": "CACHE_PORT", "value": "6380"}, {"name": "HOST", "value": "$(CACHE_SERVICE_HOST)"}],
    ids=["it sets the variable", "it reads other links"],
)
def test_service_links_stay_where_they_are_used_or_overridden(tmp_path: Path, env: dict[str, str]) -> None:
    told = propose(tmp_path, shop(web=workload({"env": [env]}), cache=CACHE), LINK)
    assert "enableServiceLinks" not in str(told.changed)


RESIZED = SYNC_STATUS.format(
    message='error when patching "/dev/shm/1": persistentvolumeclaims "data" is forbidden: only dynamically provisioned pvc '
    "can be resized and the storageclass that provisions the pvc must support resize"
)


def storage_class(**fields: object) -> dict[str, object]:
    return {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "keep"}, "provisioner": "csi.example.com",
        **fields,
    }  # fmt: skip


def test_the_class_of_a_claim_that_may_not_grow_allows_it(tmp_path: Path) -> None:
    told = propose(tmp_path, shop(data=claim("data", "20Gi", storageClassName="keep"), keep=storage_class()), RESIZED)
    assert told.value("allowVolumeExpansion", "web/keep.yaml") is True


@pytest.mark.parametrize("fields", [{"allowVolumeExpansion": True}, {"provisioner": "kubernetes.io/no-provisioner"}])
def test_a_class_that_allows_it_or_cannot_is_left(tmp_path: Path, fields: dict[str, object]) -> None:
    files = shop(data=claim("data", "20Gi", storageClassName="keep"), keep=storage_class(**fields))
    assert "web/keep.yaml" not in propose(tmp_path, files, RESIZED).changed
