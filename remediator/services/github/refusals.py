"""GitHub's refusals in one line each, naming the permission or the setting that is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from remediator.errors import ConfigError, ConflictError, RemediatorError, ServiceError

if TYPE_CHECKING:
    import requests

_KNOWN = (
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
"""Words of GitHub's, and what to do about them."""

_NEEDS = (
    (r"/actions/", "actions: read"),
    (r"/pulls/\d+/merge|/git/|/contents/|/merges|/compare/", "contents: write"),
    (r"/pulls", "pull-requests: write"),
    (r"/issues|/labels", "issues: write"),
)
"""What a path needs, where GitHub does not say."""


def words(body: Any) -> str:
    """`message` and what `errors` add to it, on one line."""
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


def refusal(what: str, answer: requests.Response, body: Any) -> RemediatorError:
    """Our error for an answer from 400 on."""
    said = words(body) or answer.reason or "no reason given"
    known = _advice(said)
    match answer.status_code:
        case 401:
            advice = known or "give `token` one that is valid for this repository"
            return ConfigError(f"GitHub refuses the token ({said}): {advice}")
        case 403:
            return ConfigError(f"GitHub forbids {what} ({said}): {known or _permission(what, answer)}")
        case 404:
            return ConfigError(f"GitHub: {what}: not found, or not visible to this token{_hidden(what)}")
        case 409 if known:
            return ConfigError(f"GitHub: {what}: {said}: {known}")
        case 409:
            return ConflictError(f"GitHub: {what}: {said}")
        case 410 | 451:
            return ConfigError(f"GitHub: {what}: {said}: {known or 'it is not to be had any more'}")
        case 422 if "rule violations" in said:
            return ConfigError(
                f"GitHub: {what}: {said}: exempt `remediator/**` and `remediator-state` from the ruleset"
            )
        case 422 if known:
            return ConfigError(f"GitHub: {what}: {said}: {known}")
        case status:
            return ServiceError(f"GitHub: {what}: {status}: {said}")


def graphql_refusal(errors: list[Any]) -> RemediatorError:
    """Our error for the `errors` of a GraphQL answer."""
    said = "; ".join(" ".join(str(error.get("message", "")).split()) for error in errors)
    kinds = {error.get("type") for error in errors}
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        advice = _advice(said) or "the job needs `contents: write` and `pull-requests: write`"
        return ConfigError(f"GitHub forbids this ({said}): {advice}")
    if "NOT_FOUND" in kinds:
        return ConfigError(f"GitHub: {said}; or it is not visible to this token")
    if "RATE_LIMITED" in kinds:
        return ServiceError(f"GitHub: rate limit ({said})", retryable=True)
    return ServiceError(f"GitHub: {said}")


def _advice(said: str) -> str:
    return next((advice for sign, advice in _KNOWN if sign.lower() in said.lower()), "")


def _permission(what: str, answer: requests.Response) -> str:
    """`pull_requests=write,contents=read; …` as a workflow writes it: a comma adds, a semicolon is another way."""
    ways = [
        " and ".join(f"`{one.strip().replace('_', '-').replace('=', ': ')}`" for one in way.split(",") if one.strip())
        for way in answer.headers.get("X-Accepted-GitHub-Permissions", "").split(";")
    ]
    told = " or ".join(way for way in ways if way)
    guess = next((f"`{need}`" for pattern, need in _NEEDS if re.search(pattern, what)), "")
    needs = told or guess
    return f"the job needs `permissions:` with {needs}, an App the same" if needs else "the token may not do that"


def _hidden(what: str) -> str:
    """A token without the permission is answered with 404 as well."""
    if "/actions/" in what:
        return "; the job needs `permissions:` with `actions: read`, for another repository an App's token"
    return ""
