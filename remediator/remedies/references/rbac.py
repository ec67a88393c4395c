"""Permissions: add the one grant that is missing, never a wildcard.

A denied request says exactly which verb on which resource is missing. Only that is added, to the Role that is already
bound to the account; the policy says which verbs may be granted at all, and what may never be.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath, get, with_value
from remediator.gitops import Application, Manifest
from remediator.remedies.engine.acceptable_values import exactly
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import is_typo
from remediator.remedies.references.rbac_rules import (
    DeniedRequest,
    allows,
    missing_resource,
    missing_verb,
    misspelt_word,
)


@dataclass(frozen=True)
class BoundRole:
    """A Role, a binding or an account, with the Application that applies it."""

    application: Application
    manifest: Manifest


def grant_rbac(case: RemedyContext) -> Iterator[Fix]:
    """Add just the denied requests to the Role that the account is bound to; one fix for each Role."""
    grants_by_role: dict[tuple[Application, str, str], tuple[BoundRole, list[DeniedRequest], list[Evidence]]] = {}
    for denied, evidence in _denials(case):
        if not _may_grant(case, denied):
            continue
        roles = _roles(case, denied)
        for role in roles[:1]:
            key = (role.application, role.manifest.kind, role.manifest.name)
            _, denials, statements = grants_by_role.setdefault(key, (role, [], []))
            denials.append(denied)
            statements.extend(evidence)
        if not roles:
            yield from _binding_fixes(case, denied, evidence)
    for role, denials, statements in grants_by_role.values():
        yield from _grant(case, role, denials, statements)


def _denials(case: RemedyContext) -> Iterator[tuple[DeniedRequest, list[Evidence]]]:
    groups: dict[DeniedRequest, list[Evidence]] = {}
    for evidence in case.signals("rbac_forbidden"):
        facts = evidence.facts
        account = facts.get("account") or facts.get("service_account", "")
        namespace = facts.get("service_account_namespace") or facts.get("namespace", "")
        scope = facts.get("resource_namespace") or (
            facts.get("scope", "") if facts.get("scope") not in ("cluster", "namespace") else ""
        )
        group = facts.get("group") or facts.get("api_group", "")
        if account and facts.get("verb") and facts.get("resource"):
            denied = DeniedRequest(namespace, account, facts["verb"], facts["resource"], group, scope)
            groups.setdefault(denied, []).append(evidence)
    yield from groups.items()


def _may_grant(case: RemedyContext, denied: DeniedRequest) -> bool:
    """Return True where the policy allows the verb, and the grant cannot be used to gain more permissions."""
    verbs = _strings(case.action.options.get("verbs"))
    never = _strings(case.action.options.get("never"))
    return denied.verb in verbs and denied.verb not in never and denied.resource.partition("/")[0] not in never


def _strings(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _roles(case: RemedyContext, denied: DeniedRequest) -> list[BoundRole]:
    """Return the Roles that the account is bound to and that apply to the request, the narrower ones first."""
    roles: dict[tuple[str, str], BoundRole] = {}
    for binding in _objects_of_kind(case, "RoleBinding", "ClusterRoleBinding"):
        wide = binding.manifest.kind == "ClusterRoleBinding"
        space = _namespace(binding)
        if not wide and (not denied.scope or space != denied.scope):
            continue
        if not any(_is_account(subject, denied, space) for subject in _subjects(binding)):
            continue
        reference = get(binding.manifest.body, ("roleRef",))
        if not isinstance(reference, dict):
            continue
        for role in _objects_of_kind(case, str(reference.get("kind"))):
            if role.manifest.name == reference.get("name") and (
                role.manifest.kind == "ClusterRole" or _namespace(role) == space
            ):
                roles.setdefault((role.manifest.kind, role.manifest.name), role)
    rank = {"Role": 0, "ClusterRole": 1}
    return sorted(roles.values(), key=lambda role: (rank.get(role.manifest.kind, 2), -_nearness(role, denied)))


def _objects_of_kind(case: RemedyContext, *kinds: str) -> list[BoundRole]:
    """Return the objects of these kinds, those of the culprit's Applications first, then those of their cluster."""
    first = list(dict.fromkeys(target.application for target in case.targets))
    clusters = {application.cluster for application in first}
    neighbours = [
        application
        for application in case.repository.applications
        if application not in first and (not clusters or application.cluster in clusters)
    ]
    return [
        BoundRole(application, manifest)
        for application in (*first, *neighbours)
        for manifest in case.repository.objects(application)
        if manifest.kind in kinds
    ]


def _namespace(role: BoundRole) -> str:
    return role.manifest.namespace_in(role.application)


