"""Security settings that the image cannot bear, and those that the namespace demands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.views.start_texts import containers

_ENFORCE = "pod-security.kubernetes.io/enforce"
_PATH = re.compile(r"(?<![\w.])(/[\w.@+-]+(?:/[\w.@+-]+)*)")


def relax_security_context(case: RemedyContext) -> Iterator[Fix]:
    """Take back the one setting that the evidence names; what stood there before is asked first."""
    yield from _non_root(case)
    yield from _read_only(case)
    yield from _low_port(case)


def _non_root(case: RemedyContext) -> Iterator[Fix]:
    """The kubelet refuses an image that runs as root where runAsNonRoot is demanded."""
    refused = case.signals("run_as_non_root")
    for target, container, path in containers(case, refused):
        if _enforced(case, target) == "restricted":
            continue  # the namespace would refuse the pod without the setting
        where = _holder(target, container, path, "runAsNonRoot")
        if where is None or get(container, ("securityContext", "runAsUser")) not in (MISSING, None):
            continue
        yield _unset(case, target, container, where, "runAsNonRoot", "its image runs as root", refused)


def _read_only(case: RemedyContext) -> Iterator[Fix]:
    """A program that writes to its image's own file system; a mount that is read-only is another matter."""
    failed = case.signals("read_only_file_system")
    written = [path for one in failed for path in _PATH.findall(one.text)]
    for target, container, path in containers(case, failed):
        if get(container, ("securityContext", "readOnlyRootFilesystem")) is not True:
            continue
        mounted = [
            str(mount.get("mountPath", "")).rstrip("/")
            for mount in container.get("volumeMounts") or ()
            if isinstance(mount, dict)
        ]
        if written and all(any(one == place or one.startswith(f"{place}/") for place in mounted) for one in written):
            continue
        where = (*path, "securityContext", "readOnlyRootFilesystem")
        said = f"it writes to {written[0]}" if written else "it writes to its root file system"
        yield _unset(case, target, container, where, "readOnlyRootFilesystem", said, failed)


def _unset(
    case: RemedyContext,
    target: Match,
    container: dict[str, Any],
    where: YamlPath,
    setting: str,
    why: str,
    evidence: list[Evidence],
) -> Fix:
    name = str(container.get("name", ""))
    return Fix(
        title=f"let `{name}` run without {setting}",
        reason=f"{setting} is set for `{name}`, but {why}; a person should judge whether the image can be changed instead.",
        evidence=case.cite(*evidence),
        wants=(Want(target.application, target.manifest, where, value=False),),
        parameters={"container": name, "setting": setting, "to": "false"},
        score=0.6,
        accepts=lambda old: old is MISSING or old is False,
    )


def _holder(target: Match, container: dict[str, Any], path: YamlPath, setting: str) -> YamlPath | None:
    """Where the setting holds for this container: its own, else the pod's, which is overridden where others share it."""
    if get(container, ("securityContext", setting)) is True:
        return (*path, "securityContext", setting)
    found = target.manifest.pod_spec()
    if found is None or get(found[0], ("securityContext", setting)) is not True:
        return None
    several = sum(1 for _ in target.manifest.containers()) > 1
    return (*path, "securityContext", setting) if several else (*found[1], "securityContext", setting)


def _enforced(case: RemedyContext, target: Match) -> str:
    """The Pod Security level that the namespace's own manifest enforces."""
    own = target.manifest.namespace_in(target.application)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            if manifest.kind == "Namespace" and manifest.name == own:
                return str(get(manifest.body, ("metadata", "labels", _ENFORCE)) or "")
    return ""


