"""NetworkPolicies that block a client of a Service.

A policy is changed only where one policy governs the pods, so that it is clear which rule blocks the client. What the
policy admits today stays admitted; peers whose labels cannot be known here (address ranges, namespaces) count as open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.path_spelling import is_slip
from remediator.remedies.engine.spelling import one_of
from remediator.remedies.views.service_view import (
    FaultyService,
    WorkloadPods,
    container_ports,
    faulty_services,
    live_pods,
    neighbours,
    pods_in_namespace,
    selected_pods,
)

_IDENTIFYING_LABELS = (
    "app",
    "app.kubernetes.io/name",
    "k8s-app",
    "tier",
    "role",
    "component",
    "app.kubernetes.io/component",
    "name",
)
"""Labels by which policies usually select pods, the most specific first."""


@dataclass(frozen=True)
class Policy:
    """A NetworkPolicy that governs the traffic into the server's pods."""

    application: Application
    manifest: Manifest
    spec: dict[str, Any]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules for incoming traffic."""
        return [rule if isinstance(rule, dict) else {} for rule in self.spec.get("ingress") or ()]


@dataclass(frozen=True)
class CallerPods:
    """The pods of a client that the policies block."""

    name: str
    namespace: str
    labels: dict[str, str]
    evidence: tuple[Evidence, ...]


def fix_network_policy(case: RemedyContext) -> Iterator[Fix]:
    """Admit the client: correct the label or port that is meant for it, or add it to the rule that admits other clients."""
    dropped = bool(case.signals("connection_timeout"))
    for server in faulty_services(case):
        pods = selected_pods(server, pods_in_namespace(case, server))
        if len({workload.manifest.name for workload in pods}) != 1:
            continue
        policies = _policies(case, server, pods)
        ports = _server_ports(server, pods)
        for client in _clients(case, server):
            if policies and not any(_admits(policy, client, ports, server.namespace) for policy in policies):
                for fix in _admission_fixes(case, server, policies, client, ports):
                    yield fix if dropped else replace(fix, score=0.0)


def _policies(case: RemedyContext, server: FaultyService, pods: Sequence[WorkloadPods]) -> list[Policy]:
    """Return the policies for traffic into the server's pods; without any, all traffic is admitted."""
    policies = []
    for application, manifest in neighbours(case, server.application, server.namespace):
        spec = manifest.body.get("spec")
        if manifest.kind != "NetworkPolicy" or not isinstance(spec, dict):
            continue
        types = spec.get("policyTypes") or ["Ingress"]
        if "Ingress" in types and _selects(spec.get("podSelector"), pods[0].labels):
            policies.append(Policy(application, manifest, spec))
    return policies


def _selects(selector: Any, labels: Any) -> bool:
    """Return True where a label selector matches these labels; an empty one matches all."""
    if not isinstance(selector, dict):
        return selector is None
    match_labels = selector.get("matchLabels") or {}
    for expression in selector.get("matchExpressions") or ():
        key, values = expression.get("key"), [str(value) for value in expression.get("values") or ()]
        has = key in labels
        results = {
            "In": has and labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": has,
            "DoesNotExist": not has,
        }
        if not results.get(str(expression.get("operator")), False):
            return False
    return all(labels.get(key) == str(value) for key, value in match_labels.items())


def _server_ports(server: FaultyService, pods: Sequence[WorkloadPods]) -> set[str]:
    """Return the ports and port names on which clients reach the server's pods."""
    targets = {
        str(port.get("targetPort") or port.get("port"))
        for port in server.ports
        if not server.client_ports or str(port.get("port")) in server.client_ports
    }
    names = {
        str(item.get("name")): str(item["containerPort"]) for _, item, _ in container_ports(pods) if item.get("name")
    }
    numbers = {number: name for name, number in names.items()}
    return (
        targets
        | {names[target] for target in targets if target in names}
        | {numbers[target] for target in targets if target in numbers}
    )


def _clients(case: RemedyContext, server: FaultyService) -> Iterator[CallerPods]:
    """Yield the clients that complain about the server, with their labels from the repository or the input."""
    names = set()
    for piece in server.evidence:
        name, namespace = piece.subject.name, piece.subject.namespace or server.namespace
        if (
            piece.channel not in ("log", "text")
            or not name
            or (name, namespace) in names
            or name == server.manifest.name
        ):
            continue
        names.add((name, namespace))
        labels = next((labels for pod, labels in live_pods(case, namespace) if pod.subject.name == name), {})
        for pods in pods_in_namespace(case, server) if namespace == server.namespace else ():
            if pods.manifest.name == name:
                labels = dict(pods.labels)
        if labels:
            labels = {
                key: value for key, value in labels.items() if not key.endswith(("-hash", "pod-index", "pod-name"))
            }
            yield CallerPods(name, namespace, labels, tuple(e for e in server.evidence if e.subject.name == name))


def _admits(policy: Policy, client: CallerPods, ports: set[str], namespace: str) -> bool:
    return any(
        _opens_port(rule, ports)
        and (not rule.get("from") or any(_is_peer(peer, client, namespace) for peer in rule["from"]))
        for rule in policy.rules
    )


