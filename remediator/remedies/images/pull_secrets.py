"""Pull secrets for private registries: only a secret that the namespace already has is named.

The remedy never creates a secret and never writes a login; it reads registry names of plain secrets and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.image_reference import ImageReference
from remediator.remedies.engine.spelling import nearest


def add_image_pull_secret(case: RemedyContext) -> Iterator[Fix]:
    """Name the pull secret of the namespace that is for this registry."""
    failed = case.signals("image_denied", "pull_secret_missing")
    for target, container, _ in case.workloads():
        pod = target.manifest.pod_spec()
        if pod is None:
            continue
        spec, base = pod
        registry = ImageReference.parse(str(container.get("image", ""))).registry or "docker.io"
        names = [str(item.get("name")) for item in spec.get("imagePullSecrets") or () if isinstance(item, dict)]
        secrets = _pull_secrets(case, target)
        if names:
            yield from _rename_secret(case, target, base, names, secrets, failed)
        elif not _account_has_secret(case, target, spec):
            fitting = sorted(name for name, hosts in secrets.items() if registry in hosts)
            if len(fitting) == 1 and case.signals("image_denied"):
                yield Fix(
                    title=f"pull the images of `{target.manifest.name}` with secret `{fitting[0]}`",
                    reason=f"{registry} refuses anonymous pulls, and `{fitting[0]}` in the same namespace is the login for it.",
                    evidence=case.cite(*failed),
                    wants=(Want.of(target, (*base, "imagePullSecrets"), [{"name": fitting[0]}]),),
                    parameters={"secret": fitting[0], "registry": registry},
                    score=0.6,
                )


def _rename_secret(
    case: RemedyContext,
    target: Match,
    base: YamlPath,
    names: list[str],
    secrets: dict[str, set[str]],
    failed: Sequence[Evidence],
) -> Iterator[Fix]:
    """Correct the name of a pull secret that does not exist to an existing one that is one slip away."""
    missing = case.facts("missing", among=case.signals("pull_secret_missing"))
    for index, name in enumerate(names):
        if name in secrets or (missing and name not in ", ".join(missing).replace(" ", "").split(",")):
            continue
        new = nearest(name, secrets)
        yield Fix(
            title=f"pull with secret `{new}` instead of `{name}`",
            reason=f"pull secret `{name}` is defined nowhere; `{new}` in the same namespace is one slip away.",
            evidence=case.cite(*failed),
            wants=(Want.of(target, (*base, "imagePullSecrets", index, "name"), new or name),),
            parameters={"from": name, "to": new},
            score=0.75 if new else 0.0,
            accepts=different_value(name, among=[*secrets, ""]),
        )


def _account_has_secret(case: RemedyContext, target: Match, spec: dict[str, Any]) -> bool:
    """Return True where the ServiceAccount gives its pods a pull secret already."""
    name = str(spec.get("serviceAccountName") or "default")
    return any(
        manifest.name == name and manifest.body.get("imagePullSecrets")
        for manifest in case.namespace_objects(target, "ServiceAccount")
    )


def _pull_secrets(case: RemedyContext, target: Match) -> dict[str, set[str]]:
    """Return the pull secrets of the namespace with their registries: from their contents and from the pods that use them."""
    registries: dict[str, set[str]] = {}
    for manifest in case.namespace_objects(target, "Secret", "SealedSecret", "ExternalSecret"):
        kind = (
            manifest.body.get("type")
            or get(manifest.body, ("spec", "template", "type"))
            or get(manifest.body, ("spec", "target", "template", "type"))
        )
        if kind in ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"):
            registries[manifest.name] = _hosts(manifest.body)
    for manifest in case.namespace_objects(target):
        pod = manifest.pod_spec()
        for item in (pod[0].get("imagePullSecrets") or ()) if pod else ():
            name = str(item.get("name")) if isinstance(item, dict) else ""
            if name in registries:
                registries[name] |= {
                    ImageReference.parse(str(body.get("image", ""))).registry or "docker.io"
                    for body, _, _ in manifest.containers()
                }
    return registries


def _hosts(body: dict[str, Any]) -> set[str]:
    """Return the registries that a plain pull secret has logins for; the logins themselves are not kept."""
    text = get(body, ("stringData", ".dockerconfigjson"))
    coded = get(body, ("data", ".dockerconfigjson"))
    try:
        if isinstance(coded, str):
            text = base64.b64decode(coded, validate=True).decode()
        auths = json.loads(text).get("auths", {}) if isinstance(text, str) else {}
    except (binascii.Error, ValueError, AttributeError):
        return set()
    hosts = {str(host).removeprefix("https://").split("/")[0] for host in auths}
    return {"docker.io" if host == "index.docker.io" else host for host in hosts}
