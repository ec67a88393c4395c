"""Probes that fail because they use the wrong port or path.

A new port or path needs a source: the program's own log, the container's declared ports, its healthy probes, or other
workloads with the same image. Without one only an older value from the history is proposed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from remediator.domain.incident import Evidence
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.older_values import is_added_lately
from remediator.remedies.engine.spelling import distance, is_typo, nearest
from remediator.remedies.probes.declared_port import declare_served_port, services_sending_to
from remediator.remedies.probes.failing import FailingProbe, Probe, container_log, failing_probes, probes_of
from remediator.remedies.probes.port_names import name_port
from remediator.remedies.views.open_ports import intended_port, observed_ports

KNOWN_PATHS = (
    "/healthz", "/health", "/healthcheck", "/livez", "/readyz", "/ready", "/live", "/liveness", "/readiness", "/metrics", "/status",
    "/ping", "/alive", "/-/healthy", "/-/ready", "/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness",
    "/health/live", "/health/ready", "/api/health", "/api/healthz", "/healthz/ready", "/healthz/live", "/q/health/live", "/q/health/ready",
)  # fmt: skip
"""Paths that frameworks and Kubernetes' own components serve by default; used only to correct a typo."""

_LISTENS = re.compile(
    r"(?i)\b(?:listen(?:ing|s)?|serving|started|running|bound|accepting connections|ready to accept)\b[^\n]{0,80}?"
    r"(?:\bport(?:\(s\))?[\"' =:]*|(?:^|[\s\"'=(])(?:https?://)?(?:0\.0\.0\.0|\[::1?\]|\*|localhost|127\.0\.0\.1)?:)(?P<port>\d{2,5})(?![\d:.])"
)
_SERVED = re.compile(r'"(?:GET|HEAD) (?P<path>/[^\s"?]*)[^"]*" 2\d\d\b.*kube-probe')
_UNKNOWN_NAME = re.compile(
    r'parsing \\?"(?P<name>[^"\\]+)\\?": invalid syntax|port (?P<name2>[a-z][a-z0-9-]*) not found'
)
_WRONG_PATH = {"404", "405", "410", "501"}
"""Statuses of a server that does not know the path; 5xx and 401 tell about its state and its access control."""

UNTRIED = 0.6
"""The rating of another port for a probe that has never succeeded: its commit is rather taken back."""


def fix_probe_port(case: RemedyContext) -> Iterator[Fix]:
    """Point a refused probe at the port that the container serves; `accepts` tells which older ports would do as well."""
    for failure in failing_probes(case, *case.action.ends):
        probe = failure.probe
        if probe.handler not in ("httpGet", "tcpSocket", "grpc") or not failure.is_current:
            continue
        if not (_is_unreached(failure) or _unresolved_name(failure)):
            continue
        if fix := declare_served_port(case, failure, listened_ports(case, probe)):
            yield fix
            continue
        new, why = _intended_port(case, failure)
        current = probe.port
        if (
            isinstance(new, str)
            and (name := _unresolved_name(failure))
            and (fix := name_port(case, failure, name, new))
        ):
            yield fix
            continue
        services = _services_of_same_port(case, failure, new)
        yield Fix(
            title=f"probe port {new or current} of `{probe.name}` instead of {current}",
            reason=f"Nothing answers the {probe.kind} probe at port {current}; {why or 'another port stood there before'}.",
            evidence=case.cite(*failure.evidence),
            wants=(probe.want(probe.handler, "port", value=new or current), *services),
            parameters={"container": probe.name, "probe": probe.kind, "from": str(current), "to": str(new or "")},
            score=(UNTRIED if _is_untried(case, failure, new) else 0.75) if new else 0.0,
            accepts=None if services else partial(_accepts_port, probe=probe, served=_known_ports(case, failure)),
        )


def _services_of_same_port(case: RemedyContext, failure: FailingProbe, new: int | str | None) -> tuple[Want, ...]:
    """Return the same correction of the Services that send to the wrong port, where a look into the container showed the right one."""
    target, wrong = failure.probe.target, failure.probe.number
    if not new or wrong is None or observed_ports(case.statements, {target.manifest.name}) is None:
        return ()
    return tuple(services_sending_to(case, target, wrong, failure.probe.resolve(new) or new))


def _is_untried(case: RemedyContext, failure: FailingProbe, port: int | str) -> bool:
    """Return True where a commit has just added an HTTP probe, and nothing shows that the port speaks HTTP at all."""
    probe = failure.probe
    number = probe.resolve(port)
    served = listened_ports(case, probe) | {sibling.number for sibling in _healthy_probes(case, failure)}
    if probe.handler != "httpGet" or number in served or "http" in dict(probe.declared).get(number or 0, ""):
        return False
    return is_added_lately(case, Want.of(probe.target, probe.path, probe.body))


def _known_ports(case: RemedyContext, failure: FailingProbe) -> frozenset[int]:
    """Return the ports that the container is known to serve: declared, used by healthy probes, or named in its log."""
    healthy = {sibling.number for sibling in _healthy_probes(case, failure) if sibling.number is not None}
    return frozenset({port for port, _ in failure.probe.declared} | healthy | listened_ports(case, failure.probe))


