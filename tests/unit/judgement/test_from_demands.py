"""A message that says what it wants gets it, at the one place that is meant; what leaves the value open is declined."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.remedies.small_repository import application, propose, shop, workload

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
