"""Every remedy by the id of its action; nothing registers itself.

The function has the action's name; its module is loaded when the action is considered, since one run needs few of
them (`tests/unit/remedies/test_registry.py` loads them all).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from remediator.remedies.case import Remedy

REMEDIES: Mapping[str, str] = {
    "add_image_pull_secret": "pull_secrets",
    "bump_api_version": "api_versions",
    "correct_image": "images",
    "create_namespace": "namespaces",
    "fit_claim": "binding",
    "fit_limit_range": "limit_range",
    "fix_access_mode": "binding",
    "fix_affinity": "affinity",
    "fix_args": "commands",
    "fix_claim_name": "storage",
    "fix_class_name": "scheduling",
    "fix_command": "commands",
    "fix_environment": "environment",
    "fix_host_name": "hosts",
    "fix_ingress_backend": "routes",
    "fix_invalid_field": "invalid",
    "fix_kubelet_tls": "kubelet_tls",
    "fix_kustomize_resource": "kustomizations",
    "fix_listen_port": "serving_probes",
    "fix_mount": "mounts",
    "fix_network_policy": "network_policy",
    "fix_node_selector": "scheduling",
    "fix_probe_command": "serving_probes",
    "fix_probe_path": "probes",
    "fix_probe_port": "probes",
    "fix_probe_scheme": "serving_probes",
    "fix_reference_key": "references",
    "fix_scale_target": "autoscaling",
    "fix_service_account": "accounts",
    "fix_service_port": "routes",
    "fix_service_selector": "services",
    "fix_source_path": "sources",
    "fix_storage_class": "storage",
    "fix_target_port": "services",
    "fix_target_revision": "sources",
    "fix_toleration": "scheduling",
    "fix_value_file": "value_files",
    "grant_rbac": "access",
    "grow_claim": "volumes",
    "lower_requests": "requests",
    "meet_pod_security": "security",
    "move_data_directory": "mounts",
    "raise_cpu_limit": "memory",
    "raise_ephemeral_storage": "pressure",
    "raise_memory_limit": "memory",
    "raise_memory_request": "pressure",
    "raise_quota": "quota",
    "recreate_pods": "rollouts",
    "relax_probe_timing": "probe_timing",
    "relax_security_context": "security",
    "rename_reference": "references",
    "restore_environment": "environment",
    "restore_file": "manifests",
    "restore_immutable_field": "immutable",
    "restore_replicas": "replicas",
    "roll_back": "rollback",
    "set_missing_resources": "quota",
}
"""Action id → module of this package that holds the function of that name."""


def remedy(action: str) -> Remedy:
    """The remedy of an action; KeyError for one that has none."""
    module = import_module(f"remediator.remedies.{REMEDIES[action]}")
    return cast("Remedy", getattr(module, action))