def _accepts_port(old: Any, *, probe: Probe, served: frozenset[int]) -> bool:
    """Return True for an older port that differs, and that the container serves where its served ports are known."""
    was = probe.resolve(old)
    return was is not None and was != probe.number and (not served or was in served)


def _is_unreached(failure: FailingProbe) -> bool:
    """Return True where nothing accepted the connection: a late or bad answer comes from the right port."""
    return any(
        re.search(r"(?i)connection refused|i/o timeout|no route to host|failed to connect|connection reset", piece.text)
        for piece in failure.evidence
    )


def _unresolved_name(failure: FailingProbe) -> str:
    """Return the port name that the kubelet cannot resolve; empty where the failure is another one."""
    for piece in failure.evidence:
        match = _UNKNOWN_NAME.search(piece.text)
        if match and (name := match["name"] or match["name2"]) == failure.probe.port:
            return str(name)
    return ""


def _intended_port(case: RemedyContext, failure: FailingProbe) -> tuple[int | str | None, str]:
    """Return the intended port in the form of the current value, and the reason; None where it is not certain."""
    probe, declared = failure.probe, dict(failure.probe.declared)
    if name := _unresolved_name(failure):
        names = [text for text in declared.values() if text]
        port_name = nearest(name, names) or (names[0] if len(names) == 1 and len(declared) == 1 else "")
        return (port_name, f"the container names its port `{port_name}`") if port_name else (None, "")
    wrong = probe.number
    if wrong is None:
        return None, ""
    listened = listened_ports(case, probe)
    if wrong in listened or wrong in declared:
        return None, ""
    if port := intended_port(wrong, listened, declared):
        seen = observed_ports(case.statements, {probe.target.manifest.name}) is not None
        speaker = "a look into the container shows" if seen else "the program says"
        return _in_probe_form(probe, port), f"{speaker} that it listens on {port}"
    return _declared_port(case, failure, declared)


def _declared_port(
    case: RemedyContext, failure: FailingProbe, declared: Mapping[int, str]
) -> tuple[int | str | None, str]:
    """Return the intended declared port: one digit away, or used by the other probes, or the only one."""
    probe, wrong = failure.probe, failure.probe.number
    if wrong is None:
        return None, ""
    slips = [port for port in declared if distance(str(port), str(wrong)) == 1]
    if len(slips) == 1:
        return _in_probe_form(probe, slips[0]), f"the container declares {slips[0]}, one digit away"
    siblings = [
        sibling
        for sibling in probes_of(probe.target)
        if sibling.name == probe.name and sibling.kind != probe.kind and sibling.number is not None
    ]
    if siblings and all(sibling.number == wrong for sibling in siblings):
        return None, ""  # all probes agree on a port that the manifest does not declare
    used = {sibling.number for sibling in _healthy_probes(case, failure) if sibling.number != wrong}
    fitting = used & set(declared) if declared else used
    if len(fitting) == 1 and (port := next(iter(fitting))) is not None:
        return _in_probe_form(probe, port), f"its other probes ask at {port}{', which it declares' if declared else ''}"
    if len(declared) == 1:
        port = next(iter(declared))
        return _in_probe_form(probe, port), f"the only port that the container declares is {port}"
    return None, ""


def _in_probe_form(probe: Probe, port: int) -> int | str:
    """Return the port as a name where the probe uses names and the container names this port."""
    name = dict(probe.declared).get(port, "")
    by_name = isinstance(probe.port, str) and not probe.port.isdigit()
    return name if by_name and name else str(port) if isinstance(probe.port, str) else port


def _healthy_probes(case: RemedyContext, failure: FailingProbe) -> list[Probe]:
    """Return the other probes of the same container that use a port and do not fail."""
    complained = {piece.facts.get("probe", "").lower() for piece in case.diagnosis.evidence}
    return [
        sibling
        for sibling in probes_of(failure.probe.target)
        if sibling.name == failure.probe.name and sibling.kind not in complained and sibling.number is not None
    ]


def listened_ports(case: RemedyContext, probe: Probe) -> set[int]:
    """Return the ports on which the container listens, as seen in it, else by its own log."""
    observed = observed_ports(case.statements, {probe.target.manifest.name})
    if observed is not None:
        return observed
    return {int(match["port"]) for text in container_log(case, probe) for match in _LISTENS.finditer(text)}


