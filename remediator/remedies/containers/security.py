"""Security settings that stop an image from running, and settings that the namespace demands.

Only the one setting that the evidence names is relaxed, never a whole securityContext, and never one that the namespace's
own Pod Security level demands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import MISSING, YamlPath, get
from remediator.gitops import Manifest, Match
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.unprovable import Unprovable
from remediator.remedies.views.peers import LEAST
from remediator.remedies.views.start_texts import containers

_ENFORCE = "pod-security.kubernetes.io/enforce"
_PATH = re.compile(r"(?<![\w.])(/[\w.@+-]+(?:/[\w.@+-]+)*)")


def relax_security_context(case: RemedyContext) -> Iterator[Fix]:
    """Relax the one setting that the evidence names; an older value from the history is preferred."""
    yield from _non_root(case)
    yield from _read_only(case)
    yield from _low_port(case)


def _non_root(case: RemedyContext) -> Iterator[Fix]:
    """Unset runAsNonRoot where the kubelet refuses an image that runs as root."""
    refused = case.signals("run_as_non_root")
    for target, container, path in containers(case, refused):
        if _enforced_level(case, target) == "restricted":
            continue  # the namespace would refuse the pod without the setting
        setting_path = _effective_path(target, container, path, "runAsNonRoot")
        if setting_path is None or get(container, ("securityContext", "runAsUser")) not in (MISSING, None):
            continue
        yield _unset_fix(case, target, container, setting_path, "runAsNonRoot", "its image runs as root", refused)


def _read_only(case: RemedyContext) -> Iterator[Fix]:
    """Unset readOnlyRootFilesystem where a program writes to its image's file system, not to a read-only mount."""
    failed = case.signals("read_only_file_system")
    paths = [path for piece in failed for path in _PATH.findall(piece.text)]
    for target, container, path in containers(case, failed):
        if get(container, ("securityContext", "readOnlyRootFilesystem")) is not True:
            continue
        mounted = [
            str(mount.get("mountPath", "")).rstrip("/")
            for mount in container.get("volumeMounts") or ()
            if isinstance(mount, dict)
        ]
        if paths and all(
            any(file == mount_path or file.startswith(f"{mount_path}/") for mount_path in mounted) for file in paths
        ):
            continue
        setting_path = (*path, "securityContext", "readOnlyRootFilesystem")
        cause = f"it writes to {paths[0]}" if paths else "it writes to its root file system"
        yield _unset_fix(case, target, container, setting_path, "readOnlyRootFilesystem", cause, failed)


def _unset_fix(
    case: RemedyContext,
    target: Match,
    container: dict[str, Any],
    path: YamlPath,
    setting: str,
    cause: str,
    evidence: Sequence[Evidence],
) -> Fix:
    name = str(container.get("name", ""))
    return Fix(
        title=f"let `{name}` run without {setting}",
        reason=f"{setting} is set for `{name}`, but {cause}; a person should judge whether the image can be changed instead.",
        evidence=case.cite(*evidence),
        wants=(Want.of(target, path, value=False),),
        parameters={"container": name, "setting": setting, "to": "false"},
        score=0.6,
        accepts=lambda old: old is MISSING or old is False,
    )


def _effective_path(target: Match, container: dict[str, Any], path: YamlPath, setting: str) -> YamlPath | None:
    """Return the path where the setting is to be changed for this container; None where it is not set.

    A setting of the pod is overridden in the container where several containers share it.
    """
    if get(container, ("securityContext", setting)) is True:
        return (*path, "securityContext", setting)
    pod = target.manifest.pod_spec()
    if pod is None or get(pod[0], ("securityContext", setting)) is not True:
        return None
    several = sum(1 for _ in target.manifest.containers()) > 1
    return (*path, "securityContext", setting) if several else (*pod[1], "securityContext", setting)


def _enforced_level(case: RemedyContext, target: Match) -> str:
    """Return the Pod Security level that the namespace's manifest enforces; empty where it enforces none."""
    namespace = target.manifest.namespace_in(target.application)
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            if manifest.kind == "Namespace" and manifest.name == namespace:
                return str(get(manifest.body, ("metadata", "labels", _ENFORCE)) or "")
    return ""


def _low_port(case: RemedyContext) -> Iterator[Fix]:
    """Add the capability that a port below 1024 needs, or restore the user; only root gets an added capability."""
    failed = case.signals("privileged_port")
    for target, container, path in containers(case, failed):
        context = container.get("securityContext")
        user = _chosen_user(target, container)
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
                    Want.of(
                        target, (*path, "securityContext", "capabilities", "add"), [*(added or ()), "NET_BIND_SERVICE"]
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
                wants=(Want.of(target, (*path, "securityContext", "runAsUser"), context["runAsUser"]),),
                parameters={"container": name, "from": str(context["runAsUser"])},
                score=0.0,
                accepts=lambda old: old is MISSING or old == 0,
            )


