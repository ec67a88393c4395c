"""Probes that fail because they ask at the wrong place: port, path or scheme."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from remediator.domain.incident import Evidence
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import distance, is_typo, nearest
from remediator.remedies.probes.failing import FailingProbe, Probe, failing, own_log, probes_of
from remediator.remedies.probes.port_names import name_port

KNOWN_PATHS = (
    "/healthz", "/health", "/healthcheck", "/livez", "/readyz", "/ready", "/live", "/liveness", "/readiness", "/metrics", "/status",
    "/ping", "/alive", "/-/healthy", "/-/ready", "/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness",
    "/health/live", "/health/ready", "/api/health", "/api/healthz", "/healthz/ready", "/healthz/live", "/q/health/live", "/q/health/ready",
)  # fmt: skip
"""Paths that frameworks and Kubernetes' own components serve by default; only a slip of the pen away from one counts."""

_LISTENS = re.compile(
    r"(?i)\b(?:listen(?:ing|s)?|serving|started|running|bound|accepting connections|ready to accept)\b[^\n]{0,80}?"
    r"(?:\bport(?:\(s\))?[\"' =:]*|(?:^|[\s\"'=(])(?:https?://)?(?:0\.0\.0\.0|\[::1?\]|\*|localhost|127\.0\.0\.1)?:)(?P<port>\d{2,5})(?![\d:.])"
)
_SERVED = re.compile(r'"(?:GET|HEAD) (?P<path>/[^\s"?]*)[^"]*" 2\d\d\b.*kube-probe')
_UNKNOWN_NAME = re.compile(
    r'parsing \\?"(?P<name>[^"\\]+)\\?": invalid syntax|port (?P<name2>[a-z][a-z0-9-]*) not found'
)
_WRONG_PATH = {"404", "405", "410", "501"}
"""Answers of a server that is there but does not know the path; 5xx and 401 are about its state and its guards."""


def fix_probe_port(case: RemedyContext) -> Iterator[Fix]:
    """Point a refused probe at the port that the container says it serves; history is asked by way of `accepts`."""
    for one in failing(case, *case.action.ends):
        probe = one.probe
        if probe.handler not in ("httpGet", "tcpSocket", "grpc") or not one.as_seen:
            continue
        if not (_unreached(one) or _unnamed(one)):
            continue
        new, why = _right_port(case, one)
        present = probe.port
        if isinstance(new, str) and (name := _unnamed(one)) and (fix := name_port(case, one, name, new)):
            yield fix
            continue
        yield Fix(
            title=f"probe port {new or present} of `{probe.name}` instead of {present}",
            reason=f"Nothing answers the {probe.kind} probe at port {present}; {why or 'another port stood there before'}.",
            evidence=case.cite(*one.evidence),
            wants=(
                Want(
                    probe.target.application,
                    probe.target.manifest,
                    (*probe.path, probe.handler, "port"),
                    new or present,
                ),
            ),
            parameters={"container": probe.name, "probe": probe.kind, "from": str(present), "to": str(new or "")},
            score=0.75 if new else 0.0,
            accepts=partial(_open, probe=probe, known=_known_ports(case, one)),
        )


def _known_ports(case: RemedyContext, one: FailingProbe) -> frozenset[int]:
    """Ports that the container is known to serve: declared, asked by its healthy probes, or named in its log."""
    healthy = {other.number for other in _healthy(case, one) if other.number is not None}
    return frozenset({port for port, _ in one.probe.declared} | healthy | listened_ports(case, one.probe))


def _open(old: Any, *, probe: Probe, known: frozenset[int]) -> bool:
    """Whether an older port is another one, and one that the container is known to serve where any is known."""
    was = probe.resolve(old)
    return was is not None and was != probe.number and (not known or was in known)


def _unreached(one: FailingProbe) -> bool:
    """Whether nobody took the connection: an answer that is late or bad comes from the right port."""
    return any(
        re.search(r"(?i)connection refused|i/o timeout|no route to host|failed to connect|connection reset", piece.text)
        for piece in one.evidence
    )


