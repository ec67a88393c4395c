"""The narrow weakenings that may be proposed though they never stood in the repository; `guardrails.allowances` lists them.

Each needs more than a complaint: the refused account itself, or a call that the repository's own configuration describes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from remediator.domain import quantities
from remediator.domain.incident import Evidence
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import get, leaves
from remediator.gitops import Application, Manifest
from remediator.policy.effect import Weakening, flattened
from remediator.remedies.engine.case import RemedyContext

if TYPE_CHECKING:
    from remediator.remedies.engine.object_effects import ObjectEffect

_EXCEEDED = re.compile(r"exceeded quota: (?P<quota>[\w.-]+), requested: (?P<requested>\S+), used: (?P<used>\S+),")
_LOGS = frozenset({"log", "text"})


def allowance(case: RemedyContext, effect: ObjectEffect, weakening: Weakening) -> str:
    """Return why the policy admits a weakening, in words for the reviewer; empty where it does not."""
    match weakening.rule:
        case "grant":
            return _reading(case, effect, weakening)
        case "network_opened":
            return _network(case, effect, weakening)
        case "quota_raised":
            return _quota(case, weakening)
        case "range_raised":
            return _range(case, effect, weakening)
        case _:
            return ""


def _reading(case: RemedyContext, effect: ObjectEffect, weakening: Weakening) -> str:
    """Admit get, list or watch for the refused account, in its namespace or where its role reads the cluster already."""
    rules = case.policies.guardrails.allowances.read
    match = re.search(
        r":rules\.(?P<group>[^/]*)/(?P<resource>[^:()]+)(?P<name>\([^)]*\))?:(?P<verb>\w+)$", weakening.change.path
    )
    if not rules.enabled or match is None or match["verb"] not in rules.verbs:
        return ""
    resource, _, part = match["resource"].partition("/")
    if part and match["verb"] != "get":
        part = ""  # a part of an object, such as pods/exec, cannot be listed or watched: the verb gives nothing there
    if "*" in weakening.change.path or {match["group"], resource, part} & set(rules.never):
        return ""
    for piece in case.diagnosis.evidence:
        facts = piece.facts
        account = facts.get("account") or facts.get("service_account", "")
        namespace = facts.get("service_account_namespace") or facts.get("namespace", "")
        if (
            not account
            or facts.get("verb") not in rules.verbs
            or facts.get("resource") not in (match["resource"], resource)
        ):
            continue
        if piece.channel in _LOGS and not _speaks_for(case, piece, account, namespace):
            continue
        if effect.kind == "Role" and effect.namespace in (namespace, ""):
            return f"allowance: `{account}` was refused and may read {match['resource']} in its own namespace"
        if effect.kind == "ClusterRole" and _reads_already(effect.before, rules.verbs):
            return f"allowance: `{account}` was refused, and its role reads the cluster already"
    return ""


def _speaks_for(case: RemedyContext, piece: Evidence, account: str, namespace: str) -> bool:
    """Return True where the log is of a workload that runs as the account: it testifies about itself."""
    for match in case.repository.find(piece.subject):
        pod = match.manifest.pod_spec()
        if pod is None or match.manifest.namespace_in(match.application) != namespace:
            continue
        if str(pod[0].get("serviceAccountName") or pod[0].get("serviceAccount") or "default") == account:
            return True
    return False


def _reads_already(role: Mapping[str, Any] | None, verbs: tuple[str, ...]) -> bool:
    return any(path.startswith("ClusterRole:rules.") and path.rpartition(":")[2] in verbs for path in flattened(role))


def _network(case: RemedyContext, effect: ObjectEffect, weakening: Weakening) -> str:
    """Admit queries to the name server, or the one call between two workloads that the caller's configuration names."""
    rules = case.policies.guardrails.allowances.network
    side, _, admitted = weakening.change.path.partition(".allow=")
    peer_text, _, port_text = admitted.rpartition("|")
    peer, port = _json(peer_text), _json(port_text)
    if (
        rules.dns
        and side.endswith("egress")
        and isinstance(port, dict)
        and _asks_resolver(peer_text, str(port.get("port")))
    ):
        return "allowance: egress to the name server"
    if not rules.named_calls or not isinstance(peer, dict) or not isinstance(port, dict | str):
        return ""
    if port == "any" and not any(path.endswith("|any") for path in flattened(effect.before) if ".allow=" in path):
        return ""  # the policy limits ports, and this rule would not
    spec = (effect.after or {}).get("spec") or {}
    guarded = _selected(case, spec.get("podSelector"), effect.namespace)
    spaces = None if "namespaceSelector" in peer else effect.namespace
    others = _selected(case, peer.get("podSelector"), spaces) if peer.get("podSelector") else []
    if len(guarded) != 1 or len(others) != 1:
        return ""
    caller, server = (others[0], guarded[0]) if side.endswith("ingress") else (guarded[0], others[0])
    if isinstance(port, dict) and not _listens(server[1], port.get("port")):
        return ""
    if service := _service_named_by(case, caller, server):
        return f"allowance: the configuration of `{caller[1].name}` names `{service}`"
    return ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _asks_resolver(peer: str, port: str) -> bool:
    """Return True for the port of a name server: 53, or 5353 in the namespace of OpenShift's, whose pods listen there."""
    return port in {"53", "dns"} or (port == "5353" and '"openshift-dns"' in peer)


