"""Every relation by its name; nothing registers itself. A new one is a function of the world and a line here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from remediator.judgement.relations import (
    amounts,
    argocd,
    edge,
    gateways,
    listening,
    meshes,
    network,
    node_labels,
    ordering,
    policies,
    references,
    resolution,
    rollouts,
    secrets,
    sets,
    texts,
    versions,
    workloads,
)
from remediator.judgement.relations.broken import Broken, Relation
from remediator.judgement.world import World

RELATIONS: Mapping[str, Relation] = {
    relation.__name__: relation
    for relation in (
        network.service_target_port_exists,
        network.service_selects_pods,
        network.ingress_backend_exists,
        network.route_backend_exists,
        network.node_port_in_range,
        network.node_ports_are_distinct,
        network.host_ports_are_distinct,
        network.called_service_port_exists,
        network.called_service_exists,
        network.monitored_port_exists,
        network.called_service_has_pods,
        gateways.route_backend_is_granted,
        gateways.gateway_admits_route,
        edge.ingress_hosts_match_certificates,
        edge.shared_addresses_have_one_key,
        edge.issuer_solves_zone,
        edge.service_selects_one_program,
        resolution.host_network_resolves_services,
        resolution.peers_are_published,
        resolution.policy_reaches_resolver_pods,
        meshes.jobs_end_beside_their_proxy,
        references.named_config_exists,
        references.named_key_exists,
        references.account_exists,
        references.claim_exists,
        references.mounted_volume_exists,
        references.bound_role_exists,
        references.bound_account_exists,
        secrets.merged_secret_is_made,
        references.issuer_exists,
        references.secret_store_exists,
        references.ingress_class_exists,
        references.priority_class_exists,
        references.storage_class_exists,
        workloads.probe_port_exists,
        workloads.selector_matches_template,
        workloads.variables_are_distinct,
        workloads.mount_paths_are_distinct,
        workloads.requests_fit_limits,
        workloads.heap_fits_limit,
        node_labels.node_labels_are_current,
        versions.dump_tools_fit_server,
        amounts.memory_holds_a_program,
        amounts.pool_holds_threads,
        rollouts.analysis_arguments_are_given,
        workloads.scale_target_exists,
        workloads.scale_bounds_fit,
        workloads.scaled_containers_have_requests,
        workloads.budget_allows_eviction,
        workloads.shared_claim_is_shareable,
        workloads.governing_service_exists,
        workloads.listens_on_declared_port,
        listening.listens_beyond_loopback,
        policies.policy_allows_dns,
        policies.policy_allows_callers,
        policies.quota_holds_workloads,
        argocd.project_exists,
        argocd.project_allows_destination,
        argocd.project_allows_source,
        argocd.namespace_exists,
        argocd.application_names_are_distinct,
        ordering.hook_dependencies_come_first,
        ordering.claims_do_not_wait_for_later_waves,
        sets.set_names_hold_a_parameter,
        texts.embedded_json_parses,
        texts.embedded_yaml_parses,
        texts.schedule_is_valid,
        texts.trigger_authentication_exists,
    )
}


REMEDIES_OF: Mapping[str, tuple[str, ...]] = {
    "account_exists": ("fix_service_account",),
    "bound_role_exists": ("grant_rbac",),
    "bound_account_exists": ("grant_rbac",),
    "called_service_exists": ("fix_host_name",),
    "called_service_has_pods": ("restore_replicas", "fix_service_selector"),
    "called_service_port_exists": ("fix_host_name", "fix_service_port"),
    "claim_exists": ("fix_claim_name",),
    "ingress_backend_exists": ("fix_ingress_backend", "fix_service_port"),
    "ingress_class_exists": ("fix_class_name",),
    "mounted_volume_exists": ("fix_mount",),
    "named_config_exists": ("rename_reference", "restore_file"),
    "named_key_exists": ("fix_reference_key",),
    "namespace_exists": ("create_namespace",),
    "policy_allows_callers": ("fix_network_policy",),
    "priority_class_exists": ("fix_class_name",),
    "probe_port_exists": ("fix_probe_port", "fix_probe_path"),
    "quota_holds_workloads": ("raise_quota",),
    "scale_target_exists": ("fix_scale_target",),
    "shared_claim_is_shareable": ("recreate_pods",),
    "service_selects_pods": ("fix_service_selector",),
    "service_target_port_exists": ("fix_target_port",),
    "storage_class_exists": ("fix_storage_class",),
}
"""Relations whose contradiction a remedy mends with more evidence: where one of these was asked, its answer counts."""


WIDE: Mapping[str, str] = {"no_free_port": "hostPort"}
"""Signals of what all namespaces of a cluster share, each with the word that stands in the texts of those who share it."""


REFERRED: Mapping[str, str] = {
    "Certificate": "ClusterIssuer",
    "ExternalSecret": "ClusterSecretStore",
    "GRPCRoute": "ReferenceGrant",
    "HTTPRoute": "ReferenceGrant",
    "Rollout": "ClusterAnalysisTemplate",
}
"""Kinds whose objects depend on one of a kind that lies anywhere in the cluster."""


def broken(world: World) -> Iterator[Broken]:
    """Yield all contradictions of a world, in the order of the registry."""
    for relation in RELATIONS.values():
        yield from relation(world)
