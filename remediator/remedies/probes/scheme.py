"""What a probe speaks, and what the program it asks was told: schemes, and the port that a setting moved away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.probes.failing import FailingProbe, Probe, failing, own_log, probes_of
from remediator.remedies.probes.target import listened_ports, status_of

PROBE_PROGRAMS = (
    "pg_isready", "psql", "redis-cli", "valkey-cli", "mysqladmin", "mariadb-admin", "mysql", "mongosh", "mongo", "rabbitmq-diagnostics",
    "rabbitmqctl", "curl", "wget", "cat", "test", "stat", "pgrep", "grpc_health_probe", "grpc-health-probe", "etcdctl", "kafka-topics.sh",
    "cqlsh", "nodetool", "healthcheck.sh", "/bin/sh", "/bin/bash", "bash",
)  # fmt: skip
"""Programs that probes of the usual servers run; only a slip of the pen away from one counts."""
_NO_PROGRAM = re.compile(
    r'exec: \\*"(?P<name>[^"\\]+)\\*": (?:executable file not found|stat [^:]+: no such file|no such file)'
)


def fix_probe_scheme(case: RemedyContext) -> Iterator[Fix]:
    """Speak the protocol that the server named in its answer: plain HTTP, or HTTPS."""
    for one in failing(case, *case.action.ends):
        probe = one.probe
        if probe.handler != "httpGet" or not one.as_seen:
            continue
        present = str(probe.body["httpGet"].get("scheme") or "HTTP").upper()
        new, said = _right_scheme(case, one)
        if not new or new == present:
            continue
        yield Fix(
            title=f"let the {probe.kind} probe of `{probe.name}` speak {new}",
            reason=f"The probe speaks {present}, but the server says: {said}.",
            evidence=case.cite(*one.evidence),
            wants=(Want(probe.target.application, probe.target.manifest, (*probe.path, "httpGet", "scheme"), new),),
            parameters={"container": probe.name, "probe": probe.kind, "from": present, "to": new},
            score=0.85,
            accepts=partial(_is_scheme, scheme=new),
        )


def _is_scheme(old: Any, *, scheme: str) -> bool:
    return (str(old).upper() if old is not MISSING else "HTTP") == scheme


def _right_scheme(case: RemedyContext, one: FailingProbe) -> tuple[str, str]:
    texts = [piece.text for piece in one.evidence] + list(own_log(case, one.probe))
    for text in texts:
        if "server gave HTTP response to HTTPS client" in text:
            return "HTTP", "server gave HTTP response to HTTPS client"
    if any(status_of(piece) == "400" for piece in one.evidence):
        for text in texts:
            if found := re.search(
                r"(?i)client sent an HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port", text
            ):
                return "HTTPS", found[0]
    return "", ""


def fix_listen_port(case: RemedyContext) -> Iterator[Fix]:
    """Set the argument or variable that moved the program away from the port that everything else asks at."""
    for one in failing(case, *case.action.ends):
        probe = one.probe
        declared = {port for port, _ in probe.declared}
        listened = listened_ports(case, probe)
        if not one.as_seen or probe.number not in declared or len(listened) != 1 or listened & declared:
            continue
        moved = next(iter(listened))
        settings = list(_settings(probe, moved))
        if len(settings) != 1:
            continue
        path, text = settings[0]
        new = re.sub(rf"(?<!\d){moved}(?!\d)", str(probe.number), text)
        yield Fix(
            title=f"let `{probe.name}` listen on {probe.number} instead of {moved}",
            reason=f"The program says that it listens on {moved}, which this setting tells it; its container declares {probe.number}, and the probe asks there.",
            evidence=case.cite(*one.evidence),
            wants=(Want(probe.target.application, probe.target.manifest, path, new),),
            parameters={"container": probe.name, "from": text, "to": new},
            score=0.7,
            accepts=different_value(text, among=[new]),
        )


def _settings(probe: Probe, port: int) -> Iterator[tuple[YamlPath, str]]:
    """Arguments and variables of the container that hold the port as a number of its own."""
    base = probe.path[:-1]
    for field in ("command", "args"):
        for index, item in enumerate(probe.container.get(field) or ()):
            if re.search(rf"(?<!\d){port}(?!\d)", str(item)):
                yield (*base, field, index), str(item)
    for index, item in enumerate(probe.container.get("env") or ()):
        if isinstance(item, dict) and re.search(rf"(?<!\d){port}(?!\d)", str(item.get("value", ""))):
            yield (*base, "env", index, "value"), str(item["value"])


def fix_probe_command(case: RemedyContext) -> Iterator[Fix]:
    """Correct the program that a probe runs, where the container has none of that name and the meant one is near."""
    for one in failing(case, *case.action.ends):
        probe = one.probe
        command = probe.body.get("exec", {}).get("command") if probe.handler == "exec" else None
        named = {found["name"] for piece in one.evidence for found in _NO_PROGRAM.finditer(piece.text)}
        if not isinstance(command, list) or not command or str(command[0]) not in named:
            continue
        present = str(command[0])
        known = {*_own_programs(probe), *PROBE_PROGRAMS} - {present}
        new = nearest(present, known)
        yield Fix(
            title=f"let the {probe.kind} probe of `{probe.name}` run {new} instead of {present}",
            reason=f"The container has no program {present}; {new or 'another one'} is what such probes run.",
            evidence=case.cite(*one.evidence),
            wants=(
                Want(
                    probe.target.application, probe.target.manifest, (*probe.path, "exec", "command", 0), new or present
                ),
            ),
            parameters={"container": probe.name, "probe": probe.kind, "from": present, "to": new},
            score=0.75 if new else 0.0,
            accepts=different_value(present),
        )


def _own_programs(probe: Probe) -> Iterator[str]:
    """Programs that the container itself or its other probes run."""
    for command in (
        probe.container.get("command"),
        *(other.body.get("exec", {}).get("command") for other in probes_of(probe.target) if other.name == probe.name),
    ):
        if isinstance(command, list) and command:
            yield str(command[0])
