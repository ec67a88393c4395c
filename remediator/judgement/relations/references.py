"""Relations between an object and what it names: ConfigMaps, Secrets, claims, accounts, roles, classes, issuers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from remediator.domain.yaml_paths import YamlPath
from remediator.judgement.relations.broken import Broken
from remediator.judgement.relations.fields import items, mapping, meant, pod_template, spec
from remediator.judgement.world import Placed, World

_STARTS = ("config_error", "crashloop", "signal:reference_missing")
_BUILT_IN_ACCOUNTS = frozenset({"default"})
_BUILT_IN_CONFIG = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})


def _named_texts(workload: Placed) -> Iterator[tuple[str, YamlPath, str, YamlPath, str]]:
    """Yield each ConfigMap or Secret that a workload needs: kind, path of its name, name, path of a key, key."""
    pod, base = pod_template(workload)
    for container, path, _ in workload.containers():
        for index, variable in enumerate(items(container.get("env"))):
            source = mapping(variable.get("valueFrom"))
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                reference = mapping(source.get(field))
                reference_path = (*path, "env", index, "valueFrom", field)
                if reference and not reference.get("optional"):
                    yield (
                        kind,
                        (*reference_path, "name"),
                        str(reference.get("name", "")),
                        (*reference_path, "key"),
                        str(reference.get("key", "")),
                    )
        for index, source in enumerate(items(container.get("envFrom"))):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                reference = mapping(source.get(field))
                if reference and not reference.get("optional"):
                    yield kind, (*path, "envFrom", index, field, "name"), str(reference.get("name", "")), (), ""
    for index, volume in enumerate(items(pod.get("volumes"))):
        for field, kind, name_key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            source = mapping(volume.get(field))
            if not source or source.get("optional"):
                continue
            reference_path = (*base, "volumes", index, field)
            name = str(source.get(name_key, ""))
            yield kind, (*reference_path, name_key), name, (), ""
            for number, item in enumerate(items(source.get("items"))):
                yield (
                    kind,
                    (*reference_path, name_key),
                    name,
                    (*reference_path, "items", number, "key"),
                    str(item.get("key", "")),
                )


def secret_names(world: World, near: Placed) -> dict[str, set[str] | None]:
    """Return every Secret that something in the namespace makes, with its keys; None where the keys cannot be told."""
    names: dict[str, set[str] | None] = {}
    for item in world.of_kind("Secret", near=near):
        names[item.name] = {*mapping(item.body.get("data")), *mapping(item.body.get("stringData"))}
    for item in world.of_kind("SealedSecret", near=near):
        names[item.name] = set(mapping(spec(item).get("encryptedData"))) or None
    for item in world.of_kind("ExternalSecret", near=near):
        name = str(mapping(spec(item).get("target")).get("name") or item.name)
        keys = {str(entry.get("secretKey")) for entry in items(spec(item).get("data")) if entry.get("secretKey")}
        names[name] = (
            None if spec(item).get("dataFrom") or mapping(spec(item).get("target")).get("template") else keys or None
        )
    for item in world.of_kind("Certificate", near=near):
        if secret := spec(item).get("secretName"):
            names[str(secret)] = None
    return names


def named_config_exists(world: World) -> Iterator[Broken]:
    """Yield ConfigMaps and Secrets that a workload needs and that nothing in its namespace makes."""
    for workload in world.workloads:
        if not world.is_complete(workload.namespace):
            continue
        maps = {item.name for item in world.of_kind("ConfigMap", near=workload)}
        secrets = secret_names(world, workload)
        for kind, path, name, _, _ in _named_texts(workload):
            existing = maps if kind == "ConfigMap" else set(secrets)
            if not name or name in existing or name in _BUILT_IN_CONFIG:
                continue
            value, sure = meant(name, existing)
            yield Broken(
                relation="named_config_exists", at=workload, path=path, value=value, sure=sure, causes=_STARTS,
                message=f"{workload.kind} {workload.name} needs {kind} {name}, which nothing in {workload.namespace} makes",
                words=(name,),
            )  # fmt: skip


def named_key_exists(world: World) -> Iterator[Broken]:
    """Yield keys that a workload needs of a ConfigMap or Secret that has others."""
    for workload in world.workloads:
        maps = {
            item.name: {*mapping(item.body.get("data")), *mapping(item.body.get("binaryData"))}
            for item in world.of_kind("ConfigMap", near=workload)
        }
        secrets = secret_names(world, workload)
        for kind, _, name, path, key in _named_texts(workload):
            keys = maps.get(name) if kind == "ConfigMap" else secrets.get(name)
            if not key or not keys or key in keys:
                continue
            value, sure = meant(key, keys)
            yield Broken(
                relation="named_key_exists", at=workload, path=path, value=value, sure=sure, causes=_STARTS,
                message=f"{workload.kind} {workload.name} needs key {key} of {kind} {name}, which has {', '.join(sorted(keys)[:6])}",
                words=(key, name),
            )  # fmt: skip


def account_exists(world: World) -> Iterator[Broken]:
    """Yield workloads whose service account nothing in their namespace makes, where one is a slip away."""
    for workload in world.workloads:
        pod, base = pod_template(workload)
        name = str(pod.get("serviceAccountName") or "")
        accounts = [item.name for item in world.of_kind("ServiceAccount", near=workload)]
        if not name or name in accounts or name in _BUILT_IN_ACCOUNTS or not world.is_complete(workload.namespace):
            continue
        value, sure = meant(name, accounts)
        yield Broken(
            relation="account_exists", at=workload, path=(*base, "serviceAccountName"), value=value, sure=sure,
            message=f"{workload.kind} {workload.name} runs as service account {name}, which does not exist in {workload.namespace}",
            causes=("permission_denied", "config_error", "signal:service_account_missing"), words=(name,),
        )  # fmt: skip


def claim_exists(world: World) -> Iterator[Broken]:
    """Yield volumes whose claim nothing in the namespace makes."""
    for workload in world.workloads:
        pod, base = pod_template(workload)
        claims = [item.name for item in world.of_kind("PersistentVolumeClaim", near=workload)]
        for index, volume in enumerate(items(pod.get("volumes"))):
            name = str(mapping(volume.get("persistentVolumeClaim")).get("claimName") or "")
            if not name or name in claims or not world.is_complete(workload.namespace):
                continue
            value, sure = meant(name, claims)
            yield Broken(
                relation="claim_exists", at=workload, path=(*base, "volumes", index, "persistentVolumeClaim", "claimName"),
                value=value, sure=sure, causes=("storage_error", "scheduling_failure"), words=(name,),
                message=f"{workload.kind} {workload.name} mounts claim {name}, which does not exist in {workload.namespace}",
            )  # fmt: skip


def mounted_volume_exists(world: World) -> Iterator[Broken]:
    """Yield volume mounts that name no volume of the pod."""
    for workload in world.workloads:
        pod, _ = pod_template(workload)
        volumes = [str(volume.get("name", "")) for volume in items(pod.get("volumes"))]
        volumes += [
            str(mapping(claim.get("metadata")).get("name", ""))
            for claim in items(spec(workload).get("volumeClaimTemplates"))
        ]
        for container, path, _ in workload.containers():
            for index, mount in enumerate(items(container.get("volumeMounts"))):
                name = str(mount.get("name", ""))
                if not name or name in volumes:
                    continue
                mounted = {str(alternative.get("name")) for alternative in items(container.get("volumeMounts"))}
                free = [volume for volume in volumes if volume not in mounted]
                value, sure = meant(name, free or volumes)
                yield Broken(
                    relation="mounted_volume_exists", at=workload, path=(*path, "volumeMounts", index, "name"),
                    value=value, sure=max(sure, 0.8 if len(free) == 1 else 0.0), causes=("sync_error",), words=(name,),
                    message=f"Container {container.get('name')} of {workload.name} mounts volume {name}, which the pod does not have",
                )  # fmt: skip


def bound_role_exists(world: World) -> Iterator[Broken]:
    """Yield bindings whose role does not exist, where one is a slip away."""
    for binding in world.of_kind("RoleBinding", "ClusterRoleBinding"):
        reference = mapping(binding.body.get("roleRef"))
        kind, name = str(reference.get("kind", "")), str(reference.get("name", ""))
        roles = [item.name for item in (world.of_kind(kind, near=binding) if kind == "Role" else world.of_kind(kind))]
        value, sure = meant(name, roles)
        if name in roles or value is None or sure < 0.5:
            continue
        yield Broken(
            relation="bound_role_exists", at=binding, path=("roleRef", "name"), value=value, sure=sure,
            message=f"{binding.kind} {binding.name} grants {kind} {name}, which does not exist; there is {value}",
            causes=("permission_denied",), words=(name, binding.name),
        )  # fmt: skip


def bound_account_exists(world: World) -> Iterator[Broken]:
    """Yield bindings to a service account that does not exist, where the one that was meant can be told."""
    for binding in world.of_kind("RoleBinding", "ClusterRoleBinding"):
        for index, subject in enumerate(items(binding.body.get("subjects"))):
            if subject.get("kind") != "ServiceAccount":
                continue
            name, namespace = str(subject.get("name", "")), str(subject.get("namespace") or binding.namespace)
            accounts = [item for item in world.of_kind("ServiceAccount") if item.cluster == binding.cluster]
            if any((item.name, item.namespace) == (name, namespace) for item in accounts) or name in _BUILT_IN_ACCOUNTS:
                continue
            elsewhere = [item.namespace for item in accounts if item.name == name]
            key, (value, sure) = "name", meant(name, [item.name for item in accounts if item.namespace == namespace])
            if len(elsewhere) == 1:
                key, value, sure = "namespace", elsewhere[0], 0.8
            if value is None or sure < 0.5 or not world.is_complete(namespace):
                continue
            yield Broken(
                relation="bound_account_exists", at=binding, path=("subjects", index, key), value=value, sure=sure,
                message=f"{binding.kind} {binding.name} names service account {name} in {namespace}, which does not exist",
                causes=("permission_denied",), words=(name, binding.name, namespace),
            )  # fmt: skip


def issuer_exists(world: World) -> Iterator[Broken]:
    """Yield Certificates and Ingresses whose issuer does not exist, where one is a slip away."""
    for certificate in world.of_kind("Certificate"):
        reference = mapping(spec(certificate).get("issuerRef"))
        kind, name = str(reference.get("kind") or "Issuer"), str(reference.get("name", ""))
        yield from _slip(
            world,
            certificate,
            ("spec", "issuerRef", "name"),
            name,
            kind,
            "issuer_exists",
            ("network_error", "config_error", "sync_error"),
        )
    for ingress in world.of_kind("Ingress"):
        notes = mapping(mapping(ingress.body.get("metadata")).get("annotations"))
        for key, kind in (("cert-manager.io/cluster-issuer", "ClusterIssuer"), ("cert-manager.io/issuer", "Issuer")):
            if name := str(notes.get(key) or ""):
                path = ("metadata", "annotations", key)
                yield from _slip(world, ingress, path, name, kind, "issuer_exists", ("network_error", "config_error"))


def secret_store_exists(world: World) -> Iterator[Broken]:
    """Yield ExternalSecrets whose store does not exist, where one is a slip away or of the other kind."""
    for secret in world.of_kind("ExternalSecret", "PushSecret"):
        reference = mapping(spec(secret).get("secretStoreRef"))
        kind, name = str(reference.get("kind") or "SecretStore"), str(reference.get("name", ""))
        alternative = "ClusterSecretStore" if kind == "SecretStore" else "SecretStore"
        if name and not _exists(world, secret, kind, name) and _exists(world, secret, alternative, name):
            yield Broken(
                relation="secret_store_exists", at=secret, path=("spec", "secretStoreRef", "kind"), value=alternative, sure=0.95,
                message=f"ExternalSecret {secret.name} asks {kind} {name}, and {name} is a {alternative}",
                causes=("config_error", "sync_error", "permission_denied"), words=(name,),
            )  # fmt: skip
        else:
            yield from _slip(
                world,
                secret,
                ("spec", "secretStoreRef", "name"),
                name,
                kind,
                "secret_store_exists",
                ("config_error", "sync_error"),
            )


def ingress_class_exists(world: World) -> Iterator[Broken]:
    """Yield Ingresses of a class that is a slip of one that this repository makes."""
    for ingress in world.of_kind("Ingress"):
        name = str(spec(ingress).get("ingressClassName") or "")
        yield from _slip(
            world,
            ingress,
            ("spec", "ingressClassName"),
            name,
            "IngressClass",
            "ingress_class_exists",
            ("network_error", "signal:class_missing"),
        )


def priority_class_exists(world: World) -> Iterator[Broken]:
    """Yield workloads of a priority class that is a slip of one that this repository makes."""
    for workload in world.workloads:
        pod, base = pod_template(workload)
        name = str(pod.get("priorityClassName") or "")
        if name.startswith("system-"):
            continue
        yield from _slip(
            world,
            workload,
            (*base, "priorityClassName"),
            name,
            "PriorityClass",
            "priority_class_exists",
            ("scheduling_failure", "config_error", "permission_denied"),
        )


def storage_class_exists(world: World) -> Iterator[Broken]:
    """Yield claims of a storage class that is a slip of one that this repository makes or that its other claims use."""
    used: dict[str, int] = {}
    claims = list(_claims(world))
    for _, _, name in claims:
        used[name] = used.get(name, 0) + 1
    class_names = {item.name for item in world.of_kind("StorageClass")}
    for holder, path, name in claims:
        candidates = class_names or {alternative for alternative, count in used.items() if count > 1}
        value, sure = meant(name, candidates)
        if name in candidates or value is None or sure < 0.5:
            continue
        yield Broken(
            relation="storage_class_exists", at=holder, path=path, value=value, sure=sure if class_names else sure * 0.7,
            message=f"{holder.kind} {holder.name} asks for storage class {name}; there is {value}",
            causes=("storage_error", "scheduling_failure"), words=(name,),
        )  # fmt: skip


def _claims(world: World) -> Iterator[tuple[Placed, YamlPath, str]]:
    for claim in world.of_kind("PersistentVolumeClaim"):
        if name := spec(claim).get("storageClassName"):
            yield claim, ("spec", "storageClassName"), str(name)
    for workload in world.of_kind("StatefulSet"):
        for index, template in enumerate(items(spec(workload).get("volumeClaimTemplates"))):
            if name := mapping(template.get("spec")).get("storageClassName"):
                yield workload, ("spec", "volumeClaimTemplates", index, "spec", "storageClassName"), str(name)


def _exists(world: World, near: Placed, kind: str, name: str) -> bool:
    return any(item.name == name and item.namespace in ("", near.namespace) for item in world.of_kind(kind))


def _slip(
    world: World, holder: Placed, path: YamlPath, name: str, kind: str, relation: str, causes: tuple[str, ...]
) -> Iterator[Broken]:
    """Yield a name that is a spelling slip of one object of that kind, and the name of none."""
    candidates = [item.name for item in world.of_kind(kind) if item.namespace in ("", holder.namespace)]
    value: Any
    value, sure = meant(name, candidates)
    if not name or name in candidates or value is None or sure < 0.5:
        return
    yield Broken(
        relation=relation, at=holder, path=path, value=value, sure=sure, causes=causes, words=(name,),
        message=f"{holder.kind} {holder.name} names {kind} {name}, which does not exist; there is {value}",
    )  # fmt: skip
