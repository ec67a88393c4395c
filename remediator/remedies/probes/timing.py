"""Probes that are right but too early: the kubelet kills the container before its program has started.

How long a start takes is read from the program's log (a duration, or the progress at its end). A longer delay only hides
a program that fails, so nothing is proposed where the container ended by itself or ran out of memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from math import ceil
from typing import Any

from remediator.domain import quantities
from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import MISSING
from remediator.remedies.engine.case import Fix, RemedyContext
from remediator.remedies.probes.failing import FailingProbe, Probe, container_log, failing_probes, probes_of

_STARTING = re.compile(
    r"(?i)\b(?:start(?:ing|s|ed|-?up)?|boot(?:ing|strap\w*)?|load(?:ing|s)?|init\w*|migrat\w+|warm(?:ing)?|restor\w+|recover\w*|replay\w*|"
    r"(?:re)?index\w*|compil\w+|build\w*|prepar\w+|unpack\w*|download\w*|import\w*|synchroni[sz]\w+|connect\w*)\b"
)
_DURATION = re.compile(
    r"(?i)\b(?:takes?|took|needs?|in|about|approx\w*|around|up to|eta|estimated|remaining|within)\b[^\d\n]{0,24}"
    r"(?P<amount>\d+(?:\.\d+)?)\s?(?P<unit>ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b"
)
_PROGRESS = re.compile(
    r"\b(?P<done>\d{1,9})\s?(?:of|/|out of)\s?(?P<all>\d{1,9})\b|\b(?P<percent>\d{1,2}(?:\.\d+)?)\s?%"
)
_CUT_SHORT = re.compile(
    r"(?i)before (?:start-?up|startup|initiali[sz]ation|it|the \w+)[^\n]{0,30}(?:finish|complet|done|ready)|(?:start-?up|initiali[sz]ation|migrations?|loading)"
    r"[^\n]{0,40}(?:interrupted|aborted|cancel+ed|not (?:yet )?(?:finished|complete)|incomplete)|(?:still|not yet) (?:starting|started|loading|initiali[sz]ing|ready)|"
    r"(?:interrupted|terminated|signal|SIGTERM)[^\n]{0,60}(?:during|while) (?:start|boot|load|init|migrat)"
)
_TOOK = re.compile(
    r"(?i)(?:\b(?:in|took|duration|elapsed|latency|time|responsetime)[\"' =:]{1,3}|[ (|])(?P<amount>\d+(?:\.\d+)?)\s?(?P<unit>ms|s|sec|seconds|milliseconds)\b"
)
_BEYOND_START = (
    re.compile(
        r"(?i)\b(?:error|fatal|panic|exception|traceback|fail(?:ed|ure|s)?|refused|denied|cannot|could not|unable|timed? ?out|waiting|retry\w*|not found|exit\w*)\b"
    ),
    re.compile(
        r"(?i)\b(?:listening|serving|ready to accept|started (?:in|on|server)|running (?:at|on))\b|https?://\S+:\d+"
    ),
)
"""Lines of a program that fails, and of one that listens: its log does not end with the start."""
_SHORT_LOG = 12
"""Lines of a log that can be a start alone."""
_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60)}
_HEADROOM = Decimal("1.25")


def relax_probe_timing(case: RemedyContext) -> Iterator[Fix]:
    """Let the probe wait longer: as long as an older timing, else as long as the start takes by the program's log."""
    for failure in failing_probes(case, *case.action.ends):
        if (
            not (failure.is_current and failure.timing_is_current)
            or _uses_undeclared_port(failure)
            or not _is_restarted(case, failure)
        ):
            continue
        if failure.probe.kind == "readiness" and not _too_slow(failure):
            continue
        yield from _older_timings(case, failure)
        yield from _longer_timeout(case, failure)
        if failure.probe.kind != "readiness":
            yield from _longer_start(case, failure)


def _uses_undeclared_port(failure: FailingProbe) -> bool:
    """Return True where the probe uses a port that the container does not declare: then waiting does not help."""
    probe, declared = failure.probe, {port for port, _ in failure.probe.declared}
    if probe.handler == "exec":
        return False
    sibling_ports = {
        sibling.number
        for sibling in probes_of(probe.target)
        if sibling.name == probe.name and sibling.kind != probe.kind and sibling.number is not None
    }
    return probe.number is None or bool(declared and probe.number not in declared and sibling_ports != {probe.number})


