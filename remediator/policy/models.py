"""The policies as frozen values: categories with their signals, actions with their bounds, guardrails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, model_validator

from remediator.domain.base import Value
from remediator.domain.charts import Charts
from remediator.domain.incident import Channel, Severity
from remediator.policy.recipes import Recipe
from remediator.policy.targets import Target
from remediator.policy.weakening import WeakeningTable

Role = Literal["cause", "symptom", "hint"]

ANY_INCIDENT = "category:*"
"""The entry of an action's `ends` if its hypotheses name the faults that they explain."""


ANY = "any"
"""The entry of `consequence` that means every related, graver fault."""


class Behaviour(Value):
    """The keys that say what a signal does in diagnosis, so that no code needs to know its id.

    Each key may stand at one signal, or at a category for all its signals; the signal's own wins.
    """

    consequence: tuple[str, ...] = ()
    """Faults that explain this cause where they are graver and related: signal ids, `category:ID`, or `any`."""
    needs_mention: bool = False
    """True where a consequence in another workload must name the one that it suffers from."""
    blames: Literal["subject", "callee", "route", "account"] = "subject"
    """The object that the incident is about.

    `subject`: the one that the statement is about. `callee`: the Service that a log line calls. `route`: the Ingress
    or Service that a controller complains about. `account`: the refused ServiceAccount, where no workload is known.
    """
    storm: Literal["none", "starts", "joins"] = "none"
    """`starts`: a fault below many workloads, such as a node's. `joins`: a fault that such a node brings about."""
    calm: bool = False
    """True where the signal says that all is well: it never adds to an incident."""
    transient: bool = False
    """True where the fault is over as soon as its pods are ready without a restart, or its Application is in sync."""
    outside: bool = False
    """True where the cause lies outside the repository: a recent change is suspected only where the evidence names it."""
    severity_follows: Literal["none", "live_state", "alert"] = "none"
    """The source that may change the severity.

    `live_state`: a warning becomes critical where the Application is Missing or Degraded, critical becomes a warning
    where it is Healthy. `alert`: a warning becomes critical where an alert says so.
    """


class Signal(Behaviour):
    """A pattern whose match in a statement is evidence of its category."""

    id: str
    pattern: str
    """google-re2 syntax; named groups become facts of the evidence."""
    channels: tuple[Channel, ...] = ()
    """Only in statements of these channels; empty: in any."""
    match: Literal["reason", "text", "both"] = "both"
    """The searched part: the statement's reason, its text, or `reason: text`."""
    role: Role = "cause"
    """A symptom yields to any cause of the same incident; a hint only adds weight to what is there."""
    weight: float = 1.0
    unless: str = ""
    """A second pattern; where it matches too, the signal does not count."""
    severity: Severity | None = None
    """Severity of an incident that this signal leads, where it differs from the category's."""
    summary: str = ""
    """Sentence shown to people if this signal leads, written like the category's, which it overrides."""
    abstain: str = ""
    """Advice for a person if this signal leads and no action fits; overrides the category's."""


class Category(Behaviour):
    """One error category: how it is recognised and what may be considered."""

    id: str
    title: str
    description: str = ""
    severity: Severity
    priority: int = 50
    """Among causes in one incident the higher one names it, 0 to 100."""
    signals: tuple[Signal, ...] = ()
    actions: tuple[str, ...] = ()
    """Ids of the actions to consider, best first."""
    summary: str = ""
    """Template of the sentence shown to people; `{workload}`, `{container}` and the lead's facts."""
    abstain: str = ""
    """Advice for a person when no action fits."""
    words: tuple[str, ...] = ()
    """google-re2 expressions of words that faults of this kind are told in; they name a fault that no signal knows."""

    @model_validator(mode="before")
    @classmethod
    def _hand_behaviour_to_signals(cls, data: Any) -> Any:
        """Give every signal the behaviour of its category where it has none of its own."""
        if not isinstance(data, Mapping):
            return data
        shared = {key: data[key] for key in Behaviour.model_fields if key in data}
        signals = data.get("signals", ())
        if not shared or not all(isinstance(signal, Mapping) for signal in signals):
            return data
        return {**data, "signals": [{**shared, **signal} for signal in signals]}