def _unnamed(one: FailingProbe) -> str:
    """The port name that the kubelet cannot resolve; empty where that is not the complaint."""
    for piece in one.evidence:
        found = _UNKNOWN_NAME.search(piece.text)
        if found and (name := found["name"] or found["name2"]) == one.probe.port:
            return str(name)
    return ""


def _right_port(case: RemedyContext, one: FailingProbe) -> tuple[int | str | None, str]:
    """The port that was meant and why, in the present value's form; None where that is not sure."""
    probe, declared = one.probe, dict(one.probe.declared)
    if name := _unnamed(one):
        names = [text for text in declared.values() if text]
        meant = nearest(name, names) or (names[0] if len(names) == 1 and len(declared) == 1 else "")
        return (meant, f"the container names its port `{meant}`") if meant else (None, "")
    wrong = probe.number
    if wrong is None:
        return None, ""
    listened = listened_ports(case, probe)
    if wrong in listened or wrong in declared:
        return None, ""
    if len(listened) == 1:
        port = next(iter(listened))
        return _form(probe, port), f"the program says that it listens on {port}"
    return _declared_port(case, one, declared)


def _declared_port(case: RemedyContext, one: FailingProbe, declared: Mapping[int, str]) -> tuple[int | str | None, str]:
    """The declared port that was meant: one slip away, or the one that the others use, or the only one."""
    probe, wrong = one.probe, one.probe.number
    if wrong is None:
        return None, ""
    slips = [port for port in declared if distance(str(port), str(wrong)) == 1]
    if len(slips) == 1:
        return _form(probe, slips[0]), f"the container declares {slips[0]}, one digit away"
    same = [
        other
        for other in probes_of(probe.target)
        if other.name == probe.name and other.kind != probe.kind and other.number is not None
    ]
    if same and all(other.number == wrong for other in same):
        return None, ""  # they all agree: a port of its own that the manifest does not declare
    used = {other.number for other in _healthy(case, one) if other.number != wrong}
    fitting = used & set(declared) if declared else used
    if len(fitting) == 1 and (port := next(iter(fitting))) is not None:
        return _form(probe, port), f"its other probes ask at {port}{', which it declares' if declared else ''}"
    if len(declared) == 1:
        port = next(iter(declared))
        return _form(probe, port), f"the only port that the container declares is {port}"
    return None, ""


def _form(probe: Probe, port: int) -> int | str:
    """The port as a name where the probe names ports and the container names this one."""
    name = dict(probe.declared).get(port, "")
    named = isinstance(probe.port, str) and not probe.port.isdigit()
    return name if named and name else str(port) if isinstance(probe.port, str) else port


def _healthy(case: RemedyContext, one: FailingProbe) -> list[Probe]:
    """The same container's other probes that ask at a port and are not complained about."""
    complained = {piece.facts.get("probe", "").lower() for piece in case.diagnosis.evidence}
    return [
        other
        for other in probes_of(one.probe.target)
        if other.name == one.probe.name and other.kind not in complained and other.number is not None
    ]


def listened_ports(case: RemedyContext, probe: Probe) -> set[int]:
    """Ports on which the container's own log says that it listens."""
    return {int(found["port"]) for text in own_log(case, probe) for found in _LISTENS.finditer(text)}