def _is_restarted(case: RemedyContext, failure: FailingProbe) -> bool:
    """Return True where the kubelet restarts the container and the program did not end by itself."""
    if failure.probe.kind == "readiness":
        return True
    states = [
        piece
        for piece in case.statements
        if piece.subject.container == failure.probe.name and piece.facts.get("when") == "last"
    ]
    codes = {piece.facts.get("exit_code", "") for piece in states} - {""}
    if codes and not codes & {"0", "2", "137", "143"}:
        return False
    if any(
        piece.facts.get("last_reason") == "OOMKilled" or piece.reason == "OOMKilled"
        for piece in case.statements
        if piece.subject.container == failure.probe.name
    ):
        return False
    restarts = [
        statement.facts.get("restart_count", "0")
        for statement in case.statements
        if statement.subject.pod in {piece.subject.pod for piece in failure.evidence}
    ]
    return bool(case.signals("probe_killing")) or any(count.isdigit() and int(count) > 0 for count in restarts)


def _too_slow(failure: FailingProbe) -> bool:
    return any(
        re.search(r"(?i)Client\.Timeout|deadline exceeded|timed out|timeout", piece.text) for piece in failure.evidence
    )


def _older_timings(case: RemedyContext, failure: FailingProbe) -> Iterator[Fix]:
    """Yield one fix for each timing that is set; only the history can give its value."""
    fields = ["initialDelaySeconds", "failureThreshold", "periodSeconds"] if failure.probe.kind != "readiness" else []
    if _too_slow(failure):
        fields.append("timeoutSeconds")
    start_seconds, _ = _start_seconds(case, failure.probe)
    slow_start = start_seconds is not None
    if not slow_start and any(piece.signal in ("stack_trace", "exception") for piece in case.diagnosis.evidence):
        return
    for field in fields:
        current = failure.probe.body.get(field, MISSING)
        if current is MISSING:
            continue
        now = failure.probe.seconds(field)
        yield Fix(
            title=f"restore {field} of the {failure.probe.kind} probe of `{failure.probe.name}`",
            reason="The probe gives up before the program answers.",
            evidence=case.cite(*failure.evidence, *case.signals("probe_killing")),
            wants=(failure.probe.want(field, value=current),),
            parameters={
                "container": failure.probe.name,
                "probe": failure.probe.kind,
                "field": field,
                "from": str(current),
            },
            score=0.0,
            accepts=partial(_accepts_longer, now=now, field=field, slow_start=slow_start),
        )


def _accepts_longer(old: Any, *, now: int, field: str, slow_start: bool) -> bool:
    """Return True for an older value that waits longer, and much longer where no log shows a slow start.

    An absent value counts as the API's default.
    """
    if old is MISSING:
        old = {"failureThreshold": 3, "periodSeconds": 10}.get(field, 0)
    if not str(old).isdigit() or int(old) <= now:
        return False
    return slow_start or int(old) >= 4 * max(1, now) or (field == "initialDelaySeconds" and int(old) - now >= 15)


def _longer_start(case: RemedyContext, failure: FailingProbe) -> Iterator[Fix]:
    """Delay the first check as long as the start takes by the program's log."""
    probe = failure.probe
    if (
        any(sibling.kind == "startup" for sibling in probes_of(probe.target) if sibling.name == probe.name)
        and probe.kind != "startup"
    ):
        return
    start_seconds, why = _start_seconds(case, probe)
    if start_seconds is None or start_seconds * Decimal("1.1") < probe.deadline - probe.seconds("periodSeconds"):
        return
    highest = quantities.parse(case.action.bounds.maximum) or Decimal(600)
    if probe.kind == "startup":
        field, current = "failureThreshold", probe.seconds("failureThreshold")
        value = ceil(start_seconds * _HEADROOM / max(1, probe.seconds("periodSeconds")))
        reach = value * probe.seconds("periodSeconds")
    else:
        field, current = "initialDelaySeconds", probe.seconds("initialDelaySeconds")
        value = reach = int(ceil(start_seconds * _HEADROOM / 10) * 10)
    if value <= current or reach > highest:
        return
    yield Fix(
        title=f"raise {field} of the {probe.kind} probe of `{probe.name}` from {current} to {value}",
        reason=f"The probe kills `{probe.name}` {probe.deadline} s after its start, before it has started: {why}.",
        evidence=case.cite(*failure.evidence, *case.signals("probe_killing")),
        wants=(probe.want(field, value=value),),
        parameters={
            "container": probe.name,
            "probe": probe.kind,
            "field": field,
            "from": str(current),
            "to": str(value),
        },
        score=0.7,
    )