def _opens_port(rule: dict[str, Any], ports: set[str]) -> bool:
    listed = [str(item.get("port")) for item in rule.get("ports") or () if isinstance(item, dict)]
    return not listed or bool(ports & set(listed)) or "None" in listed


def _is_peer(peer: Any, client: CallerPods, namespace: str) -> bool:
    if not isinstance(peer, dict) or "ipBlock" in peer:
        return True  # an address range: whether the client is in it cannot be told
    if "namespaceSelector" in peer:
        return True  # the labels of namespaces are not known here
    return client.namespace == namespace and _selects(peer.get("podSelector"), client.labels)


def _admission_fixes(
    case: RemedyContext, server: FaultyService, policies: list[Policy], client: CallerPods, ports: set[str]
) -> Iterator[Fix]:
    if client.namespace != server.namespace or len(policies) != 1:
        return
    policy = policies[0]
    for i, rule in enumerate(policy.rules):
        open_port = _opens_port(rule, ports)
        peers = rule.get("from") or []
        if not open_port and (not peers or any(_is_peer(peer, client, server.namespace) for peer in peers)):
            yield from _opened_port(case, server, policy, i, ports, client)
        elif open_port and peers:
            yield from _corrected_peer(case, server, policy, i, client)


def _corrected_peer(
    case: RemedyContext, server: FaultyService, policy: Policy, rule: int, client: CallerPods
) -> Iterator[Fix]:
    """Correct one label of a peer to the client's where no pod has it, then propose the client as a further peer."""
    pods = pods_in_namespace(case, server)
    peers = policy.rules[rule]["from"]
    for j, peer in enumerate(peers):
        labels = (peer.get("podSelector") or {}).get("matchLabels") or {}
        wrong = [key for key, value in labels.items() if client.labels.get(key) != str(value)]
        if len(wrong) != 1 or (peer.get("podSelector") or {}).get("matchExpressions") or wrong[0] not in client.labels:
            continue
        key = wrong[0]
        nobody = not any(_selects(peer["podSelector"], workload.labels) for workload in pods)
        slip = is_slip(str(labels[key]), client.labels[key])
        path: YamlPath = ("spec", "ingress", rule, "from", j, "podSelector", "matchLabels", key)
        yield Fix(
            title=f"let NetworkPolicy `{policy.manifest.name}` admit {key}={client.labels[key]}",
            reason=f"`{client.name}` cannot reach `{server.manifest.name}`: the policy admits {key}={labels[key]}, its pods have {key}={client.labels[key]}.",
            evidence=case.cite(*client.evidence),
            wants=(Want.of(policy, path, client.labels[key]),),
            parameters={
                "policy": policy.manifest.name,
                "from": f"{key}={labels[key]}",
                "to": f"{key}={client.labels[key]}",
            },
            score=0.7 if slip else 0.6 if nobody else 0.0,
            accepts=one_of([client.labels[key]]),
        )
    yield from _added_peer(case, server, policy, rule, client)


def _added_peer(
    case: RemedyContext, server: FaultyService, policy: Policy, rule: int, client: CallerPods
) -> Iterator[Fix]:
    """Add the client as a further peer, by the label that the policy uses for its other peers."""
    peers = policy.rules[rule]["from"]
    used = [key for peer in peers for key in ((peer.get("podSelector") or {}).get("matchLabels") or {})]
    key = next((key for key in (*used, *_IDENTIFYING_LABELS) if key in client.labels), "")
    matching = {
        workload.manifest.name
        for workload in pods_in_namespace(case, server)
        if key and workload.labels.get(key) == client.labels[key]
    }
    if not key or not used or matching - {client.name}:
        return
    peer = {"podSelector": {"matchLabels": {key: client.labels[key]}}}
    yield Fix(
        title=f"let NetworkPolicy `{policy.manifest.name}` admit {key}={client.labels[key]} too",
        reason=f"`{client.name}` cannot reach `{server.manifest.name}`: no peer of the policy is one of its pods. All other peers stay admitted.",
        evidence=case.cite(*client.evidence),
        wants=(Want.of(policy, ("spec", "ingress", rule, "from"), [*peers, peer]),),
        parameters={"policy": policy.manifest.name, "to": f"{key}={client.labels[key]}"},
        score=0.62,
    )


def _opened_port(
    case: RemedyContext, server: FaultyService, policy: Policy, rule: int, ports: set[str], client: CallerPods
) -> Iterator[Fix]:
    """Set the only port of a rule that admits the client to the port that the server listens on."""
    listed = policy.rules[rule].get("ports") or []
    numbers = sorted(int(port) for port in ports if port.isdigit())
    if len(listed) != 1 or len(numbers) != 1:
        return
    yield Fix(
        title=f"let NetworkPolicy `{policy.manifest.name}` open port {numbers[0]}",
        reason=f"the policy admits `{client.name}` on port {listed[0].get('port')} only; `{server.manifest.name}` listens on {numbers[0]}.",
        evidence=case.cite(*client.evidence),
        wants=(Want.of(policy, ("spec", "ingress", rule, "ports", 0, "port"), numbers[0]),),
        parameters={"policy": policy.manifest.name, "from": str(listed[0].get("port")), "to": str(numbers[0])},
        score=0.6,
        accepts=lambda old: str(old) in ports,
    )