def _chosen_user(target: Match, container: dict[str, Any]) -> Any:
    """Return the user of the container, else of the pod; None where the image decides."""
    container_user = get(container, ("securityContext", "runAsUser"))
    if container_user is not MISSING:
        return container_user
    pod = target.manifest.pod_spec()
    pod_user = get(pod[0], ("securityContext", "runAsUser")) if pod else MISSING
    return None if pod_user is MISSING else pod_user


_DEMANDS: tuple[tuple[str, YamlPath, Any], ...] = (
    (r"securityContext\.allowPrivilegeEscalation=false", ("allowPrivilegeEscalation",), False),
    (r'securityContext\.capabilities\.drop=\["ALL"\]', ("capabilities", "drop"), ["ALL"]),
    (r"securityContext\.runAsNonRoot=true", ("runAsNonRoot",), True),
    (r'securityContext\.seccompProfile\.type to "RuntimeDefault"', ("seccompProfile", "type"), "RuntimeDefault"),
)
"""Pattern in the refusal of Pod Security → the setting that the container must have, and its value."""
_REFUSAL = re.compile(r'violates PodSecurity "(?P<level>[^"]+)": (?P<all>.*)', re.DOTALL)
_FORBIDS = re.compile(
    r"must not (?:set|include)|hostPath|host namespaces|hostPort|privileged \(|forbidden sysctls|restricted volume types|hostProcess"
)


def meet_pod_security(case: RemedyContext) -> Iterator[Fix]:
    """Add the settings that the namespace's Pod Security level demands, where it forbids nothing that the pod uses."""
    refused = case.signals("psa_violation")
    texts = [piece.text.replace('\\"', '"') for piece in refused]
    refusal = next((match for text in texts if (match := _REFUSAL.search(text))), None)
    if refusal is None or _FORBIDS.search(refusal["all"]):
        return
    for target in case.targets:
        wants = [
            want
            for body, path, _ in target.manifest.containers()
            for want in _demanded_settings(target, body, path, refusal["all"])
        ]
        if wants and (others := _others_refused(case, target, refusal["all"])):
            raise Unprovable(
                f"{len(others)} other workloads of the namespace do not meet Pod Security `{refusal['level']}` either "
                f"({', '.join(others[:3])}): the level of the namespace may be what is wrong"
            )
        if wants:
            yield Fix(
                title=f"meet Pod Security `{refusal['level']}` in `{target.manifest.name}`",
                reason=f"the API server refuses the pods and names the settings that `{refusal['level']}` demands.",
                evidence=case.cite(*refused),
                wants=tuple(wants),
                parameters={"level": refusal["level"]},
                score=0.6,
            )


def _others_refused(case: RemedyContext, target: Match, text: str) -> list[str]:
    """Return the namespace's other workloads where most of them lack what the level demands; none where it is one's own fault."""
    others = [
        manifest
        for manifest in case.namespace_objects(target)
        if manifest.pod_spec() and (manifest.kind, manifest.name) != (target.manifest.kind, target.manifest.name)
    ]
    settings = [(setting, value) for demand, setting, value in _DEMANDS if re.search(f"must set {demand}", text)]
    lacking = sorted(manifest.name for manifest in others if not _meets(manifest, settings))
    return lacking if len(lacking) >= LEAST and len(lacking) * 2 > len(others) else []


def _meets(manifest: Manifest, settings: list[tuple[YamlPath, Any]]) -> bool:
    """Return True where every container has the settings, itself or by its pod."""
    spec = manifest.pod_spec()
    bodies = [body for body, _, _ in manifest.containers()]
    return spec is not None and all(
        value in (get(body, ("securityContext", *setting)), get(spec[0], ("securityContext", *setting)))
        for body in bodies
        for setting, value in settings
    )


def _demanded_settings(target: Match, container: dict[str, Any], path: YamlPath, text: str) -> Iterator[Want]:
    """Yield the settings that one container lacks, or a whole securityContext where it has none."""
    name = str(container.get("name", ""))
    missing: list[tuple[YamlPath, Any]] = []
    for demand, setting, value in _DEMANDS:
        clause = re.search(rf"\((?P<who>[^()]*) must set {demand}", text)
        if clause and (f'"{name}"' in clause["who"]) and get(container, ("securityContext", *setting)) != value:
            missing.append((setting, value))
    context = container.get("securityContext")
    if missing and not isinstance(context, dict):
        body: dict[str, Any] = {}
        for setting, value in missing:
            _set_at(body, setting, value)
        yield Want.of(target, (*path, "securityContext"), body)
        return
    for setting, value in missing:
        parent = get(context, setting[:1])
        nested = len(setting) > 1 and not isinstance(parent, dict)
        missing_path = setting[:1] if nested else setting
        yield Want.of(target, (*path, "securityContext", *missing_path), {setting[1]: value} if nested else value)


def _set_at(body: dict[str, Any], path: YamlPath, value: Any) -> None:
    for step in path[:-1]:
        body = body.setdefault(str(step), {})
    body[str(path[-1])] = value