def _subjects(binding: BoundRole) -> list[dict[str, Any]]:
    return [subject for subject in binding.manifest.body.get("subjects") or () if isinstance(subject, dict)]


def _is_account(subject: dict[str, Any], denied: DeniedRequest, space: str) -> bool:
    return (
        subject.get("kind") == "ServiceAccount"
        and subject.get("name") == denied.account
        and (subject.get("namespace") or space) == denied.namespace
    )


def _nearness(role: BoundRole, denied: DeniedRequest) -> int:
    """Return how near a Role is to the grant: whether it names the resource, and the group."""
    rules = _rules(role)
    names = any(denied.resource in (rule.get("resources") or ()) for _, rule in rules)
    groups = any(denied.group in (rule.get("apiGroups") or ()) for _, rule in rules)
    return 2 * names + groups


def _rules(role: BoundRole) -> list[tuple[int, dict[str, Any]]]:
    rules = role.manifest.body.get("rules")
    return [
        (index, rule) for index, rule in enumerate(rules if isinstance(rules, list) else ()) if isinstance(rule, dict)
    ]


def _grant(
    case: RemedyContext, role: BoundRole, denials: list[DeniedRequest], evidence: Sequence[Evidence]
) -> Iterator[Fix]:
    """Yield one fix with every missing grant; each denial sees the grants for those before it."""
    body = copy.deepcopy(role.manifest.body.get("rules") or [])
    changed: dict[YamlPath, Any] = {}
    granted = []
    for denied in denials:
        rules = [
            (index, rule)
            for index, rule in enumerate(body)
            if isinstance(rule, dict) and not rule.get("resourceNames") and not rule.get("nonResourceURLs")
        ]
        if any(allows(rule, denied) for _, rule in rules):
            continue
        repair = misspelt_word(rules, denied) or missing_verb(rules, denied) or missing_resource(rules, denied)
        if repair is None:
            body.append({"apiGroups": [denied.group], "resources": [denied.resource], "verbs": [denied.verb]})
        else:
            path, value = repair
            body = with_value(body, path[1:], value)
            if int(path[1]) < len(role.manifest.body.get("rules") or ()):
                changed[path] = value
        granted.append(denied)
    if not granted:
        return  # the repository grants it already
    old_rules = role.manifest.body.get("rules") or []
    wants = [Want.of(role, path, value) for path, value in changed.items()]
    if len(body) > len(old_rules):
        wants.append(Want.of(role, ("rules",), [*old_rules, *body[len(old_rules) :]]))
    account, grants = granted[0].account, ", ".join(f"{denial.verb} {denial.resource}" for denial in granted)
    yield Fix(
        title=f"let `{account}` {grants}",
        reason=f"ServiceAccount `{account}` may not {grants}; it is bound to {role.manifest.kind} `{role.manifest.name}`, which does not allow it.",
        evidence=case.cite(*evidence),
        wants=tuple(wants),
        parameters={"role": role.manifest.name, "grants": grants},
        score=0.75,
    )


def _binding_fixes(case: RemedyContext, denied: DeniedRequest, evidence: Sequence[Evidence]) -> Iterator[Fix]:
    """Yield the correction of a binding that misspells the account or names another namespace."""
    accounts = {(account.manifest.name, _namespace(account)) for account in _objects_of_kind(case, "ServiceAccount")}
    for binding in _objects_of_kind(case, "RoleBinding", "ClusterRoleBinding"):
        space = _namespace(binding)
        if binding.manifest.kind == "RoleBinding" and space != denied.scope:
            continue
        for index, subject in enumerate(binding.manifest.body.get("subjects") or ()):
            if not isinstance(subject, dict) or subject.get("kind") != "ServiceAccount":
                continue
            name, subject_namespace = str(subject.get("name", "")), str(subject.get("namespace") or space)
            if (name, subject_namespace) in accounts:
                continue
            slip = subject_namespace == denied.namespace and is_typo(name, denied.account)
            elsewhere = name == denied.account and subject_namespace != denied.namespace
            if not (slip or elsewhere):
                continue
            field, old, new = (
                ("name", name, denied.account) if slip else ("namespace", subject_namespace, denied.namespace)
            )
            yield Fix(
                title=f"bind `{denied.account}` of {denied.namespace} in `{binding.manifest.name}`",
                reason=f"{binding.manifest.kind} `{binding.manifest.name}` binds {field} `{old}`, which does not exist; the account is `{denied.namespace}/{denied.account}`.",
                evidence=case.cite(*evidence),
                wants=(Want.of(binding, ("subjects", index, field), new),),
                parameters={"binding": binding.manifest.name, "from": old, "to": new},
                score=0.7,
                accepts=exactly(new),
            )