class Catalogue(Value):
    """All categories, with the questions that diagnosis asks of them."""

    categories: tuple[Category, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Category]:
        """Return the categories by their id."""
        return {category.id: category for category in self.categories}

    @cached_property
    def signal_owner(self) -> Mapping[str, tuple[Category, Signal]]:
        """Return the signals by their id, each with its category."""
        return {signal.id: (category, signal) for category in self.categories for signal in category.signals}

    def patterns(self) -> list[tuple[str, str]]:
        """Return the id and regular expression of every signal, for the scanner's first pass."""
        return [(signal.id, signal.pattern) for category in self.categories for signal in category.signals]


class Bounds(Value):
    """Limits of an action's number, all optional: quantities, factors or plain numbers."""

    factor: float = 0
    """The factor for the present value when nothing better is known."""
    max_factor: float = 0
    """New value at most this many times the old one."""
    minimum: str = ""
    maximum: str = ""


class Action(Value):
    """One remediation action: its bounds, its risk and what it is able to end."""

    id: str
    title: str
    description: str = ""
    enabled: bool = True
    risk: Literal["low", "medium", "high"] = "medium"
    ends: tuple[str, ...]
    """Signal ids (or `category:ID`); at least one must be in the evidence, or the action is not proposed."""
    auto_merge: bool = False
    bounds: Bounds = Bounds()
    options: dict[str, str | int | float | bool | list[str]] = Field(default_factory=dict)
    """Settings of this action alone, described in its file."""


class FreezeWindow(Value):
    """No pull request is opened between these times."""

    days: tuple[str, ...] = ()
    start: str
    end: str
    timezone: str = "UTC"
    reason: str = ""


class ReadAllowance(Value):
    """Permissions that may be added for the account that was refused."""

    enabled: bool = True
    verbs: tuple[str, ...] = ("get", "list", "watch")
    never: tuple[str, ...] = ()
    """Words that no permission may contain: in its resource, its subresource or its verb."""


class NetworkAllowance(Value):
    """Traffic that a network policy may be opened for."""

    dns: bool = True
    """Queries to the name server of the cluster."""
    named_calls: bool = True
    """Calls from one workload to another that the repository's own configuration names."""


class Allowances(Value):
    """The narrow weakenings that may be proposed without having stood in the repository before."""

    read: ReadAllowance = ReadAllowance()
    network: NetworkAllowance = NetworkAllowance()
    quota_to_need: bool = True
    """A quota or LimitRange, up to what the repository's own workloads of that namespace need."""
    image_moves: dict[str, str] = Field(default_factory=dict)
    """Names of images that their publisher has moved: old beginning of the name → new one."""


class Guardrails(Value):
    """The rules that every change must pass; checked on the final difference."""

    enabled: bool = True
    """False stops everything: the kill switch."""
    allow_files: tuple[str, ...] = ("**/*.yaml", "**/*.yml", "**/*.json")
    deny_files: tuple[str, ...] = (".github/**", ".git/**")
    deny_kinds: tuple[str, ...] = ()
    deny_paths: tuple[str, ...] = ()
    """Regular expressions over `Kind:dotted.path`."""
    deny_values: tuple[str, ...] = ()
    """Regular expressions over new values as text."""
    allowances: Allowances = Allowances()
    max_files: int = 5
    max_lines: int = 60
    max_open_pull_requests: int = 10
    max_pull_requests_per_run: int = 5
    max_pull_requests_per_day: int = 20
    max_attempts: int = 3
    max_feedback_rounds: int = 5
    merge_on_approval: bool = False
    """True: an approval of the current head by somebody with write access merges, within the branch's own rules."""
    cooldown_after_close: str = "72h"
    close_when_cleared_for: str = "72h"
    """Close an open pull request when all configured sources have not seen its incident for so long; 0s: never."""
    freeze_windows: tuple[FreezeWindow, ...] = ()

    def denies_path(self, kind: str, path: str) -> str:
        """Return the pattern that forbids this path, or an empty string."""
        text = f"{kind}:{path}"
        return next((pattern for pattern in self.deny_paths if re.search(pattern, text)), "")


