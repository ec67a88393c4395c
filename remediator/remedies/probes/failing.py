"""Probes of the rendered containers, paired with the evidence that they fail.

A probe that the incident saw with another port, path or timing than the repository has is marked as not current: the
repository was changed since, and a fix would be for a state that no longer exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Match
from remediator.remedies.engine.case import RemedyContext, Want

KINDS = ("liveness", "readiness", "startup")
_HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")
_DESCRIBED = re.compile(
    r"(?P<how>http-get|tcp-socket|grpc|exec) (?:https?://)?(?P<where>.*?) delay=(?P<delay>\d+)s timeout=(?P<timeout>\d+)s "
    r"period=(?P<period>\d+)s #success=\d+ #failure=(?P<failure>\d+)"
)
_ADDRESS = re.compile(r"[^\s:/]*:(?P<port>[A-Za-z0-9-]+)(?P<path>/\S*)?")
_DIALED = re.compile(r"(?:\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})\b")


@dataclass(frozen=True)
class Probe:
    """A probe of a rendered container."""

    target: Match
    container: dict[str, Any]
    kind: str
    body: dict[str, Any]
    path: YamlPath

    @property
    def name(self) -> str:
        """The name of the container."""
        return str(self.container.get("name", ""))

    @property
    def handler(self) -> str:
        """The field that tells how the probe asks: `httpGet`, `tcpSocket`, `grpc` or `exec`."""
        return next((name for name in _HANDLERS if isinstance(self.body.get(name), dict)), "")

    @property
    def port(self) -> Any:
        """The port as written: a number, or the name of a port."""
        return self.body.get(self.handler, {}).get("port") if self.handler else None

    @property
    def number(self) -> int | None:
        """The port's number; None where a name resolves to none."""
        return self.resolve(self.port)

    @property
    def http_path(self) -> str:
        """The path, or the API's default."""
        return str(self.body.get("httpGet", {}).get("path") or "/")

    @property
    def declared(self) -> tuple[tuple[int, str], ...]:
        """The (number, name) of the container's TCP ports; probes cannot use other ports."""
        return tuple(
            (int(port["containerPort"]), str(port.get("name") or ""))
            for port in self.container.get("ports") or ()
            if isinstance(port, dict)
            and str(port.get("containerPort", "")).isdigit()
            and str(port.get("protocol") or "TCP").upper() == "TCP"
        )

    def resolve(self, port: Any) -> int | None:
        """Return the number of a port that may be a name; None where no port of the container has the name."""
        if isinstance(port, bool):
            return None
        if isinstance(port, int) or (isinstance(port, str) and port.isdigit()):
            return int(port)
        return next((number for number, name in self.declared if name and name == port), None)

    def seconds(self, field: str) -> int:
        """Return a timing field, or the API's default."""
        defaults = {"initialDelaySeconds": 0, "timeoutSeconds": 1, "periodSeconds": 10, "failureThreshold": 3}
        value = self.body.get(field, defaults[field])
        return int(value) if str(value).isdigit() else defaults[field]

    def want(self, *field: str | int, value: Any) -> Want:
        """Return the wish for another value of a field of this probe."""
        return Want.of(self.target, (*self.path, *field), value)

    @property
    def deadline(self) -> int:
        """Seconds after the start at which the probe has failed for good."""
        return self.seconds("initialDelaySeconds") + self.seconds("periodSeconds") * self.seconds("failureThreshold")


