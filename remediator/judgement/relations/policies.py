"""Relations between workloads and what bounds them in their namespace: network policies, quotas, limit ranges."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from remediator.domain import quantities
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, labels_match, mapping, spec
from remediator.judgement.relations.network import called_services
from remediator.judgement.world import Placed, World

_DNS = 53
_LOOKUPS = ("no such host", "EAI_AGAIN", "Temporary failure in name resolution", "lookup", "resolve", "i/o timeout")


def _selects(policy: Placed, workload: Placed) -> bool:
    selector = mapping(spec(policy).get("podSelector"))
    labels = mapping(selector.get("matchLabels"))
    return not selector.get("matchExpressions") and labels_match(labels, workload.pod_labels)


def policy_allows_dns(world: World) -> Iterator[Broken]:
    """Yield egress policies under which a workload reaches some peers and no name server."""
    for policy in world.of_kind("NetworkPolicy"):
        rules = items(spec(policy).get("egress"))
        if (
            "Egress" not in (spec(policy).get("policyTypes") or ())
            or not rules
            or any(_reaches_dns(rule) for rule in rules)
        ):
            continue
        selected = tuple(
            item for item in world.workloads if item.namespace == policy.namespace and _selects(policy, item)
        )
        peers_of_policy = [sibling for sibling in world.of_kind("NetworkPolicy", near=policy) if sibling is not policy]
        if any(
            _reaches_dns(rule)
            for sibling in peers_of_policy
            for rule in items(spec(sibling).get("egress"))
            if any(_selects(sibling, item) for item in selected)
        ):
            continue
        rule = {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
            "ports": [{"protocol": "UDP", "port": _DNS}, {"protocol": "TCP", "port": _DNS}],
        }
        yield Broken(
            relation="policy_allows_dns", at=policy, path=("spec", "egress"), value=[*rules, rule], sure=0.6,
            message=f"NetworkPolicy {policy.name} lets {', '.join(item.name for item in selected[:3]) or 'its pods'} reach no name server",
            causes=("network_error", "application_error", "crashloop"), sufferers=selected, words=_LOOKUPS,
        )  # fmt: skip


def _reaches_dns(rule: dict[str, Any]) -> bool:
    ports = items(rule.get("ports"))
    return not ports or any(port.get("port") in (_DNS, "dns", "dns-tcp") or _spans(port, _DNS) for port in ports)


def _spans(port: dict[str, Any], number: int) -> bool:
    start, end = port.get("port"), port.get("endPort")
    return isinstance(start, int) and isinstance(end, int) and start <= number <= end


def policy_allows_callers(world: World) -> Iterator[Broken]:
    """Yield ingress policies that shut out a workload whose own environment names the Service behind them."""
    for caller, service, _ in called_services(world):
        for target in world.pods_of(mapping(spec(service).get("selector")), service):
            policies = [
                policy
                for policy in world.of_kind("NetworkPolicy", near=target)
                if _selects(policy, target) and "Ingress" in (spec(policy).get("policyTypes") or ("Ingress",))
            ]
            if (
                not policies
                or any(_admits(policy, caller) for policy in policies)
                or caller.namespace != target.namespace
            ):
                continue
            policy = policies[0]
            peers = [peer for rule in items(spec(policy).get("ingress")) for peer in items(rule.get("from"))]
            keys = {key for peer in peers for key in mapping(mapping(peer.get("podSelector")).get("matchLabels"))}
            labels = {key: value for key, value in caller.pod_labels.items() if key in keys} or _telling(caller)
            rules = items(spec(policy).get("ingress"))
            if len(policies) != 1 or len(rules) != 1 or not labels:
                continue
            yield Broken(
                relation="policy_allows_callers", at=policy, path=("spec", "ingress", 0, "from"),
                value=[*items(rules[0].get("from")), {"podSelector": {"matchLabels": labels}}], sure=0.7,
                message=f"NetworkPolicy {policy.name} shuts out {caller.name}, which calls Service {service.name}",
                causes=("network_error", "application_error"), sufferers=(caller, target), words=(service.name, caller.name),
            )  # fmt: skip


def _telling(workload: Placed) -> dict[str, str]:
    for key in ("app.kubernetes.io/name", "app", "k8s-app", "name", "app.kubernetes.io/component"):
        if value := workload.pod_labels.get(key):
            return {key: value}
    return {}


def _admits(policy: Placed, caller: Placed) -> bool:
    for rule in items(spec(policy).get("ingress")):
        peers = items(rule.get("from"))
        if not peers:
            return True
        for peer in peers:
            selector = mapping(peer.get("podSelector"))
            other_namespace = "namespaceSelector" in peer and "podSelector" not in peer
            if other_namespace or selector.get("matchExpressions"):
                return True  # labels of namespaces live in the cluster: what cannot be told shuts nobody out
            if "podSelector" in peer and labels_match(mapping(selector.get("matchLabels")), caller.pod_labels):
                return True
    return False


def quota_holds_workloads(world: World) -> Iterator[Broken]:
    """Yield quotas below what the workloads of their own namespace ask for, one more pod for the rollout included."""
    for quota in world.of_kind("ResourceQuota"):
        if not world.is_complete(quota.namespace) or spec(quota).get("scopes") or spec(quota).get("scopeSelector"):
            continue
        workloads = [
            item for item in world.workloads if item.namespace == quota.namespace and item.cluster == quota.cluster
        ]
        for name, text in mapping(spec(quota).get("hard")).items():
            hard, required = quantities.parse(text), _needed(str(name), workloads)
            if hard is None or required is None or required <= hard:
                continue
            yield Broken(
                relation="quota_holds_workloads", at=quota, path=("spec", "hard", name), value=_amount(required, str(text)), sure=0.6,
                message=f"ResourceQuota {quota.name} allows {text} of {name}, and the workloads of {quota.namespace} need {_amount(required, str(text))}",
                causes=("quota_exceeded", "signal:quota_exceeded"), sufferers=tuple(workloads), words=(quota.name, str(name), "exceeded quota"),
            )  # fmt: skip


def _needed(name: str, workloads: list[Placed]) -> Decimal | None:
    """Return the sum over all pods, plus one surge pod of the largest workload; None for what no manifest tells."""
    if name in ("pods", "count/pods"):
        shares = [(Decimal(1), _replicas(item)) for item in workloads if item.kind in _RUNNING]
    else:
        side, _, resource = name.rpartition(".")
        side = side or "requests"
        if side not in ("requests", "limits") or resource not in ("cpu", "memory", "ephemeral-storage"):
            return None
        shares = [(_share(item, side, resource), _replicas(item)) for item in workloads if item.kind in _RUNNING]
    if not shares:
        return None
    surge = max((share for share, _ in shares), default=Decimal(0))
    return sum((share * count for share, count in shares), Decimal(0)) + surge


_RUNNING = ("Deployment", "StatefulSet", "Rollout", "ReplicaSet")


def _replicas(workload: Placed) -> int:
    count = spec(workload).get("replicas", 1)
    return count if isinstance(count, int) else 1


def _share(workload: Placed, side: str, resource: str) -> Decimal:
    total = Decimal(0)
    for container, _, init in workload.containers():
        resources = mapping(container.get("resources"))
        amount = quantities.parse(mapping(resources.get(side)).get(resource))
        if amount is None and side == "requests":
            amount = quantities.parse(mapping(resources.get("limits")).get(resource))
        if amount is not None and not init:
            total += amount
    return total


def _amount(amount: Decimal, model: str) -> str:
    if model.endswith(("i", "M", "G", "k")):
        return quantities.bytes_like(amount, model)
    if amount == amount.to_integral_value():
        return str(int(amount))
    return f"{int(amount * 1000)}m"
