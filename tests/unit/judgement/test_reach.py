"""What an incident's world reaches: other namespaces of the cluster, but only those that its evidence leads to."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.unit.remedies.small_repository import application, events, log, other, propose, shop, workload

NO_PORT = events((
    "FailedScheduling",
    "pod/web-5d7b9c6f8b-x2m7k",
    "0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.",
))  # fmt: skip


def with_port(port: int) -> dict[str, object]:
    return {"ports": [{"containerPort": 8085, "hostPort": port}]}


def agent(port: int) -> dict[str, str]:
    """Return an agent on every node, in a namespace of its own."""
    return {
        "apps/agent.yaml": yaml.safe_dump(application("agent", "agent", "monitoring")),
        "agent/agent.yaml": yaml.safe_dump(workload(with_port(port), kind="DaemonSet", name="agent")),
    }


def test_a_deployment_gives_up_the_host_port_of_another_namespaces_agent(tmp_path: Path) -> None:
    told = propose(tmp_path, {**shop(web=workload(with_port(9100))), **agent(9100)}, NO_PORT)
    assert set(told.changed) == {"web/web.yaml"}
    assert told.value("spec.template.spec.containers.0.ports.0") == {"containerPort": 8085}


def test_a_host_port_that_nobody_else_claims_stays(tmp_path: Path) -> None:
    assert not propose(tmp_path, {**shop(web=workload(with_port(9100))), **agent(9200)}, NO_PORT).changed


def caller(environment: dict[str, str]) -> dict[str, str]:
    """Return a caller and two Services on one port: the pods of one are scaled to zero."""
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    return shop(
        web=workload({"env": variables}),
        products=[
            workload(name="products", spec={"replicas": 0}),
            other("Service", "products", {"selector": {"app": "products"}, "ports": [{"port": 3550}]}),
        ],
        prices=[
            workload(name="prices"),
            other("Service", "prices", {"selector": {"app": "prices"}, "ports": [{"port": 3550}]}),
        ],
    )


DIALED = log("could not list products: dial tcp 10.96.211.8:3550: connect: connection refused")


def test_an_address_of_numbers_is_the_service_that_the_caller_names_with_its_port(tmp_path: Path) -> None:
    told = propose(tmp_path, caller({"PRODUCTS": "products:3550", "PRICES": "prices:8080"}), DIALED)
    assert told.actions[:1] == ["restore_replicas"]
    assert told.value("spec.replicas", "web/products.yaml") == 1


def test_an_address_that_two_services_could_have_is_nobodys(tmp_path: Path) -> None:
    assert not propose(tmp_path, caller({"PRODUCTS": "products:3550", "PRICES": "prices:3550"}), DIALED).changed
