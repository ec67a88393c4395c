"""Relations between pods and the name server that they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, pod_template, spec
from remediator.judgement.world import World

_SERVICE_HOST = re.compile(r"\b[a-z0-9-]+\.[a-z0-9-]+\.svc\b")
_TOLERATES = "service.alpha.kubernetes.io/tolerate-unready-endpoints"
"""The annotation that `spec.publishNotReadyAddresses` has replaced: https://github.com/kubernetes/kubernetes/pull/63742."""
_OPENSHIFT_DNS = "openshift-dns"
_DNS, _OPENSHIFT_PORT = 53, 5353
"""Pods of OpenShift's resolver listen on 5353; a policy applies to the port of the pod, not to that of the Service."""


def host_network_resolves_services(world: World) -> Iterator[Broken]:
    """Yield pods on the network of their node that call a Service by name and ask the node's resolver for it."""
    for workload in world.workloads:
        pod, path = pod_template(workload)
        if pod.get("hostNetwork") is not True or pod.get("dnsPolicy") not in {None, "ClusterFirst"}:
            continue
        if not (called := _SERVICE_HOST.search(str(pod))):
            continue
        yield Broken(
            relation="host_network_resolves_services", at=workload, path=(*path, "dnsPolicy"),
            value="ClusterFirstWithHostNet", sure=0.9, words=(called[0], workload.name),
            message=f"Pods of {workload.name} run on the network of their node, whose resolver does not know {called[0]}",
            causes=("network_error", "application_error", "crashloop"),
        )  # fmt: skip


def peers_are_published(world: World) -> Iterator[Broken]:
    """Yield headless Services that ask for addresses of pods that are not ready by an annotation that nobody reads any more."""
    for service in world.of_kind("Service"):
        annotations = mapping(mapping(service.body.get("metadata")).get("annotations"))
        if str(annotations.get(_TOLERATES)).lower() != "true" or spec(service).get("publishNotReadyAddresses") is True:
            continue
        sufferers = world.pods_of(mapping(spec(service).get("selector")), service)
        yield Broken(
            relation="peers_are_published", at=service, path=("spec", "publishNotReadyAddresses"), value=True, sure=0.95,
            message=f"Service {service.name} asks for the addresses of pods that are not ready by an annotation; only spec.publishNotReadyAddresses does so",
            causes=("network_error", "crashloop", "probe_failure", "application_error", "config_error"),
            sufferers=sufferers, words=(service.name,),
        )  # fmt: skip


def policy_reaches_resolver_pods(world: World) -> Iterator[Broken]:
    """Yield policies towards OpenShift's resolver that name the port of its Service instead of that of its pods."""
    for policy in world.of_kind("NetworkPolicy"):
        for index, rule in enumerate(items(spec(policy).get("egress"))):
            ports = items(rule.get("ports"))
            if _OPENSHIFT_DNS not in str(rule.get("to")) or any(port.get("port") == _OPENSHIFT_PORT for port in ports):
                continue
            wrong = [at for at, port in enumerate(ports) if port.get("port") in {_DNS, str(_DNS)}]
            if not wrong:
                continue
            first, *rest = ((("spec", "egress", index, "ports", at, "port"), _OPENSHIFT_PORT) for at in wrong)
            yield Broken(
                relation="policy_reaches_resolver_pods", at=policy, path=first[0], value=first[1], sure=0.9,
                also=tuple((policy, path, value) for path, value in rest),
                sufferers=tuple(item for item in world.workloads if item.namespace == policy.namespace),
                message=f"NetworkPolicy {policy.name} lets pods reach port {_DNS} of {_OPENSHIFT_DNS}, whose pods listen on {_OPENSHIFT_PORT}",
                causes=("network_error", "application_error", "crashloop"), words=("dns", "lookup", "UnknownHostException"),
            )  # fmt: skip
