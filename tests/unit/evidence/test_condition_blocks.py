"""Conditions of any object's status are read wherever they stand; one that is as it should be tells nothing."""

from __future__ import annotations

import json

import pytest

from tests.unit.evidence.scanning import statements

REFUSED = "Backend ref to service identity/accounts not permitted by any ReferenceGrant."
DESCRIBED = f"""\
Status:
  Parents:
    Conditions:
      Last Transition Time:  2026-03-01T14:20:47Z
      Message:               Route is accepted
      Reason:                Accepted
      Status:                True
      Type:                  Accepted
      Last Transition Time:  2026-03-01T14:20:47Z
      Message:               {REFUSED}
      Reason:                RefNotPermitted
      Status:                False
      Type:                  ResolvedRefs
    Controller Name:         example.net/gateway
"""
YAML = f"""\
status:
  parents:
  - conditions:
    - lastTransitionTime: "2026-03-01T14:20:47Z"
      message: Route is accepted
      reason: Accepted
      status: "True"
      type: Accepted
    - lastTransitionTime: "2026-03-01T14:20:47Z"
      message: {REFUSED}
      reason: RefNotPermitted
      status: "False"
      type: ResolvedRefs
"""
WHOLE = {
    "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "login", "namespace": "routes"},
    "status": {"parents": [{"conditions": [
        {"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Route is accepted"},
        {"type": "ResolvedRefs", "status": "False", "reason": "RefNotPermitted", "message": REFUSED},
    ]}]},
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "$ kubectl -n routes describe httproute login | tail -28\n" + DESCRIBED,
        "$ kubectl -n routes get httproute login -o yaml | sed -n '/^status/,$p'\n" + YAML,
        "$ kubectl -n routes get httproute login -o json\n" + json.dumps(WHOLE, indent=2) + "\n",
        "Name:         login\nNamespace:    routes\nLabels:       <none>\nAPI Version:  gateway.networking.k8s.io/v1\nKind:         HTTPRoute\n" + DESCRIBED,
    ],
    ids=["cut describe", "cut yaml", "json", "describe"],
)  # fmt: skip
def test_a_condition_that_should_hold_and_does_not_is_a_statement_about_its_object(text: str) -> None:
    told = [s for s in statements(text) if s.facts.get("condition")]
    assert [(s.reason, s.text, s.facts["condition_status"]) for s in told] == [("RefNotPermitted", REFUSED, "False")]
    assert (told[0].subject.kind, told[0].subject.name, told[0].subject.namespace) == ("HTTPRoute", "login", "routes")
    assert told[0].channel == "status"


@pytest.mark.parametrize("block", [DESCRIBED, YAML])
def test_a_status_that_is_as_it_should_be_tells_no_trouble(block: str) -> None:
    calm = block.replace("False", "True")
    assert not [s for s in statements(calm) if s.facts.get("condition")]


def test_a_condition_of_a_type_that_nobody_knows_is_not_called_trouble() -> None:
    unknown = YAML.replace("ResolvedRefs", "Suspended")
    assert not [s for s in statements(unknown) if s.facts.get("condition")]