class Verification(Value):
    """The patience with which recovery is verified."""

    settle: str = "5m"
    """The time in which nothing may change and the signature must not occur."""
    deadline: str = "4h"
    """The time from the merge after which an unsettled incident needs a person."""
    sync: bool = False
    """Sync an Application that has the merge and no automated sync; through Argo CD's REST API only."""
    patience: str = "0s"
    """The time that one run watches a rollout; `0s`: one look, later runs do the rest."""


class Locating(Value):
    """The limits on which located places may be edited."""

    shared_places: Literal["allow", "refuse"] = "allow"
    """`allow` to edit a place that other Applications use too (the pull request always says so)."""


class StatePolicy(Value):
    """The part of an incident that is stored."""

    evidence: Literal["private", "always", "never"] = "private"
    """The condition for storing texts of logs: `private` only if the state's repository is not public."""


class Redaction(Value):
    """Text that is removed beside secrets."""

    emails: bool = False
    ips: bool = False
    patterns: tuple[str, ...] = ()


class ModelBounds(Value):
    """Which model investigates incidents, when, what may come of it, and its cost; its key never stands in a file."""

    enabled: bool = True
    name: str = ""
    """Empty: none is asked, unless the environment names one."""
    base_url: str = ""
    api_version: str = ""
    """Azure OpenAI's; empty for every other endpoint."""
    when: Literal["always", "unsure"] = "always"
    """`unsure`: only where the rules propose nothing, or nothing sure."""
    proposes: Literal["off", "draft", "open"] = "open"
    """What may come of its changes where the rules propose none: nothing, a draft, or a draft unless something confirms it."""
    tool_calls: int = 16
    """The calls of one investigation; then it must conclude."""
    timeout: float = 180.0
    """Seconds for one incident, retries included."""
    temperature: float | None = None
    """Sent only if set, since some models refuse it."""
    headers: dict[str, str] = Field(default_factory=dict)
    language: str = "English"
    """The language of the model's sentences."""
    tokens_per_incident: int = 60_000
    """Tokens sent and received, with retries, as in the two below."""
    tokens_per_run: int = 300_000
    tokens_per_day: int = 3_000_000
    """The limit for all runs together, per UTC day."""
    price_per_million_input: float = 0.0
    """0, like the one below: no cost is shown."""
    price_per_million_output: float = 0.0
    currency: str = "USD"


class Weight(Value):
    """One row of the table of weights: what an observation adds to the log-odds of a hypothesis."""

    weight: float
    reason: str


class Policies(Value):
    """Everything the policies say, defaults and the user's file merged."""

    catalogue: Catalogue
    actions: Mapping[str, Action]
    weights: Mapping[str, Weight] = Field(default_factory=dict)
    """The weight of each observation about a hypothesis, by the observation's name."""
    recipes: tuple[Recipe, ...] = ()
    weakening: WeakeningTable = WeakeningTable()
    """What lowers a protection: shipped alone, since a user's file must not switch it off."""
    guardrails: Guardrails = Guardrails()
    verification: Verification = Verification()
    locating: Locating = Locating()
    charts: Charts = Charts()
    redaction: Redaction = Redaction()
    state: StatePolicy = StatePolicy()
    model: ModelBounds = ModelBounds()
    targets: Mapping[str, Target] = Field(default_factory=dict)
    """The servers of each cluster, by a name of the user's."""

    @property
    def cluster_names(self) -> dict[str, str]:
        """Return the target's name by each name and address of its cluster."""
        listed = {cluster: name for name, target in self.targets.items() for cluster in target.clusters}
        return {**listed, **{name: name for name in self.targets}}