def fix_probe_path(case: RemedyContext) -> Iterator[Fix]:
    """Point probes that get 404 at a path that the container serves, all of a container's together."""
    for group in _by_container(failing(case, *case.action.ends)):
        if not all(one.as_seen and one.probe.handler == "httpGet" for one in group):
            continue
        if not all({status_of(piece) for piece in one.evidence} & _WRONG_PATH for one in group):
            continue
        found = [(one, *_right_path(case, one, group)) for one in group]
        sure = all(new for _, new, _ in found)
        wrong = {str(one.probe.http_path) for one in group}
        changes = ", ".join(f"{one.probe.http_path} → {new}" for one, new, _ in found if new)
        name = group[0].probe.name
        yield Fix(
            title=f"correct probe path of `{name}`: {changes}" if sure else f"restore probe path of `{name}`",
            reason="The server answers 404 to "
            + " and ".join(sorted(wrong))
            + "; "
            + "; ".join(dict.fromkeys(why for _, _, why in found if why))
            + ".",
            evidence=case.cite(*(piece for one in group for piece in one.evidence)),
            wants=tuple(
                Want(
                    one.probe.target.application,
                    one.probe.target.manifest,
                    (*one.probe.path, "httpGet", "path"),
                    new or one.probe.http_path,
                )
                for one, new, _ in found
            ),
            parameters={
                "container": name,
                "from": ", ".join(sorted(wrong)),
                "to": ", ".join(dict.fromkeys(new for _, new, _ in found)),
            },
            score=0.7 if sure else 0.0,
            accepts=partial(_another_path, wrong=frozenset(wrong)),
        )


def _another_path(old: Any, *, wrong: frozenset[str]) -> bool:
    return isinstance(old, str) and old.startswith("/") and old not in wrong


def _by_container(found: Sequence[FailingProbe]) -> list[list[FailingProbe]]:
    groups: dict[tuple[str, str, str], list[FailingProbe]] = {}
    for one in found:
        groups.setdefault(
            (one.probe.target.application.name, one.probe.target.manifest.name, one.probe.name), []
        ).append(one)
    return list(groups.values())


def _right_path(case: RemedyContext, one: FailingProbe, group: Sequence[FailingProbe]) -> tuple[str, str]:
    """A path that is surely served, and why; empty where none is sure."""
    probe, wrong = one.probe, one.probe.http_path
    bad = {other.probe.http_path for other in group}
    served = {found["path"] for text in own_log(case, probe) for found in _SERVED.finditer(text)} - bad
    if len(served) == 1:
        path = next(iter(served))
        return path, f"it answers the kubelet with 200 at {path}"
    healthy = [
        other.http_path for other in _healthy(case, one) if other.handler == "httpGet" and other.number == probe.number
    ]
    for path in (path for path in healthy if path not in bad):
        if is_typo(wrong, path) or (len(path) > 1 and (wrong.endswith(path) or path.endswith(wrong))):
            return path, f"its other probe is answered at {path}"
    alike = _same_program(case, probe) - bad
    if len(alike) == 1:
        path = next(iter(alike))
        return path, f"the same image is probed at {path} elsewhere in this repository"
    if _serves_files(case, probe):
        return "/", "the image serves files and answers at /"
    if path := _usual(wrong, bad):
        return path, f"{path} is the usual path, one slip away"
    for path in (path for path in healthy if path not in bad and not re.search("ready|live", path)):
        return path, f"its other probe is answered at {path}"
    return "", ""


def _usual(wrong: str, bad: set[str]) -> str:
    """The one path of those that frameworks serve by default that is a slip of the pen away."""
    near = sorted((distance(wrong, path, bound=2), path) for path in KNOWN_PATHS if path not in bad)
    slips = [(count, path) for count, path in near if 0 < count <= (1 if len(path) < 7 else 2)]
    return slips[0][1] if slips and (len(slips) == 1 or slips[0][0] < slips[1][0]) else ""


def _same_program(case: RemedyContext, probe: Probe) -> set[str]:
    """Paths at which other workloads with the same image have the same kind of probe."""
    image = _bare(str(probe.container.get("image", "")))
    found: set[str] = set()
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
                if isinstance(get, dict) and _bare(str(container.get("image", ""))) == image:
                    found.add(str(get.get("path") or "/"))
    return found


def _bare(image: str) -> str:
    """The image without its tag and digest."""
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def _serves_files(case: RemedyContext, probe: Probe) -> bool:
    """Whether the image is a plain file server (by the policy's list) that nothing here configures otherwise."""
    images = case.action.options.get("root_path_images", [])
    name = _bare(str(probe.container.get("image", "")))
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
    """The HTTP status that the kubelet got; empty where it got none."""
    return piece.facts.get("status_code") or piece.facts.get("status") or ""
