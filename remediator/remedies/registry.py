"""Every remedy by the id of its action; nothing registers itself.

The function has the action's name. All modules are imported with this one, so that the type checker sees each remedy.
"""

from __future__ import annotations

from collections.abc import Mapping

from remediator.remedies.containers.commands import fix_args, fix_command
from remediator.remedies.containers.environment import fix_environment, restore_environment
from remediator.remedies.containers.hosts import fix_host_name
from remediator.remedies.containers.mounts import fix_mount, move_data_directory
from remediator.remedies.containers.pod_security import restore_pod_security
from remediator.remedies.containers.replicas import restore_replicas
from remediator.remedies.containers.rollouts import recreate_pods
from remediator.remedies.containers.security import meet_pod_security, relax_security_context
from remediator.remedies.containers.unprivileged import mount_writable_directory, run_as_user
from remediator.remedies.engine.case import Remedy
from remediator.remedies.images.images import correct_image
from remediator.remedies.images.pull_secrets import add_image_pull_secret
from remediator.remedies.network.network_policy import fix_network_policy
from remediator.remedies.network.routes import fix_ingress_backend, fix_service_port
from remediator.remedies.network.service_selectors import fix_service_selector
from remediator.remedies.network.target_ports import fix_target_port
from remediator.remedies.objects.api_versions import bump_api_version
from remediator.remedies.objects.immutable import restore_immutable_field
from remediator.remedies.objects.invalid import fix_invalid_field
from remediator.remedies.probes.kubelet_tls import fix_kubelet_tls
from remediator.remedies.probes.port_and_path import fix_probe_path, fix_probe_port
from remediator.remedies.probes.scheme import fix_listen_port, fix_probe_command, fix_probe_scheme
from remediator.remedies.probes.timing import relax_probe_timing
from remediator.remedies.references.accounts import fix_service_account
from remediator.remedies.references.autoscaling import fix_scale_target
from remediator.remedies.references.rbac import grant_rbac
from remediator.remedies.references.references import fix_reference_key, rename_reference
from remediator.remedies.resources.heap import raise_heap
from remediator.remedies.resources.limit_range import fit_limit_range
from remediator.remedies.resources.memory import raise_cpu_limit, raise_memory_limit
from remediator.remedies.resources.missing_resources import set_missing_resources
from remediator.remedies.resources.pressure import raise_ephemeral_storage, raise_memory_request
from remediator.remedies.resources.quota import raise_quota
from remediator.remedies.resources.requests import lower_requests
from remediator.remedies.rollback.rollback import roll_back
from remediator.remedies.scheduling.affinity import fix_affinity
from remediator.remedies.scheduling.scheduling import fix_class_name, fix_node_selector, fix_toleration
from remediator.remedies.sources.kustomizations import fix_kustomize_resource
from remediator.remedies.sources.manifests import restore_file
from remediator.remedies.sources.namespaces import create_namespace
from remediator.remedies.sources.sources import fix_source_path, fix_target_revision
from remediator.remedies.sources.value_files import fix_value_file
from remediator.remedies.storage.binding import fit_claim, fix_access_mode
from remediator.remedies.storage.storage import fix_claim_name, fix_storage_class
from remediator.remedies.storage.volumes import grow_claim

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
    "raise_heap": raise_heap,
    "raise_memory_limit": raise_memory_limit,
    "raise_memory_request": raise_memory_request,
    "raise_quota": raise_quota,
    "recreate_pods": recreate_pods,
    "relax_probe_timing": relax_probe_timing,
    "relax_security_context": relax_security_context,
    "run_as_user": run_as_user,
    "mount_writable_directory": mount_writable_directory,
    "rename_reference": rename_reference,
    "restore_environment": restore_environment,
    "restore_file": restore_file,
    "restore_immutable_field": restore_immutable_field,
    "restore_pod_security": restore_pod_security,
    "restore_replicas": restore_replicas,
    "roll_back": roll_back,
    "set_missing_resources": set_missing_resources,
}
"""Action id → the function that turns one incident into fixes of that action."""