def fix_probe_path(case: RemedyContext) -> Iterator[Fix]:
    """Point probes that get 404 at a path that the container serves; all probes of a container change together."""
    for group in _by_container(failing_probes(case, *case.action.ends)):
        if not all(failure.is_current and failure.probe.handler == "httpGet" for failure in group):
            continue
        if not all({status_of(piece) for piece in failure.evidence} & _WRONG_PATH for failure in group):
            continue
        corrections = [(failure, *_intended_path(case, failure, group)) for failure in group]
        sure = all(new for _, new, _ in corrections)
        wrong = {str(failure.probe.http_path) for failure in group}
        changes = ", ".join(f"{failure.probe.http_path} → {new}" for failure, new, _ in corrections if new)
        name = group[0].probe.name
        yield Fix(
            title=f"correct probe path of `{name}`: {changes}" if sure else f"restore probe path of `{name}`",
            reason="The server answers 404 to "
            + " and ".join(sorted(wrong))
            + "; "
            + "; ".join(dict.fromkeys(why for _, _, why in corrections if why))
            + ".",
            evidence=case.cite(*(piece for failure in group for piece in failure.evidence)),
            wants=tuple(
                failure.probe.want("httpGet", "path", value=new or failure.probe.http_path)
                for failure, new, _ in corrections
            ),
            parameters={
                "container": name,
                "from": ", ".join(sorted(wrong)),
                "to": ", ".join(dict.fromkeys(new for _, new, _ in corrections)),
            },
            score=0.7 if sure else 0.0,
            accepts=partial(_another_path, wrong=frozenset(wrong)),
        )


def _another_path(old: Any, *, wrong: frozenset[str]) -> bool:
    return isinstance(old, str) and old.startswith("/") and old not in wrong


def _by_container(failures: Sequence[FailingProbe]) -> list[list[FailingProbe]]:
    groups: dict[tuple[str, str, str], list[FailingProbe]] = {}
    for failure in failures:
        groups.setdefault(
            (failure.probe.target.application.name, failure.probe.target.manifest.name, failure.probe.name), []
        ).append(failure)
    return list(groups.values())


def _intended_path(case: RemedyContext, failure: FailingProbe, group: Sequence[FailingProbe]) -> tuple[str, str]:
    """Return a path that is served for certain, and the reason; empty where none is."""
    probe, wrong = failure.probe, failure.probe.http_path
    bad = {member.probe.http_path for member in group}
    served = {match["path"] for text in container_log(case, probe) for match in _SERVED.finditer(text)} - bad
    if len(served) == 1:
        path = next(iter(served))
        return path, f"it answers the kubelet with 200 at {path}"
    healthy = [
        sibling.http_path
        for sibling in _healthy_probes(case, failure)
        if sibling.handler == "httpGet" and sibling.number == probe.number
    ]
    for path in (path for path in healthy if path not in bad):
        if is_typo(wrong, path) or (len(path) > 1 and (wrong.endswith(path) or path.endswith(wrong))):
            return path, f"its other probe is answered at {path}"
    alike = _paths_of_same_image(case, probe) - bad
    if len(alike) == 1:
        path = next(iter(alike))
        return path, f"the same image is probed at {path} elsewhere in this repository"
    if _serves_files(case, probe):
        return "/", "the image serves files and answers at /"
    if path := _usual_path(wrong, bad):
        return path, f"{path} is the usual path, one slip away"
    for path in (path for path in healthy if path not in bad and not re.search("ready|live", path)):
        return path, f"its other probe is answered at {path}"
    return "", ""


def _usual_path(wrong: str, bad: set[str]) -> str:
    """Return the only usual path that is a typo away; empty where there is none or two are equally near."""
    near = sorted((distance(wrong, path, bound=2), path) for path in KNOWN_PATHS if path not in bad)
    slips = [(count, path) for count, path in near if 0 < count <= (1 if len(path) < 7 else 2)]
    return slips[0][1] if slips and (len(slips) == 1 or slips[0][0] < slips[1][0]) else ""


def _paths_of_same_image(case: RemedyContext, probe: Probe) -> set[str]:
    """Return the paths that other workloads with the same image use for the same kind of probe."""
    image = _without_tag(str(probe.container.get("image", "")))
    paths: set[str] = set()
    for application in case.repository.applications:
        for manifest in case.repository.objects(application):
            if not image or (manifest.kind, manifest.name, application) == (
                probe.target.manifest.kind,
                probe.target.manifest.name,
                probe.target.application,
            ):
                continue
            for container, _, _ in manifest.containers():
                check = container.get(f"{probe.kind}Probe")
                get = check.get("httpGet") if isinstance(check, dict) else None
                if isinstance(get, dict) and _without_tag(str(container.get("image", ""))) == image:
                    paths.add(str(get.get("path") or "/"))
    return paths


def _without_tag(image: str) -> str:
    """Return the image without its tag and digest."""
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _serves_files(case: RemedyContext, probe: Probe) -> bool:
    """Return True where the image is a file server by the policy's list and the container does not configure it."""
    images = case.action.options.get("root_path_images", [])
    name = _without_tag(str(probe.container.get("image", "")))
    names = [str(image) for image in images] if isinstance(images, list) else []
    if not any(name == image or name.endswith(f"/{image}") for image in names):
        return False
    mounts = [
        str(mount.get("mountPath", ""))
        for mount in probe.container.get("volumeMounts") or ()
        if isinstance(mount, dict)
    ]
    configured = any(re.search(r"nginx|httpd|caddy|apache|html|www|htdocs|conf", mount) for mount in mounts)
    return not (configured or probe.container.get("command") or probe.container.get("args"))


def status_of(piece: Evidence) -> str:
    """Return the HTTP status that the kubelet got; empty where it got none."""
    return piece.facts.get("status_code") or piece.facts.get("status") or ""