@dataclass(frozen=True)
class FailingProbe:
    """A probe and the evidence that it fails."""

    probe: Probe
    evidence: tuple[Evidence, ...]
    described: str = ""
    """The probe as `kubectl describe` showed it on the failing pod; empty where it did not."""

    @property
    def is_current(self) -> bool:
        """False where the incident saw another port or path than the repository has: it was changed since."""
        ports = {port for piece in self.evidence if (port := _port_of(piece))}
        if ports and self.probe.number is not None and str(self.probe.number) not in ports:
            return False
        paths = {piece.facts["probe_path"] for piece in self.evidence if piece.facts.get("probe_path")}
        if paths and self.probe.handler == "httpGet" and self.probe.http_path.partition("?")[0] not in paths:
            return False
        description = _DESCRIBED.search(self.described)
        address = _ADDRESS.search(description["where"]) if description and description["how"] != "exec" else None
        if address is None:
            return True
        described_port = address["port"]
        if described_port != str(self.probe.port) and self.probe.resolve(described_port) != self.probe.number:
            return False
        return self.probe.handler != "httpGet" or (address["path"] or "/") == self.probe.http_path

    @property
    def timing_is_current(self) -> bool:
        """False where `kubectl describe` showed other delays than the repository has."""
        description = _DESCRIBED.search(self.described)
        return description is None or (
            int(description["delay"]) == self.probe.seconds("initialDelaySeconds")
            and int(description["period"]) == self.probe.seconds("periodSeconds")
            and int(description["failure"]) == self.probe.seconds("failureThreshold")
        )


def probes_of(target: Match) -> Iterator[Probe]:
    """Yield every probe of a workload's containers."""
    for container, path, _ in target.manifest.containers():
        for kind in KINDS:
            body = container.get(f"{kind}Probe")
            if isinstance(body, dict):
                yield Probe(target, container, kind, body, (*path, f"{kind}Probe"))


def failing_probes(case: RemedyContext, *signals: str) -> list[FailingProbe]:
    """Return each probe that evidence of these signals is about, once, with all of that evidence."""
    probes: dict[tuple[str, str, str, str], tuple[Probe, list[Evidence]]] = {}
    for piece in case.signals(*signals):
        kind = piece.facts.get("probe", "").lower()
        for target in case.targets:
            if kind and (probe := _matching_probe(target, kind, piece)) is not None:
                key = (target.application.name, target.manifest.name, probe.name, kind)
                probes.setdefault(key, (probe, []))[1].append(piece)
    return [FailingProbe(probe, tuple(pieces), _description(case, probe, pieces)) for probe, pieces in probes.values()]


def _matching_probe(target: Match, kind: str, piece: Evidence) -> Probe | None:
    """Return the only probe of this kind that the evidence can mean; None where several are possible."""
    fitting = [probe for probe in probes_of(target) if probe.kind == kind]
    if any(probe.name == piece.subject.container for probe in fitting):
        fitting = [probe for probe in fitting if probe.name == piece.subject.container]
    if len(fitting) > 1 and (port := _port_of(piece)):
        fitting = [probe for probe in fitting if str(probe.number) == port]
    if len(fitting) > 1 and (path := piece.facts.get("probe_path")):
        fitting = [probe for probe in fitting if probe.http_path == path]
    return fitting[0] if len(fitting) == 1 else None


def _port_of(piece: Evidence) -> str:
    if port := piece.facts.get("probe_port"):
        return port
    match = _DIALED.search(piece.text)
    return match["port"] if match else piece.facts.get("port", "")


def _description(case: RemedyContext, probe: Probe, pieces: Sequence[Evidence]) -> str:
    pods = {piece.subject.pod for piece in pieces if piece.subject.pod}
    for statement in case.statements:
        if (
            statement.subject.container == probe.name
            and (not pods or statement.subject.pod in pods)
            and statement.facts.get(probe.kind)
        ):
            return statement.facts[probe.kind]
    return ""


def container_log(case: RemedyContext, probe: Probe) -> Iterator[str]:
    """Yield what the workload logged; lines of a sidecar are left out where the evidence names the container."""
    manifest = probe.target.manifest
    for statement in case.statements:
        subject = statement.subject
        if statement.channel != "log" or (subject.container and subject.container != probe.name):
            continue
        if subject.name == manifest.name or (
            subject.pod and re.fullmatch(rf"{re.escape(manifest.name)}(?:-[a-z0-9]+){{0,2}}", subject.pod)
        ):
            yield statement.text