def _longer_timeout(case: RemedyContext, failure: FailingProbe) -> Iterator[Fix]:
    """Raise the timeout above the response times of the probe's path in the program's access log."""
    probe, now = failure.probe, failure.probe.seconds("timeoutSeconds")
    if not _too_slow(failure) or probe.handler != "httpGet":
        return
    response_times = [
        seconds
        for text in container_log(case, probe)
        if contains_word(text, probe.http_path, "_/") and (seconds := _response_seconds(text)) is not None
    ]
    slowest = max(response_times, default=Decimal(0))
    value = ceil(slowest * 2)
    if slowest < now or value <= now or value > probe.seconds("periodSeconds") * 3 or value > 60:
        return
    yield Fix(
        title=f"raise timeoutSeconds of the {probe.kind} probe of `{probe.name}` from {now} to {value}",
        reason=f"The probe waits {now} s, and the program's log shows answers at {probe.http_path} that took {slowest} s.",
        evidence=case.cite(*failure.evidence),
        wants=(probe.want("timeoutSeconds", value=value),),
        parameters={"container": probe.name, "probe": probe.kind, "from": str(now), "to": str(value)},
        score=0.7,
    )


def _response_seconds(text: str) -> Decimal | None:
    """Return the seconds that a request took by a line of an access log; None where the line has no time."""
    match = _TOOK.search(text)
    if not match:
        return None
    return Decimal(match["amount"]) * _UNITS["ms" if match["unit"].lower().startswith("m") else "s"]


def _start_seconds(case: RemedyContext, probe: Probe) -> tuple[Decimal | None, str]:
    """Return the seconds that a start takes by the program's log, and the line; None where no line shows a slow start."""
    log = [text for text in container_log(case, probe) if _STARTING.search(text)]
    durations = [(seconds, text) for text in log if (seconds := _stated_seconds(text)) is not None]
    if durations:
        seconds, text = max(durations, key=lambda pair: pair[0])
        return seconds, f"its log says {_quoted(text)}"
    shares = [(share, text) for text in log if (share := _progress(text)) is not None]
    if shares:
        share, text = max(shares, key=lambda pair: pair[0])
        return Decimal(_lifetime(case, probe)) / share, f"when it was killed its log said {_quoted(text)}"
    interruption = next((text for text in log if _CUT_SHORT.search(text)), "")
    if interruption:
        default = Decimal(str(case.action.options.get("default_delay", 60)))
        return max(default, Decimal(2 * probe.deadline)), f"its log says {_quoted(interruption)}"
    if log and case.signals("probe_refused") and _ends_while_starting(list(container_log(case, probe))):
        default = Decimal(str(case.action.options.get("default_delay", 60)))
        return max(
            default, Decimal(2 * probe.deadline)
        ), f"its log ends with its start, {_quoted(log[-1])}, without an error"
    return None, ""


def _ends_while_starting(lines: list[str]) -> bool:
    """Return True where a short log has no error and does not say that the program listens."""
    return len(lines) <= _SHORT_LOG and not any(form.search(line) for line in lines for form in _BEYOND_START)


def _stated_seconds(text: str) -> Decimal | None:
    match = _DURATION.search(text)
    if not match:
        return None
    unit = match["unit"].lower()
    factor = _UNITS["ms" if unit.startswith(("ms", "mil")) else unit[0]]
    return Decimal(match["amount"]) * factor


def _progress(text: str) -> Decimal | None:
    """Return the completed share of the start, at least 1 % and below 100 %; None where the line has none."""
    for match in _PROGRESS.finditer(text):
        if match["percent"]:
            share = Decimal(match["percent"]) / 100
        else:
            share = Decimal(match["done"]) / Decimal(max(1, int(match["all"])))
        if Decimal("0.01") <= share < 1:
            return share
    return None


def _lifetime(case: RemedyContext, probe: Probe) -> int:
    """Return the seconds from the container's start to its end by its last state, else the probe's deadline."""
    for piece in case.statements:
        started, finished = piece.facts.get("started", ""), piece.facts.get("finished", "")
        if piece.subject.container == probe.name and piece.facts.get("when") == "last" and started and finished:
            try:
                seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
            except ValueError:
                continue
            if seconds > 0:
                return int(seconds)
    return max(1, probe.deadline)


def _quoted(text: str) -> str:
    """Return a log line without its time and level, short enough to read."""
    bare = re.sub(r"^\S*\d\S*\s+(?:\[?[A-Z]{4,8}\]?\s+)?", "", text.strip())
    return f"“{bare[:100]}”"
