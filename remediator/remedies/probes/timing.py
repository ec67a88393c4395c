"""Probes that are right but impatient: the kubelet kills the container before its program has started."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import partial
from math import ceil
from typing import Any

from remediator.domain.text import contains_word
from remediator.domain.yaml_paths import MISSING
from remediator.remedies.engine import quantities
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.probes.failing import FailingProbe, Probe, failing, own_log, probes_of

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
_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60)}
_HEADROOM = Decimal("1.25")


def relax_probe_timing(case: RemedyContext) -> Iterator[Fix]:
    """Wait longer: by the older timing where there was one, else by what the program says that its start takes."""
    for one in failing(case, *case.action.ends):
        if not (one.as_seen and one.timed_as_seen) or _elsewhere(one) or not _killed(case, one):
            continue
        if one.probe.kind == "readiness" and not _too_slow(one):
            continue
        yield from _earlier(case, one)
        yield from _slow_answers(case, one)
        if one.probe.kind != "readiness":
            yield from _longer(case, one)


def _elsewhere(one: FailingProbe) -> bool:
    """Whether the probe asks at a port that is not the container's: then patience does not help."""
    probe, declared = one.probe, {port for port, _ in one.probe.declared}
    if probe.handler == "exec":
        return False
    others = {
        other.number
        for other in probes_of(probe.target)
        if other.name == probe.name and other.kind != probe.kind and other.number is not None
    }
    return probe.number is None or bool(declared and probe.number not in declared and others != {probe.number})


def _killed(case: RemedyContext, one: FailingProbe) -> bool:
    """Whether the kubelet restarts the container, and the program did not end by a fault of its own."""
    if one.probe.kind == "readiness":
        return True
    states = [
        piece
        for piece in case.statements
        if piece.subject.container == one.probe.name and piece.facts.get("when") == "last"
    ]
    codes = {piece.facts.get("exit_code", "") for piece in states} - {""}
    if codes and not codes & {"0", "2", "137", "143"}:
        return False
    if any(
        piece.facts.get("last_reason") == "OOMKilled" or piece.reason == "OOMKilled"
        for piece in case.statements
        if piece.subject.container == one.probe.name
    ):
        return False
    restarts = [
        piece.facts.get("restart_count", "0")
        for piece in case.statements
        if piece.subject.pod in {e.subject.pod for e in one.evidence}
    ]
    return bool(case.signals("probe_killing")) or any(count.isdigit() and int(count) > 0 for count in restarts)


def _too_slow(one: FailingProbe) -> bool:
    return any(
        re.search(r"(?i)Client\.Timeout|deadline exceeded|timed out|timeout", piece.text) for piece in one.evidence
    )


def _earlier(case: RemedyContext, one: FailingProbe) -> Iterator[Fix]:
    """Only the history can say these: one question for each timing that stands there."""
    fields = ["initialDelaySeconds", "failureThreshold", "periodSeconds"] if one.probe.kind != "readiness" else []
    if _too_slow(one):
        fields.append("timeoutSeconds")
    needed, _ = _start_takes(case, one.probe)
    told = needed is not None
    if not told and any(piece.signal in ("stack_trace", "exception") for piece in case.diagnosis.evidence):
        return
    for field in fields:
        present = one.probe.body.get(field, MISSING)
        if present is MISSING:
            continue
        now = one.probe.seconds(field)
        yield Fix(
            title=f"restore {field} of the {one.probe.kind} probe of `{one.probe.name}`",
            reason="The probe gives up before the program answers.",
            evidence=case.cite(*one.evidence, *case.signals("probe_killing")),
            wants=(_want(one.probe, field, present),),
            parameters={"container": one.probe.name, "probe": one.probe.kind, "field": field, "from": str(present)},
            score=0.0,
            accepts=partial(_longer_than, now=now, field=field, told=told),
        )


def _longer_than(old: Any, *, now: int, field: str, told: bool) -> bool:
    """Whether the older value was more patient: clearly so, where no log tells of a slow start.

    An absent value counts as the API's default.
    """
    if old is MISSING:
        old = {"failureThreshold": 3, "periodSeconds": 10}.get(field, 0)
    if not str(old).isdigit() or int(old) <= now:
        return False
    return told or int(old) >= 4 * max(1, now) or (field == "initialDelaySeconds" and int(old) - now >= 15)


