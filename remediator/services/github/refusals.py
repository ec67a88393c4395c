"""GitHub's refusals in one line each, naming the permission or the setting that is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError, ConflictError, RemediatorError, ServiceError

if TYPE_CHECKING:
    import requests

_ADVICE = (
    ("Bad credentials", "give `token` one that is valid for this repository; an App's lives for an hour"),
    ("not permitted to create or approve", "tick Settings → Actions → General → Allow GitHub Actions to create and approve pull requests, or give an App's token"),
    ("SAML", "authorise the token for the organisation's single sign-on"),
    ("IP allow list", "run on a runner whose address the organisation allows"),
    ("archived", "an archived repository takes no changes"),
    ("access blocked", "the repository is blocked; its owner knows why"),
    ("suspended", "the account or the App's installation is suspended"),
    ("Issues are disabled", "tick Settings → General → Issues"),
    ("Git Repository is empty", "it needs a first commit"),
    ("disabled for this repository", "turn that feature on in the repository's settings"),
    ("workflow` scope", "workflow files are changed by people only"),
    ("workflows` permission", "workflow files are changed by people only"),
)  # fmt: skip
"""Texts in GitHub's refusals, and the advice for each."""

_NEEDS = (
    (r"/actions/", "actions: read"),
    (r"/pulls/\d+/merge|/git/|/contents/|/merges|/compare/", "contents: write"),
    (r"/pulls", "pull-requests: write"),
    (r"/issues|/labels", "issues: write"),
)
"""The permission that a path needs, where GitHub does not name it."""


def words(body: Any) -> str:
    """Return `message` and the texts of `errors`, on one line."""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    parts = [str(body.get("message") or "")]
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            parts.append(str(error.get("message") or " ".join(str(error.get(k, "")) for k in ("field", "code"))))
        else:
            parts.append(str(error))
    return " ".join(" ".join(part for part in parts if part).split())


def refusal(request: str, answer: requests.Response, body: Any) -> RemediatorError:
    """Return our error for an answer from 400 on."""
    message = words(body) or answer.reason or "no reason given"
    hint = _advice(message)
    match answer.status_code:
        case 401:
            advice = hint or "give `token` one that is valid for this repository"
            return ConfigError(f"GitHub refuses the token ({message}): {advice}")
        case 403:
            return ConfigError(f"GitHub forbids {request} ({message}): {hint or _permission(request, answer)}")
        case 404:
            return ConfigError(f"GitHub: {request}: not found, or not visible to this token{_hidden(request)}")
        case 409 if hint:
            return ConfigError(f"GitHub: {request}: {message}: {hint}")
        case 409:
            return ConflictError(f"GitHub: {request}: {message}")
        case 410 | 451:
            return ConfigError(f"GitHub: {request}: {message}: {hint or 'it is not to be had any more'}")
        case 422 if "rule violations" in message:
            return ConfigError(
                f"GitHub: {request}: {message}: exempt `remediator/**` and `remediator-state` from the ruleset"
            )
        case 422 if hint:
            return ConfigError(f"GitHub: {request}: {message}: {hint}")
        case status:
            return ServiceError(f"GitHub: {request}: {status}: {message}")


def graphql_refusal(errors: list[Any]) -> RemediatorError:
    """Return our error for the `errors` of a GraphQL answer."""
    message = "; ".join(" ".join(str(error.get("message", "")).split()) for error in errors)
    kinds = {error.get("type") for error in errors}
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        advice = _advice(message) or "the job needs `contents: write` and `pull-requests: write`"
        return ConfigError(f"GitHub forbids this ({message}): {advice}")
    if "NOT_FOUND" in kinds:
        return ConfigError(f"GitHub: {message}; or it is not visible to this token")
    if "RATE_LIMITED" in kinds:
        return ServiceError(f"GitHub: rate limit ({message})", retryable=True)
    return ServiceError(f"GitHub: {message}")


def _advice(message: str) -> str:
    return next((advice for sign, advice in _ADVICE if sign.lower() in message.lower()), "")


def _permission(request: str, answer: requests.Response) -> str:
    """Return the permissions that GitHub names: there a comma adds, and a semicolon is an alternative."""
    ways = [
        " and ".join(
            f"`{permission.strip().replace('_', '-').replace('=', ': ')}`"
            for permission in way.split(",")
            if permission.strip()
        )
        for way in answer.headers.get("X-Accepted-GitHub-Permissions", "").split(";")
    ]
    documented = " or ".join(way for way in ways if way)
    guess = next((f"`{need}`" for pattern, need in _NEEDS if re.search(pattern, request)), "")
    needs = documented or guess
    return f"the job needs `permissions:` with {needs}, an App the same" if needs else "the token may not do that"


def _hidden(request: str) -> str:
    """Return advice where a missing permission is answered with 404 as well."""
    if "/actions/" in request:
        return "; the job needs `permissions:` with `actions: read`, for another repository an App's token"
    return ""
