"""The environment, read once; no other module reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from remediator.domain.base import Value
from remediator.domain.sources import Access
from remediator.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.policy import ModelBounds

OUTSIDE = (
    "REMEDIATOR_LOKI_URL", "REMEDIATOR_LOKI_TOKEN", "REMEDIATOR_LOKI_USERNAME", "REMEDIATOR_LOKI_PASSWORD",
    "REMEDIATOR_LOKI_CA", "REMEDIATOR_LOKI_TENANT", "REMEDIATOR_LOKI_SELECTOR",
    "REMEDIATOR_ALERTMANAGER_URL", "REMEDIATOR_ALERTMANAGER_TOKEN", "REMEDIATOR_ALERTMANAGER_USERNAME",
    "REMEDIATOR_ALERTMANAGER_PASSWORD", "REMEDIATOR_ALERTMANAGER_CA",
    "REMEDIATOR_PROMETHEUS_URL", "REMEDIATOR_PROMETHEUS_TOKEN", "REMEDIATOR_PROMETHEUS_USERNAME",
    "REMEDIATOR_PROMETHEUS_PASSWORD", "REMEDIATOR_PROMETHEUS_CA",
    "REMEDIATOR_ARGOCD_URL", "REMEDIATOR_ARGOCD_TOKEN", "REMEDIATOR_ARGOCD_CA", "REMEDIATOR_ARGOCD_NAMESPACE",
    "REMEDIATOR_KUBERNETES_URL", "REMEDIATOR_KUBERNETES_TOKEN", "REMEDIATOR_KUBERNETES_CA",
    "REMEDIATOR_KUBERNETES_CONTEXT", "REMEDIATOR_KUBERNETES_KUBECONFIG",
)  # fmt: skip
"""The variables that describe servers; `__TARGET` at the end of a name (`REMEDIATOR_LOKI_TOKEN__PROD_EU`) names the target."""


def _credentials(text: str) -> dict[str, str]:
    """Return the variables in lines of `LOKI_TOKEN__PROD_EU=…`: a reusable workflow can pass many targets' as one secret."""
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        full = name.strip() if name.strip().startswith("REMEDIATOR_") else f"REMEDIATOR_{name.strip()}"
        if not name.strip() or name.startswith("#"):
            continue
        if not equals or full.partition("__")[0] not in OUTSIDE:
            raise ConfigError(
                f"REMEDIATOR_CREDENTIALS, line {number}: write NAME__TARGET=value, such as LOKI_TOKEN__PROD_EU=…"
            )
        variables[full] = value.strip()
    return variables


def _number(name: str, environ: Mapping[str, str]) -> int | None:
    text = environ.get(name, "").strip()
    if text and not text.isdigit():
        raise ConfigError(f"{name}: {text!r} is no number: write digits only")
    return int(text) if text else None


