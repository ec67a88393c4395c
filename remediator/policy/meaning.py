"""What a schema cannot see: patterns, times and bounds that could never work."""

from __future__ import annotations

import re
from datetime import datetime, time
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from remediator.errors import ConfigError
from remediator.policy.models import FreezeWindow, Guardrails, Model, Policies

_CREDENTIAL = re.compile(
    r"auth|token|secret|passw|credential|cookie|session|signature|(?:^|[-_])(?:api[-_]?)?key$|^apikey$", re.IGNORECASE
)
"""Names of headers and query parameters that carry what lets somebody in."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def check_meaning(policies: Policies, file: str) -> None:
    """ConfigError for the first value that is well-formed and still says nothing."""
    rules = policies.guardrails
    for key in ("deny_paths", "deny_values"):
        for pattern in getattr(rules, key):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigError(
                    f"{pattern!r} is no regular expression: {error}", file=file, path=f"guardrails.{key}"
                ) from None
    for kind in rules.deny_kinds:
        if not kind[:1].isupper():
            raise ConfigError(
                f"{kind!r} is no kind: kinds start with a capital letter", file=file, path="guardrails.deny_kinds"
            )
    for window in rules.freeze_windows:
        _check_window(window, file)
    for action in policies.actions.values():
        bounds = action.bounds
        if bounds.factor and bounds.max_factor and bounds.factor > bounds.max_factor:
            raise ConfigError(
                f"factor {bounds.factor:g} is above max_factor {bounds.max_factor:g}",
                file=file,
                path=f"actions.{action.id}.bounds",
            )
    _check_model(policies.model, file)


def _check_model(model: Model, file: str) -> None:
    """No credential stands in a file that everybody can read, under whatever name."""
    for name, value in model.headers.items():
        if _CREDENTIAL.search(name) or re.match(r"(?:bearer|basic)\s", value, re.IGNORECASE):
            raise ConfigError(
                f"{name!r} carries a credential, which no file may hold: set OPENAI_API_KEY (the action's input"
                " openai-api-key) or REMEDIATOR_LLM_HEADERS from a secret",
                file=file,
                path="model.headers",
            )
    for name, _ in parse_qsl(urlsplit(model.base_url).query, keep_blank_values=True):
        if _CREDENTIAL.search(name):
            raise ConfigError(
                f"the address carries {name!r}, a credential: set OPENAI_API_KEY from a secret",
                file=file,
                path="model.base_url",
            )


def _check_window(window: FreezeWindow, file: str) -> None:
    path = "guardrails.freeze_windows"
    try:
        ZoneInfo(window.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"{window.timezone!r} is no time zone", file=file, path=path) from None
    for text in (window.start, window.end):
        try:
            time.fromisoformat(text)
        except ValueError:
            raise ConfigError(f"{text!r} is no time of day (HH:MM)", file=file, path=path) from None


def frozen(guardrails: Guardrails, now: datetime) -> str:
    """Why no pull request is opened now; empty where no window is open. `now` is aware."""
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