def _low_port(case: RemedyContext) -> Iterator[Fix]:
    """A port below 1024 needs a capability that was dropped; a user other than root would not get it back."""
    failed = case.signals("privileged_port")
    for target, container, path in containers(case, failed):
        context = container.get("securityContext")
        user = _user(target, container)
        capabilities = context.get("capabilities") if isinstance(context, dict) else None
        dropped = capabilities.get("drop") if isinstance(capabilities, dict) else None
        added = capabilities.get("add") if isinstance(capabilities, dict) else None
        name = str(container.get("name", ""))
        if (
            isinstance(dropped, list)
            and "ALL" in dropped
            and user in (None, 0)
            and "NET_BIND_SERVICE" not in (added or ())
        ):
            yield Fix(
                title=f"let `{name}` bind port {case.fact('port', among=failed)}",
                reason=f"`{name}` drops all capabilities, and a port below 1024 needs NET_BIND_SERVICE.",
                evidence=case.cite(*failed),
                wants=(
                    Want(
                        target.application,
                        target.manifest,
                        (*path, "securityContext", "capabilities", "add"),
                        [*(added or ()), "NET_BIND_SERVICE"],
                    ),
                ),
                parameters={"container": name, "capability": "NET_BIND_SERVICE"},
                score=0.65,
            )
        elif isinstance(context, dict) and isinstance(context.get("runAsUser"), int) and context["runAsUser"] != 0:
            yield Fix(
                title=f"let `{name}` run as its image's user",
                reason=f"`{name}` binds a port below 1024, which user {context['runAsUser']} may not.",
                evidence=case.cite(*failed),
                wants=(
                    Want(
                        target.application,
                        target.manifest,
                        (*path, "securityContext", "runAsUser"),
                        context["runAsUser"],
                    ),
                ),
                parameters={"container": name, "from": str(context["runAsUser"])},
                score=0.0,
                accepts=lambda old: old is MISSING or old == 0,
            )


def _user(target: Match, container: dict[str, Any]) -> Any:
    """The user that the manifests choose: the container's, else the pod's; None where the image decides."""
    own = get(container, ("securityContext", "runAsUser"))
    if own is not MISSING:
        return own
    found = target.manifest.pod_spec()
    pod = get(found[0], ("securityContext", "runAsUser")) if found else MISSING
    return None if pod is MISSING else pod


_DEMANDS: tuple[tuple[str, YamlPath, Any], ...] = (
    (r"securityContext\.allowPrivilegeEscalation=false", ("allowPrivilegeEscalation",), False),
    (r'securityContext\.capabilities\.drop=\["ALL"\]', ("capabilities", "drop"), ["ALL"]),
    (r"securityContext\.runAsNonRoot=true", ("runAsNonRoot",), True),
    (r'securityContext\.seccompProfile\.type to "RuntimeDefault"', ("seccompProfile", "type"), "RuntimeDefault"),
)
"""What Pod Security's refusal says that a container must set, and how that is written."""
_REFUSAL = re.compile(r'violates PodSecurity "(?P<level>[^"]+)": (?P<all>.*)', re.DOTALL)
_FORBIDS = re.compile(
    r"must not (?:set|include)|hostPath|host namespaces|hostPort|privileged \(|forbidden sysctls|restricted volume types|hostProcess"
)


def meet_pod_security(case: RemedyContext) -> Iterator[Fix]:
    """Set what the namespace's Pod Security level demands, where it only demands and takes nothing away."""
    refused = case.signals("psa_violation")
    texts = [one.text.replace('\\"', '"') for one in refused]
    found = next((match for text in texts if (match := _REFUSAL.search(text))), None)
    if found is None or _FORBIDS.search(found["all"]):
        return
    for target in case.targets:
        wants = [
            want
            for body, path, _ in target.manifest.containers()
            for want in _demanded(target, body, path, found["all"])
        ]
        if wants:
            yield Fix(
                title=f"meet Pod Security `{found['level']}` in `{target.manifest.name}`",
                reason=f"the API server refuses the pods and names the settings that `{found['level']}` demands.",
                evidence=case.cite(*refused),
                wants=tuple(wants),
                parameters={"level": found["level"]},
                score=0.6,
            )


def _demanded(target: Match, container: dict[str, Any], path: YamlPath, text: str) -> Iterator[Want]:
    """The settings that are missing of one container, a whole securityContext where it has none."""
    name = str(container.get("name", ""))
    missing: list[tuple[YamlPath, Any]] = []
    for demand, where, value in _DEMANDS:
        clause = re.search(rf"\((?P<who>[^()]*) must set {demand}", text)
        if clause and (f'"{name}"' in clause["who"]) and get(container, ("securityContext", *where)) != value:
            missing.append((where, value))
    context = container.get("securityContext")
    if missing and not isinstance(context, dict):
        body: dict[str, Any] = {}
        for where, value in missing:
            _put(body, where, value)
        yield Want(target.application, target.manifest, (*path, "securityContext"), body)
        return
    for where, value in missing:
        parent = get(context, where[:1])
        whole = len(where) > 1 and not isinstance(parent, dict)
        at = where[:1] if whole else where
        yield Want(
            target.application, target.manifest, (*path, "securityContext", *at), {where[1]: value} if whole else value
        )


def _put(body: dict[str, Any], where: YamlPath, value: Any) -> None:
    for step in where[:-1]:
        body = body.setdefault(str(step), {})
    body[str(where[-1])] = value