def _authority(environ: Mapping[str, str]) -> str:
    """Return the certificate authority for GitHub; empty where Requests reads one by itself, from REQUESTS_CA_BUNDLE."""
    configured = environ.get("REMEDIATOR_GITHUB_CA", "").strip()
    covered = any(environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    return configured or ("" if covered else environ.get("SSL_CERT_FILE", ""))


class GitHub(Value):
    """The repository on GitHub of this run, and the workflow's inputs for its pull requests."""

    token: SecretStr
    repository: str
    state_repository: str = ""
    """The repository that stores the incidents' state; empty: the repository itself."""
    api: str = "https://api.github.com"
    graphql: str = ""
    base: str = ""
    labels: tuple[str, ...] = ("remediator",)
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    max_open: int | None = None
    """The number of pull requests that may be open; the policy's limit applies too."""
    ca: str = ""
    """The certificate authority of the server, a path or PEM text."""
    job_token: bool = False
    """The token is the job's own: its events start no workflows."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> GitHub | None:
        """Return None unless the action asks for GitHub: every job has a token, which alone is no request to use it."""
        token, repository = environ.get("REMEDIATOR_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
        if not (token and repository):
            return None
        lists = {
            "labels": environ.get("REMEDIATOR_LABELS"),
            "reviewers": environ.get("REMEDIATOR_REVIEWERS"),
            "team_reviewers": environ.get("REMEDIATOR_TEAM_REVIEWERS"),
            "assignees": environ.get("REMEDIATOR_ASSIGNEES"),
        }
        return cls(
            token=SecretStr(token),
            repository=repository,
            state_repository=environ.get("REMEDIATOR_STATE_REPOSITORY", ""),
            api=environ.get("GITHUB_API_URL") or "https://api.github.com",
            graphql=environ.get("GITHUB_GRAPHQL_URL", ""),
            base=environ.get("REMEDIATOR_BASE", ""),
            ca=_authority(environ),
            draft=environ.get("REMEDIATOR_DRAFT", "").lower() == "true",
            max_open=_number("REMEDIATOR_MAX_OPEN_PRS", environ),
            job_token=environ.get("REMEDIATOR_JOB_TOKEN", "").lower() == "true",
            **{name: tuple(text.replace(",", " ").split()) for name, text in lists.items() if text is not None},
        )


GITHUB_MODELS = "models.github.ai"
"""GitHub's own endpoint, which accepts the job's token with `models: read`."""


class ModelSettings(Value):
    """The model settings of the environment; the policy's `model` fills those that are unset (None, empty)."""

    off: bool = False
    name: str = ""
    base_url: str = ""
    api_version: str = ""
    key: SecretStr = SecretStr("")
    job_token: SecretStr = SecretStr("")
    """The token of the workflow's job; it is only sent to GitHub's endpoint."""
    timeout: float | None = None
    temperature: float | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    language: str = ""
    when: str = ""
    proposes: str = ""
    tool_calls: int | None = None
    tokens_per_incident: int | None = None
    tokens_per_run: int | None = None
    tokens_per_day: int | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ModelSettings:
        """Return the settings; ConfigError names the variable that is not valid."""
        is_job_token = environ.get("REMEDIATOR_JOB_TOKEN", "").lower() == "true"
        return cls(
            off=environ.get("REMEDIATOR_NO_LLM", "").strip().lower() in {"1", "true", "yes", "on"},
            name=environ.get("OPENAI_MODEL", ""),
            base_url=_address("OPENAI_BASE_URL", environ),
            api_version=environ.get("OPENAI_API_VERSION", ""),
            key=SecretStr(environ.get("OPENAI_API_KEY", "")),
            job_token=SecretStr(
                environ.get("GITHUB_TOKEN") or (environ.get("REMEDIATOR_TOKEN", "") if is_job_token else "")
            ),
            timeout=_decimal("REMEDIATOR_LLM_TIMEOUT", environ) or None,
            temperature=_decimal("REMEDIATOR_LLM_TEMPERATURE", environ),
            headers=_headers("REMEDIATOR_LLM_HEADERS", environ),
            language=environ.get("REMEDIATOR_LLM_LANGUAGE", ""),
            when=_choice("REMEDIATOR_LLM_WHEN", ("always", "unsure"), environ),
            proposes=_choice("REMEDIATOR_LLM_PROPOSES", ("off", "draft", "open"), environ),
            tool_calls=_number("REMEDIATOR_LLM_TOOL_CALLS", environ),
            tokens_per_incident=_number("REMEDIATOR_LLM_TOKENS_PER_INCIDENT", environ),
            tokens_per_run=_number("REMEDIATOR_LLM_TOKENS_PER_RUN", environ),
            tokens_per_day=_number("REMEDIATOR_LLM_TOKENS_PER_DAY", environ),
        )

    def over(self, policy: ModelBounds) -> ModelBounds:
        """Return the policy's settings, overridden by those of the environment, header by header."""
        values = self.model_dump(include=set(type(policy).model_fields), exclude_none=True)
        overrides = {key: value for key, value in values.items() if value not in ("", {})}
        if self.headers:
            overrides["headers"] = {**policy.headers, **self.headers}
        return policy.model_copy(update={**overrides, "enabled": policy.enabled and not self.off})

    def key_for(self, base_url: str) -> SecretStr:
        """Return the configured key; without one, GitHub's own endpoint gets the job's token, and no other server does."""
        if self.key.get_secret_value():
            return self.key
        to = urlsplit(base_url)
        return self.job_token if (to.scheme, to.hostname) == ("https", GITHUB_MODELS) else SecretStr("")


def _choice(name: str, choices: tuple[str, ...], environ: Mapping[str, str]) -> str:
    text = environ.get(name, "").strip().lower()
    if text and text not in choices:
        raise ConfigError(f"{name} is {text!r}, not one of {', '.join(choices)}")
    return text


def _address(name: str, environ: Mapping[str, str]) -> str:
    text = environ.get(name, "").strip()
    at = urlsplit(text)
    if text and not (at.scheme in {"https", "http"} and at.hostname):
        raise ConfigError(f"{name} is {text!r}, not an address such as https://models.example.com/v1")
    return text


def _decimal(name: str, environ: Mapping[str, str]) -> float | None:
    text = environ.get(name, "").strip()
    try:
        number = float(text) if text else None
    except ValueError:
        number = -1.0
    if number is not None and not 0 <= number < 1e6:
        raise ConfigError(f"{name}: {text!r} is not a number from 0 to 1,000,000")
    return number


def _headers(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    text = environ.get(name, "").strip()
    try:
        headers = json.loads(text or "{}")
    except ValueError:
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise ConfigError(f"{name}: write a JSON object whose values are texts")
    return headers


class Settings(Value):
    """All settings of the environment; secrets are `SecretStr`, and a local run needs none."""

    github_actions: bool = False
    log_level: str = "warning"
    cluster: str = ""
    """The name of the cluster that the logs come from; part of an incident's identity."""
    user: str = ""
    """The person on the command line, for the history."""
    github: GitHub | None = None
    model: ModelSettings = ModelSettings()
    config: str = ""
    """Another path of the policy file, inside the checkout."""
    query: str = ""
    """LogQL for Loki instead of the policies' queries."""
    since: str = ""
    """The age up to which a source is read that was never polled: `1h`."""
    target: str = ""
    """The only target to collect from; empty: all of them."""
    environ: dict[str, str] = Field(default_factory=dict, repr=False, exclude=True)
    """The environment for git and helm, which read their own variables from it; never stored."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings; unset and empty variables mean the default."""
        environ = {**_credentials(environ.get("REMEDIATOR_CREDENTIALS", "")), **environ}
        on_github = environ.get("GITHUB_ACTIONS", "").lower() == "true"
        debug = environ.get("RUNNER_DEBUG") == "1"
        return cls(
            github_actions=on_github,
            log_level=environ.get("REMEDIATOR_LOG_LEVEL") or ("debug" if on_github and debug else "warning"),
            cluster=environ.get("REMEDIATOR_CLUSTER", ""),
            user=environ.get("GITHUB_ACTOR") or environ.get("USER") or environ.get("USERNAME") or "",
            github=GitHub.from_environ(environ),
            model=ModelSettings.from_environ(environ),
            config=environ.get("REMEDIATOR_CONFIG", ""),
            query=environ.get("REMEDIATOR_QUERY", ""),
            since=environ.get("REMEDIATOR_SINCE", ""),
            target=environ.get("REMEDIATOR_TARGET", ""),
            environ=dict(environ),
        )

    def outside(self, service: str, field: str, target: str = "", *, shared: bool = True) -> str:
        """Return one variable of `OUTSIDE`; with `shared`, the variable without a target counts for this target too."""
        name = f"REMEDIATOR_{service}_{field}"
        if name not in OUTSIDE:
            return ""
        specific = self.environ.get(f"{name}__{target.upper().replace('-', '_')}", "") if target else ""
        return specific or (self.environ.get(name, "") if shared else "")

    def access(self, service: str, target: str = "", *, shared: bool = True) -> Access:
        """Return the address and credentials of a target's service, as far as the environment has them."""

        def value_of(field: str) -> str:
            return self.outside(service, field, target, shared=shared)

        return Access(
            url=value_of("URL"),
            token=SecretStr(value_of("TOKEN")),
            username=value_of("USERNAME"),
            password=SecretStr(value_of("PASSWORD")),
            ca=value_of("CA"),
            tenant=value_of("TENANT"),
            context=value_of("CONTEXT"),
            kubeconfig=value_of("KUBECONFIG"),
        )