def _longer(case: RemedyContext, one: FailingProbe) -> Iterator[Fix]:
    """A first check as late as the program's own words demand."""
    probe = one.probe
    if (
        any(other.kind == "startup" for other in probes_of(probe.target) if other.name == probe.name)
        and probe.kind != "startup"
    ):
        return
    needed, why = _start_takes(case, probe)
    if needed is None or needed * Decimal("1.1") < probe.patience - probe.seconds("periodSeconds"):
        return
    highest = quantities.parse(case.action.bounds.maximum) or Decimal(600)
    if probe.kind == "startup":
        field, present = "failureThreshold", probe.seconds("failureThreshold")
        value = ceil(needed * _HEADROOM / max(1, probe.seconds("periodSeconds")))
        reach = value * probe.seconds("periodSeconds")
    else:
        field, present = "initialDelaySeconds", probe.seconds("initialDelaySeconds")
        value = reach = int(ceil(needed * _HEADROOM / 10) * 10)
    if value <= present or reach > highest:
        return
    yield Fix(
        title=f"raise {field} of the {probe.kind} probe of `{probe.name}` from {present} to {value}",
        reason=f"The probe kills `{probe.name}` {probe.patience} s after its start, before it has started: {why}.",
        evidence=case.cite(*one.evidence, *case.signals("probe_killing")),
        wants=(_want(probe, field, value),),
        parameters={
            "container": probe.name,
            "probe": probe.kind,
            "field": field,
            "from": str(present),
            "to": str(value),
        },
        score=0.7,
    )


def _slow_answers(case: RemedyContext, one: FailingProbe) -> Iterator[Fix]:
    """A timeout above what the answers to the probe's own path take, by the program's access log."""
    probe, now = one.probe, one.probe.seconds("timeoutSeconds")
    if not _too_slow(one) or probe.handler != "httpGet":
        return
    took = [
        seconds
        for text in own_log(case, probe)
        if contains_word(text, probe.http_path, "_/") and (seconds := _answered_in(text)) is not None
    ]
    slowest = max(took, default=Decimal(0))
    value = ceil(slowest * 2)
    if slowest < now or value <= now or value > probe.seconds("periodSeconds") * 3 or value > 60:
        return
    yield Fix(
        title=f"raise timeoutSeconds of the {probe.kind} probe of `{probe.name}` from {now} to {value}",
        reason=f"The probe waits {now} s, and the program's log tells of answers at {probe.http_path} that took {slowest} s.",
        evidence=case.cite(*one.evidence),
        wants=(_want(probe, "timeoutSeconds", value),),
        parameters={"container": probe.name, "probe": probe.kind, "from": str(now), "to": str(value)},
        score=0.7,
    )


def _answered_in(text: str) -> Decimal | None:
    """Seconds that a line of an access log says a request took."""
    found = _TOOK.search(text)
    if not found:
        return None
    return Decimal(found["amount"]) * _UNITS["ms" if found["unit"].lower().startswith("m") else "s"]


def _want(probe: Probe, field: str, value: Any) -> Want:
    return Want(probe.target.application, probe.target.manifest, (*probe.path, field), value)


def _start_takes(case: RemedyContext, probe: Probe) -> tuple[Decimal | None, str]:
    """Seconds that a start takes by the program's own log, and its words; None where it tells of no slow start."""
    log = [text for text in own_log(case, probe) if _STARTING.search(text)]
    told = [(seconds, text) for text in log if (seconds := _told(text)) is not None]
    if told:
        seconds, text = max(told, key=lambda pair: pair[0])
        return seconds, f"its log says {_quoted(text)}"
    shares = [(share, text) for text in log if (share := _share(text)) is not None]
    if shares:
        share, text = max(shares, key=lambda pair: pair[0])
        return Decimal(_lived(case, probe)) / share, f"when it was killed its log said {_quoted(text)}"
    cut = next((text for text in log if _CUT_SHORT.search(text)), "")
    if cut:
        default = Decimal(str(case.action.options.get("default_delay", 60)))
        return max(default, Decimal(2 * probe.patience)), f"its log says {_quoted(cut)}"
    return None, ""


def _told(text: str) -> Decimal | None:
    found = _DURATION.search(text)
    if not found:
        return None
    unit = found["unit"].lower()
    factor = _UNITS["ms" if unit.startswith(("ms", "mil")) else unit[0]]
    return Decimal(found["amount"]) * factor


def _share(text: str) -> Decimal | None:
    """How much of the start was done, between 1 % and 100 %."""
    for found in _PROGRESS.finditer(text):
        if found["percent"]:
            share = Decimal(found["percent"]) / 100
        else:
            share = Decimal(found["done"]) / Decimal(max(1, int(found["all"])))
        if Decimal("0.01") <= share < 1:
            return share
    return None


def _lived(case: RemedyContext, probe: Probe) -> int:
    """Seconds from the container's start to its end, by its last state, else the probe's own patience."""
    for piece in case.statements:
        started, finished = piece.facts.get("started", ""), piece.facts.get("finished", "")
        if piece.subject.container == probe.name and piece.facts.get("when") == "last" and started and finished:
            try:
                seconds = (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()
            except ValueError:
                continue
            if seconds > 0:
                return int(seconds)
    return max(1, probe.patience)


def _quoted(text: str) -> str:
    """The words without their time and level, short enough to read."""
    bare = re.sub(r"^\S*\d\S*\s+(?:\[?[A-Z]{4,8}\]?\s+)?", "", text.strip())
    return f"“{bare[:100]}”"
