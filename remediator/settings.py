"""The environment, read once; nothing else looks at it."""

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
"""Where the outside world is; `__TARGET` at the end of a name (`REMEDIATOR_LOKI_TOKEN__PROD_EU`) says of which target."""


def _credentials(text: str) -> dict[str, str]:
    """Lines of `LOKI_TOKEN__PROD_EU=…`: what many targets need, as the one secret that a reusable workflow can take."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        full = name.strip() if name.strip().startswith("REMEDIATOR_") else f"REMEDIATOR_{name.strip()}"
        if not name.strip() or name.startswith("#"):
            continue
        if not equals or full.partition("__")[0] not in OUTSIDE:
            raise ConfigError(
                f"REMEDIATOR_CREDENTIALS, line {number}: write NAME__TARGET=value, such as LOKI_TOKEN__PROD_EU=…"
            )
        found[full] = value.strip()
    return found


def _number(name: str, environ: Mapping[str, str]) -> int | None:
    text = environ.get(name, "").strip()
    if text and not text.isdigit():
        raise ConfigError(f"{name}: {text!r} is no number")
    return int(text) if text else None


def _authority(environ: Mapping[str, str]) -> str:
    """Requests reads REQUESTS_CA_BUNDLE by itself, and passes over what other programs are told by."""
    own = environ.get("REMEDIATOR_GITHUB_CA", "").strip()
    known = any(environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    return own or ("" if known else environ.get("SSL_CERT_FILE", ""))


class GitHub(Value):
    """The repository on GitHub that this run works for, and what the workflow's inputs say about its pull requests."""

    token: SecretStr
    repository: str
    state_repository: str = ""
    """Where the incidents' state is kept; empty: in the repository itself."""
    api: str = "https://api.github.com"
    graphql: str = ""
    base: str = ""
    labels: tuple[str, ...] = ("remediator",)
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    draft: bool = False
    max_open: int | None = None
    """Pull requests that may be open at once; the policy's own cap holds too."""
    ca: str = ""
    """An own certificate authority of the server's, a path or PEM text."""
    job_token: bool = False
    """The token is the job's own: what it does starts no workflows."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> GitHub | None:
        """None unless the action asks for it: a token alone, which every job has, is no wish to use it."""
        token, repository = environ.get("REMEDIATOR_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
        if not (token and repository):
            return None
        said = {
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
            **{name: tuple(text.replace(",", " ").split()) for name, text in said.items() if text is not None},
        )


GITHUB_MODELS = "models.github.ai"
"""GitHub's own endpoint takes the job's token, given `models: read`."""


class ModelSettings(Value):
    """What the environment says of the model; what it leaves out (None, empty) the policy's `model` says."""

    off: bool = False
    name: str = ""
    base_url: str = ""
    api_version: str = ""
    key: SecretStr = SecretStr("")
    job_token: SecretStr = SecretStr("")
    """The workflow job's own; only GitHub's endpoint is ever given it."""
    timeout: float | None = None
    temperature: float | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    language: str = ""
    tokens_per_incident: int | None = None
    tokens_per_run: int | None = None
    tokens_per_day: int | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> ModelSettings:
        """ConfigError names the variable that cannot be meant."""
        own = environ.get("REMEDIATOR_JOB_TOKEN", "").lower() == "true"
        return cls(
            off=environ.get("REMEDIATOR_NO_LLM", "").strip().lower() in {"1", "true", "yes", "on"},
            name=environ.get("OPENAI_MODEL", ""),
            base_url=_address("OPENAI_BASE_URL", environ),
            api_version=environ.get("OPENAI_API_VERSION", ""),
            key=SecretStr(environ.get("OPENAI_API_KEY", "")),
            job_token=SecretStr(environ.get("GITHUB_TOKEN") or (environ.get("REMEDIATOR_TOKEN", "") if own else "")),
            timeout=_decimal("REMEDIATOR_LLM_TIMEOUT", environ) or None,
            temperature=_decimal("REMEDIATOR_LLM_TEMPERATURE", environ),
            headers=_headers("REMEDIATOR_LLM_HEADERS", environ),
            language=environ.get("REMEDIATOR_LLM_LANGUAGE", ""),
            tokens_per_incident=_number("REMEDIATOR_LLM_TOKENS_PER_INCIDENT", environ),
            tokens_per_run=_number("REMEDIATOR_LLM_TOKENS_PER_RUN", environ),
            tokens_per_day=_number("REMEDIATOR_LLM_TOKENS_PER_DAY", environ),
        )

    def over(self, policy: ModelBounds) -> ModelBounds:
        """The policy with what the environment says laid over it, header by header."""
        said = self.model_dump(include=set(type(policy).model_fields), exclude_none=True)
        told = {key: value for key, value in said.items() if value not in ("", {})}
        if self.headers:
            told["headers"] = {**policy.headers, **self.headers}
        return policy.model_copy(update={**told, "enabled": policy.enabled and not self.off})

    def key_for(self, base_url: str) -> SecretStr:
        """The key given for the model; without one GitHub's own endpoint gets the job's token, and nobody else does."""
        if self.key.get_secret_value():
            return self.key
        to = urlsplit(base_url)
        return self.job_token if (to.scheme, to.hostname) == ("https", GITHUB_MODELS) else SecretStr("")


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
        raise ConfigError(f"{name}: {text!r} is no number that can be meant")
    return number


def _headers(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    text = environ.get(name, "").strip()
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ConfigError(f"{name}: write a JSON object of texts")
    return found


class Settings(Value):
    """What the environment says; secrets as `SecretStr`, of which a local run has none."""

    github_actions: bool = False
    log_level: str = "warning"
    cluster: str = ""
    """Name of the cluster the logs come from; part of an incident's identity."""
    user: str = ""
    """Who answers on the command line, for the history."""
    github: GitHub | None = None
    model: ModelSettings = ModelSettings()
    config: str = ""
    """Another path of the policy file, inside the checkout."""
    query: str = ""
    """LogQL for Loki instead of what the policies poll."""
    since: str = ""
    """How far back a source is read that was never polled: `1h`."""
    target: str = ""
    """The only target to collect from; empty: all of them."""
    environ: dict[str, str] = Field(default_factory=dict, repr=False, exclude=True)
    """Handed on to git and helm, which read their own variables from it; never stored."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Unset and empty mean the default."""
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
        """One variable of `OUTSIDE`; `shared`: the one without a target counts for this target too."""
        name = f"REMEDIATOR_{service}_{field}"
        if name not in OUTSIDE:
            return ""
        own = self.environ.get(f"{name}__{target.upper().replace('-', '_')}", "") if target else ""
        return own or (self.environ.get(name, "") if shared else "")

    def access(self, service: str, target: str = "", *, shared: bool = True) -> Access:
        """How to reach a service of a target, as far as the environment says."""

        def said(field: str) -> str:
            return self.outside(service, field, target, shared=shared)

        return Access(
            url=said("URL"),
            token=SecretStr(said("TOKEN")),
            username=said("USERNAME"),
            password=SecretStr(said("PASSWORD")),
            ca=said("CA"),
            tenant=said("TENANT"),
            context=said("CONTEXT"),
            kubeconfig=said("KUBECONFIG"),
        )
