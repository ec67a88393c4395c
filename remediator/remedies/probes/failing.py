"""What fails and where: probes of the rendered containers, paired with the complaints about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.domain.incident import Evidence
from remediator.domain.yaml_paths import YamlPath
from remediator.gitops import Match
from remediator.remedies.engine.case import RemedyContext

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
    """One probe of one rendered container."""

    target: Match
    container: dict[str, Any]
    kind: str
    body: dict[str, Any]
    path: YamlPath

    @property
    def name(self) -> str:
        """The container's."""
        return str(self.container.get("name", ""))

    @property
    def handler(self) -> str:
        """How it asks: the name of the field that says so."""
        return next((name for name in _HANDLERS if isinstance(self.body.get(name), dict)), "")

    @property
    def port(self) -> Any:
        """As written: a number, or the name of a port."""
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
        """(number, name) of the container's TCP ports; probes cannot ask at others."""
        return tuple(
            (int(port["containerPort"]), str(port.get("name") or ""))
            for port in self.container.get("ports") or ()
            if isinstance(port, dict)
            and str(port.get("containerPort", "")).isdigit()
            and str(port.get("protocol") or "TCP").upper() == "TCP"
        )

    def resolve(self, port: Any) -> int | None:
        """The number of a port that may be a name; None where the container names none so."""
        if isinstance(port, bool):
            return None
        if isinstance(port, int) or (isinstance(port, str) and port.isdigit()):
            return int(port)
        return next((number for number, name in self.declared if name and name == port), None)

    def seconds(self, field: str) -> int:
        """A timing field with the API's default."""
        defaults = {"initialDelaySeconds": 0, "timeoutSeconds": 1, "periodSeconds": 10, "failureThreshold": 3}
        value = self.body.get(field, defaults[field])
        return int(value) if str(value).isdigit() else defaults[field]

    @property
    def patience(self) -> int:
        """Seconds after the start at which the probe has failed for good."""
        return self.seconds("initialDelaySeconds") + self.seconds("periodSeconds") * self.seconds("failureThreshold")


@dataclass(frozen=True)
class FailingProbe:
    """A probe and what was said of its failing."""

    probe: Probe
    evidence: tuple[Evidence, ...]
    described: str = ""
    """The probe as `kubectl describe` showed it on the failing pod; empty where it did not."""

    @property
    def as_seen(self) -> bool:
        """False where the incident saw another port or path than the repository holds: it was changed since."""
        ports = {port for piece in self.evidence if (port := _port_of(piece))}
        if ports and self.probe.number is not None and str(self.probe.number) not in ports:
            return False
        paths = {piece.facts["probe_path"] for piece in self.evidence if piece.facts.get("probe_path")}
        if paths and self.probe.handler == "httpGet" and self.probe.http_path.partition("?")[0] not in paths:
            return False
        found = _DESCRIBED.search(self.described)
        address = _ADDRESS.search(found["where"]) if found and found["how"] != "exec" else None
        if address is None:
            return True
        shown = address["port"]
        if shown != str(self.probe.port) and self.probe.resolve(shown) != self.probe.number:
            return False
        return self.probe.handler != "httpGet" or (address["path"] or "/") == self.probe.http_path

    @property
    def timed_as_seen(self) -> bool:
        """False where describe showed other delays than the repository holds."""
        found = _DESCRIBED.search(self.described)
        return found is None or (
            int(found["delay"]) == self.probe.seconds("initialDelaySeconds")
            and int(found["period"]) == self.probe.seconds("periodSeconds")
            and int(found["failure"]) == self.probe.seconds("failureThreshold")
        )


def probes_of(target: Match) -> Iterator[Probe]:
    """Every probe of a workload's containers."""
    for container, path, _ in target.manifest.containers():
        for kind in KINDS:
            body = container.get(f"{kind}Probe")
            if isinstance(body, dict):
                yield Probe(target, container, kind, body, (*path, f"{kind}Probe"))


def failing(case: RemedyContext, *signals: str) -> list[FailingProbe]:
    """Each probe that evidence of these signals complains about, once, with all that was said of it."""
    found: dict[tuple[str, str, str, str], tuple[Probe, list[Evidence]]] = {}
    for piece in case.signals(*signals):
        kind = piece.facts.get("probe", "").lower()
        for target in case.targets:
            if kind and (probe := _meant(target, kind, piece)) is not None:
                key = (target.application.name, target.manifest.name, probe.name, kind)
                found.setdefault(key, (probe, []))[1].append(piece)
    return [FailingProbe(probe, tuple(pieces), _described(case, probe, pieces)) for probe, pieces in found.values()]


def _meant(target: Match, kind: str, piece: Evidence) -> Probe | None:
    """The one probe of this kind that the evidence can mean; None where several could."""
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
    found = _DIALED.search(piece.text)
    return found["port"] if found else piece.facts.get("port", "")


def _described(case: RemedyContext, probe: Probe, pieces: list[Evidence]) -> str:
    pods = {piece.subject.pod for piece in pieces if piece.subject.pod}
    for one in case.statements:
        if one.subject.container == probe.name and (not pods or one.subject.pod in pods) and one.facts.get(probe.kind):
            return one.facts[probe.kind]
    return ""


def own_log(case: RemedyContext, probe: Probe) -> Iterator[str]:
    """What the workload itself logged; a sidecar's words do not count where the container is told."""
    manifest = probe.target.manifest
    for one in case.statements:
        subject = one.subject
        if one.channel != "log" or (subject.container and subject.container != probe.name):
            continue
        if subject.name == manifest.name or (
            subject.pod and re.fullmatch(rf"{re.escape(manifest.name)}(?:-[a-z0-9]+){{0,2}}", subject.pod)
        ):
            yield one.text
