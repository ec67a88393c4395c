"""Every remedy by the id of its action; nothing registers itself."""

from __future__ import annotations

from collections.abc import Mapping

from remediator.remedies.access import grant_rbac
from remediator.remedies.accounts import fix_service_account
from remediator.remedies.affinity import fix_affinity
from remediator.remedies.api_versions import bump_api_version
from remediator.remedies.autoscaling import fix_scale_target
from remediator.remedies.binding import fit_claim, fix_access_mode
from remediator.remedies.case import Remedy
from remediator.remedies.commands import fix_args, fix_command
from remediator.remedies.environment import fix_environment, restore_environment
from remediator.remedies.hosts import fix_host_name
from remediator.remedies.images import correct_image
from remediator.remedies.immutable import restore_immutable_field
from remediator.remedies.invalid import fix_invalid_field
from remediator.remedies.kubelet_tls import fix_kubelet_tls
from remediator.remedies.kustomizations import fix_kustomize_resource
from remediator.remedies.limit_range import fit_limit_range
from remediator.remedies.manifests import restore_file
from remediator.remedies.memory import raise_cpu_limit, raise_memory_limit
from remediator.remedies.mounts import fix_mount, move_data_directory
from remediator.remedies.namespaces import create_namespace
from remediator.remedies.network_policy import fix_network_policy
from remediator.remedies.pressure import raise_ephemeral_storage, raise_memory_request
from remediator.remedies.probe_timing import relax_probe_timing
from remediator.remedies.probes import fix_probe_path, fix_probe_port
from remediator.remedies.pull_secrets import add_image_pull_secret
from remediator.remedies.quota import raise_quota, set_missing_resources
from remediator.remedies.references import fix_reference_key, rename_reference
from remediator.remedies.replicas import restore_replicas
from remediator.remedies.requests import lower_requests
from remediator.remedies.rollback import roll_back
from remediator.remedies.rollouts import recreate_pods
from remediator.remedies.routes import fix_ingress_backend, fix_service_port
from remediator.remedies.scheduling import fix_class_name, fix_node_selector, fix_toleration
from remediator.remedies.security import meet_pod_security, relax_security_context
from remediator.remedies.services import fix_service_selector, fix_target_port
from remediator.remedies.serving_probes import fix_listen_port, fix_probe_command, fix_probe_scheme
from remediator.remedies.sources import fix_source_path, fix_target_revision
from remediator.remedies.storage import fix_claim_name, fix_storage_class
from remediator.remedies.value_files import fix_value_file
from remediator.remedies.volumes import grow_claim

REMEDIES: Mapping[str, Remedy] = {
    "add_image_pull_secret": add_image_pull_secret,
    "bump_api_version": bump_api_version,
    "correct_image": correct_image,
    "create_namespace": create_namespace,
    "fit_claim": fit_claim,
    "fit_limit_range": fit_limit_range,
    "fix_access_mode": fix_access_mode,
    "fix_affinity": fix_affinity,
    "fix_args": fix_args,
    "fix_claim_name": fix_claim_name,
    "fix_class_name": fix_class_name,
    "fix_command": fix_command,
    "fix_environment": fix_environment,
    "fix_host_name": fix_host_name,
    "fix_ingress_backend": fix_ingress_backend,
    "fix_invalid_field": fix_invalid_field,
    "fix_kubelet_tls": fix_kubelet_tls,
    "fix_kustomize_resource": fix_kustomize_resource,
    "fix_listen_port": fix_listen_port,
    "fix_mount": fix_mount,
    "fix_network_policy": fix_network_policy,
    "fix_node_selector": fix_node_selector,
    "fix_probe_command": fix_probe_command,
    "fix_probe_path": fix_probe_path,
    "fix_probe_port": fix_probe_port,
    "fix_probe_scheme": fix_probe_scheme,
    "fix_reference_key": fix_reference_key,
    "fix_scale_target": fix_scale_target,
    "fix_service_account": fix_service_account,
    "fix_service_port": fix_service_port,
    "fix_service_selector": fix_service_selector,
    "fix_source_path": fix_source_path,
    "fix_storage_class": fix_storage_class,
    "fix_target_port": fix_target_port,
    "fix_target_revision": fix_target_revision,
    "fix_toleration": fix_toleration,
    "fix_value_file": fix_value_file,
    "grant_rbac": grant_rbac,
    "grow_claim": grow_claim,
    "lower_requests": lower_requests,
    "meet_pod_security": meet_pod_security,
    "move_data_directory": move_data_directory,
    "raise_cpu_limit": raise_cpu_limit,
    "raise_ephemeral_storage": raise_ephemeral_storage,
    "raise_memory_limit": raise_memory_limit,
    "raise_memory_request": raise_memory_request,
    "raise_quota": raise_quota,
    "recreate_pods": recreate_pods,
    "relax_probe_timing": relax_probe_timing,
    "relax_security_context": relax_security_context,
    "rename_reference": rename_reference,
    "restore_environment": restore_environment,
    "restore_file": restore_file,
    "restore_immutable_field": restore_immutable_field,
    "restore_replicas": restore_replicas,
    "roll_back": roll_back,
    "set_missing_resources": set_missing_resources,
}