def _listens(server: Manifest, port: Any) -> bool:
    declared = [
        item for body, _, _ in server.containers() for item in body.get("ports") or () if isinstance(item, dict)
    ]
    return any(str(port) in (str(item.get("containerPort")), str(item.get("name"))) for item in declared)


def _objects(case: RemedyContext) -> Iterator[tuple[Application, Manifest]]:
    clusters = {target.application.cluster for target in case.targets}
    for application in case.repository.applications:
        if not clusters or application.cluster in clusters:
            for manifest in case.repository.objects(application):
                yield application, manifest


def _selected(case: RemedyContext, selector: Any, namespace: str | None) -> list[tuple[Application, Manifest]]:
    """Return the workloads that a selector of labels matches; none for an empty selector or one with expressions."""
    labels = selector.get("matchLabels") if isinstance(selector, Mapping) else None
    if not isinstance(labels, Mapping) or not labels or len(selector) > 1:
        return []
    return [
        (application, manifest)
        for application, manifest in _objects(case)
        if namespace in (None, manifest.namespace_in(application)) and _has_labels(manifest, labels)
    ]


def _has_labels(manifest: Manifest, labels: Mapping[str, Any]) -> bool:
    pod = manifest.pod_spec()
    own = get(manifest.body, (*pod[1][:-1], "metadata", "labels")) if pod is not None else None
    return isinstance(own, dict) and all(str(own.get(key)) == str(value) for key, value in labels.items())


def _service_named_by(
    case: RemedyContext, caller: tuple[Application, Manifest], server: tuple[Application, Manifest]
) -> str:
    """Return the Service of the server that the caller's own objects name; empty where none does."""
    texts = [
        value
        for application, manifest in _objects(case)
        if application == caller[0] and (manifest == caller[1] or manifest.kind == "ConfigMap")
        for _, value in leaves(manifest.body)
        if isinstance(value, str)
    ]
    for application, manifest in _objects(case):
        selector = get(manifest.body, ("spec", "selector"))
        if (
            manifest.kind == "Service"
            and isinstance(selector, dict)
            and selector
            and manifest.namespace_in(application) == server[1].namespace_in(server[0])
            and _has_labels(server[1], selector)
            and any(contains_word(text, manifest.name) for text in texts)
        ):
            return manifest.name
    return ""


def _quota(case: RemedyContext, weakening: Weakening) -> str:
    """Admit a quota up to what its refusal shows: what is used, and what each pod of the refused workloads asks for."""
    if not case.policies.guardrails.allowances.quota_to_need:
        return ""
    key = weakening.change.path.partition(".hard.")[2]
    limit = quantities.parse(weakening.change.after)
    for piece in case.diagnosis.evidence:
        refusal = _EXCEEDED.search(piece.text)
        if refusal is None or piece.channel in _LOGS or limit is None:
            continue
        requested, used = (_amounts(refusal[part]).get(key) for part in ("requested", "used"))
        pods = max((_pods_at_once(target.manifest) for target in case.targets), default=1)
        if requested is not None and limit <= ((used or Decimal(0)) + requested * pods) * Decimal("1.01"):
            return f"allowance: quota {key} up to what the pods of this repository ask for"
    return ""


def _amounts(text: str) -> dict[str, Decimal]:
    pairs = (part.partition("=") for part in text.rstrip(",;.").split(","))
    return {key: amount for key, _, value in pairs if (amount := quantities.parse(value)) is not None}


def _pods_at_once(manifest: Manifest) -> int:
    """Return the number of pods during a rollout: the replicas and what may be added to them."""
    replicas = get(manifest.body, ("spec", "replicas"))
    count = replicas if isinstance(replicas, int) else 1
    return count + max(1, -(-count // 4))


def _range(case: RemedyContext, effect: ObjectEffect, weakening: Weakening) -> str:
    """Admit a LimitRange up to the largest limit of a container of the repository in that namespace."""
    limit = quantities.parse(weakening.change.after)
    resource = weakening.change.path.rpartition(".")[2]
    if limit is None or not case.policies.guardrails.allowances.quota_to_need:
        return ""
    asked = [
        amount
        for application, manifest in _objects(case)
        if manifest.namespace_in(application) == effect.namespace
        for body, _, _ in manifest.containers()
        for side in ("limits", "requests")
        if (amount := quantities.parse(get(body, ("resources", side, resource)) or None)) is not None
    ]
    if asked and limit <= max(asked):
        return f"allowance: {resource} up to what a container of this repository asks for"
    return ""
