"""Checks that a schema cannot make: patterns, times, references and bounds that could never work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from remediator.policy.mistakes import empty_placeholders
from remediator.policy.models import (
    ANY,
    ANY_INCIDENT,
    Catalogue,
    FreezeWindow,
    Guardrails,
    ModelBounds,
    Policies,
    Signal,
)
from remediator.policy.targets import Target

_CREDENTIAL = re.compile(
    r"auth|token|secret|passw|credential|cookie|session|signature|(?:^|[-_])(?:api[-_]?)?key$|^apikey$", re.IGNORECASE
)
"""Names of headers and query parameters that carry what lets somebody in."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def semantic_mistakes(policies: Policies) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place and the problem of everything that is well-formed but cannot work."""
    yield from _references(policies)
    yield from _guardrails(policies.guardrails)
    for action in policies.actions.values():
        bounds = action.bounds
        if bounds.factor and bounds.max_factor and bounds.factor > bounds.max_factor:
            words = f"factor {bounds.factor:g} is above max_factor {bounds.max_factor:g}"
            yield ("actions", action.id, "bounds"), words
    yield from _model(policies.model)
    yield from _targets(policies.targets)


def _references(policies: Policies) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield ids that name nothing, placeholders that nothing fills, and patterns that do not compile."""
    for identity, words in empty_placeholders(policies.catalogue.categories):
        yield ("categories", identity, "summary"), words
    for category in policies.catalogue.categories:
        for name in category.actions:
            if name not in policies.actions:
                yield ("categories", category.id, "actions"), f"names the action {name!r}, which is defined nowhere"
        for index, signal in enumerate(category.signals):
            for key, message in _signal_mistakes(signal, policies.catalogue):
                yield ("categories", category.id, "signals", index, key), f"{signal.id}: {message}"
        for index, word in enumerate(category.words):
            if problem := _refused(word):
                yield ("categories", category.id, "words", index), f"{word!r} does not compile: {problem}"
    for action in policies.actions.values():
        for ended in action.ends:
            if ended != ANY_INCIDENT and not _names_fault(policies.catalogue, ended):
                yield ("actions", action.id, "ends"), f"ends {ended!r}, which is no signal and no `category:ID`"


def _signal_mistakes(signal: Signal, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield each key of a signal that cannot work, with what is wrong about it."""
    for key, pattern in (("pattern", signal.pattern), ("unless", signal.unless)):
        if pattern and (problem := _refused(pattern)):
            yield key, f"{pattern!r} does not compile: {problem}"
    for name in signal.consequence:
        if name != ANY and not _names_fault(catalogue, name):
            yield "consequence", f"{name!r} is no signal, no `category:ID` and not `any`"


def _names_fault(catalogue: Catalogue, name: str) -> bool:
    """Return True if `name` is the id of a signal, or `category:` and the id of a category."""
    kind, _, identity = name.partition(":")
    return identity in catalogue.by_id if kind == "category" else name in catalogue.signal_owner


def _refused(pattern: str) -> str:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options=options)
    except re2.error as error:
        return str(error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0])
    return ""


def _guardrails(rules: Guardrails) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for key in ("deny_paths", "deny_values"):
        for pattern in getattr(rules, key):
            try:
                re.compile(pattern)
            except re.error as error:
                yield ("guardrails", key), f"{pattern!r} is no regular expression: {error}"
    for kind in rules.deny_kinds:
        if not kind[:1].isupper():
            yield ("guardrails", "deny_kinds"), f"{kind!r} is no kind: kinds start with a capital letter"
    for place, window in enumerate(rules.freeze_windows):
        for key, words in _window(window):
            yield ("guardrails", "freeze_windows", place, key), words


def _window(window: FreezeWindow) -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(window.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield "timezone", f"{window.timezone!r} is no time zone"
    for key, text in (("start", window.start), ("end", window.end)):
        try:
            time.fromisoformat(text)
        except ValueError:
            yield key, f"{text!r} is no time of day (HH:MM)"


def _model(model: ModelBounds) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield credentials, under whatever name: everybody can read the file."""
    for name, value in model.headers.items():
        if _CREDENTIAL.search(name) or re.match(r"(?:bearer|basic)\s", value, re.IGNORECASE):
            mend = "set OPENAI_API_KEY (the action's input openai-api-key) or REMEDIATOR_LLM_HEADERS from a secret"
            yield ("model", "headers"), f"{name!r} carries a credential, which no file may hold: {mend}"
    for name, _ in parse_qsl(urlsplit(model.base_url).query, keep_blank_values=True):
        if _CREDENTIAL.search(name):
            message = f"the address carries {name!r}, a credential: set OPENAI_API_KEY from a secret"
            yield ("model", "base_url"), message


def _targets(targets: Mapping[str, Target]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield targets that share a cluster: an incident there would belong to both."""
    owners = {name: name for name in targets}
    for name, target in targets.items():
        for cluster in target.clusters:
            if (owner := owners.setdefault(cluster, name)) != name:
                yield ("targets", name, "clusters"), f"{cluster!r} is the target {owner!r} already"


def freeze_reason(guardrails: Guardrails, now: datetime) -> str:
    """Return why no pull request is opened now; empty if no freeze window is open. `now` has a time zone."""
    for window in guardrails.freeze_windows:
        local = now.astimezone(ZoneInfo(window.timezone))
        start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
        clock = local.time().replace(tzinfo=None)
        overnight = start > end
        inside = (clock >= start or clock <= end) if overnight else start <= clock <= end
        day = (local.weekday() - 1) % 7 if overnight and clock <= end else local.weekday()
        if inside and (not window.days or _DAYS[day] in window.days):
            why = f": {window.reason}" if window.reason else ""
            return f"frozen until {window.end} {window.timezone}{why} (guardrails.freeze_windows)"
    return ""
