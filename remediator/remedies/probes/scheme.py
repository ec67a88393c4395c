"""Probes with the wrong scheme or command, and programs that a setting moved to another port.

Where the probe uses a declared port, the setting of the program is changed, not the probe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from remediator.domain.yaml_paths import MISSING, YamlPath
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.spelling import nearest
from remediator.remedies.probes.failing import FailingProbe, Probe, container_log, failing_probes, probes_of
from remediator.remedies.probes.port_and_path import listened_ports, status_of

PROBE_PROGRAMS = (
    "pg_isready", "psql", "redis-cli", "valkey-cli", "mysqladmin", "mariadb-admin", "mysql", "mongosh", "mongo", "rabbitmq-diagnostics",
    "rabbitmqctl", "curl", "wget", "cat", "test", "stat", "pgrep", "grpc_health_probe", "grpc-health-probe", "etcdctl", "kafka-topics.sh",
    "cqlsh", "nodetool", "healthcheck.sh", "/bin/sh", "/bin/bash", "bash",
)  # fmt: skip
"""Programs that probes of common servers run; used only to correct a typo."""
_MISSING_PROGRAM = re.compile(
    r'exec: \\*"(?P<name>[^"\\]+)\\*": (?:executable file not found|stat [^:]+: no such file|no such file)'
)


def fix_probe_scheme(case: RemedyContext) -> Iterator[Fix]:
    """Set the scheme that the server names in its answer: plain HTTP, or HTTPS."""
    for failure in failing_probes(case, *case.action.ends):
        probe = failure.probe
        if probe.handler != "httpGet" or not failure.is_current:
            continue
        current = str(probe.body["httpGet"].get("scheme") or "HTTP").upper()
        new, message = _intended_scheme(case, failure)
        if not new or new == current:
            continue
        yield Fix(
            title=f"let the {probe.kind} probe of `{probe.name}` speak {new}",
            reason=f"The probe speaks {current}, but the server says: {message}.",
            evidence=case.cite(*failure.evidence),
            wants=(probe.want("httpGet", "scheme", value=new),),
            parameters={"container": probe.name, "probe": probe.kind, "from": current, "to": new},
            score=0.85,
            accepts=partial(_is_scheme, scheme=new),
        )


def _is_scheme(old: Any, *, scheme: str) -> bool:
    return (str(old).upper() if old is not MISSING else "HTTP") == scheme


def _intended_scheme(case: RemedyContext, failure: FailingProbe) -> tuple[str, str]:
    texts = [piece.text for piece in failure.evidence] + list(container_log(case, failure.probe))
    for text in texts:
        if "server gave HTTP response to HTTPS client" in text:
            return "HTTP", "server gave HTTP response to HTTPS client"
    if any(status_of(piece) == "400" for piece in failure.evidence):
        for text in texts:
            if match := re.search(
                r"(?i)client sent an HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port", text
            ):
                return "HTTPS", match[0]
    return "", ""


def fix_listen_port(case: RemedyContext) -> Iterator[Fix]:
    """Correct the argument or variable that lets the program listen on another port than the probe and the container use."""
    for failure in failing_probes(case, *case.action.ends):
        probe = failure.probe
        declared = {port for port, _ in probe.declared}
        listened = listened_ports(case, probe)
        if not failure.is_current or probe.number not in declared or len(listened) != 1 or listened & declared:
            continue
        actual = next(iter(listened))
        settings = list(_settings(probe, actual))
        if len(settings) != 1:
            continue
        path, text = settings[0]
        new = re.sub(rf"(?<!\d){actual}(?!\d)", str(probe.number), text)
        yield Fix(
            title=f"let `{probe.name}` listen on {probe.number} instead of {actual}",
            reason=f"The program says that it listens on {actual}, as this setting demands; its container declares {probe.number}, and the probe uses that port.",
            evidence=case.cite(*failure.evidence),
            wants=(Want.of(probe.target, path, new),),
            parameters={"container": probe.name, "from": text, "to": new},
            score=0.7,
            accepts=different_value(text, among=[new]),
        )


def _settings(probe: Probe, port: int) -> Iterator[tuple[YamlPath, str]]:
    """Yield the arguments and variables of the container that contain the port as a separate number."""
    base = probe.path[:-1]
    for field in ("command", "args"):
        for index, item in enumerate(probe.container.get(field) or ()):
            if re.search(rf"(?<!\d){port}(?!\d)", str(item)):
                yield (*base, field, index), str(item)
    for index, item in enumerate(probe.container.get("env") or ()):
        if isinstance(item, dict) and re.search(rf"(?<!\d){port}(?!\d)", str(item.get("value", ""))):
            yield (*base, "env", index, "value"), str(item["value"])


def fix_probe_command(case: RemedyContext) -> Iterator[Fix]:
    """Correct the program that a probe runs, where the container has no such program and a similar one is known."""
    for failure in failing_probes(case, *case.action.ends):
        probe = failure.probe
        command = probe.body.get("exec", {}).get("command") if probe.handler == "exec" else None
        missing = {match["name"] for piece in failure.evidence for match in _MISSING_PROGRAM.finditer(piece.text)}
        if not isinstance(command, list) or not command or str(command[0]) not in missing:
            continue
        current = str(command[0])
        programs = {*_container_programs(probe), *PROBE_PROGRAMS} - {current}
        new = nearest(current, programs)
        yield Fix(
            title=f"let the {probe.kind} probe of `{probe.name}` run {new} instead of {current}",
            reason=f"The container has no program {current}; {new or 'another one'} is what such probes run.",
            evidence=case.cite(*failure.evidence),
            wants=(probe.want("exec", "command", 0, value=new or current),),
            parameters={"container": probe.name, "probe": probe.kind, "from": current, "to": new},
            score=0.75 if new else 0.0,
            accepts=different_value(current),
        )


def _container_programs(probe: Probe) -> Iterator[str]:
    """Yield the programs that the container itself or its other probes run."""
    for command in (
        probe.container.get("command"),
        *(
            sibling.body.get("exec", {}).get("command")
            for sibling in probes_of(probe.target)
            if sibling.name == probe.name
        ),
    ):
        if isinstance(command, list) and command:
            yield str(command[0])
