"""Composition root: from settings and arguments to ports and graph. Heavy packages are imported when they are needed."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from remediator.domain.times import duration
from remediator.errors import ConfigError
from remediator.services.checkpoints.null_store import NullRefStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from remediator.domain.lifecycle import Record
    from remediator.domain.ports import Analyst, Forge, RefStore, Verifier
    from remediator.graph.admission import Admission
    from remediator.graph.driver import Driver
    from remediator.graph.investigation import Investigator
    from remediator.graph.limits import RunLimits
    from remediator.graph.polling import Polling
    from remediator.intake.cases import CaseReader
    from remediator.intake.collector import SourceCollector
    from remediator.intake.planner import LocalPlanner
    from remediator.policy import ModelBounds, Policies
    from remediator.servers import ConfiguredServers
    from remediator.services.checkpoints.saver import Withhold
    from remediator.services.github.client import Client
    from remediator.services.github.history import AncestryCache
    from remediator.services.local.git import Git
    from remediator.settings import Settings

FRESH = 60.0
"""Seconds for which a read of the state on GitHub is used again; a write on an outdated state fails and reads again."""


def now() -> datetime:
    """Return the current time, UTC."""
    return datetime.now(UTC)


def preload() -> None:
    """Import LangGraph in the background: this takes longer than all other steps, and overlaps with reading, git and helm.

    Modules that both threads need are imported first, so that no thread waits for, or sees half of, a module of the
    other. The garbage collector is off during the imports: they leave no garbage, and it costs a sixth of their time.
    """
    gc.disable()
    import remediator.domain.lifecycle
    import remediator.policy
    import remediator.report  # noqa: F401

    threading.Thread(target=_import_langgraph, name="preload", daemon=True).start()


def _import_langgraph() -> None:
    try:
        import langgraph.checkpoint.serde.jsonplus
        import langgraph.graph  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()


@dataclass(frozen=True)
class LogReaders:
    """The readers of one run's logs: the servers among them, and the cases in all."""

    collector: SourceCollector | None
    cases: CaseReader


@dataclass
class Services:
    """All adapters of one process, each built when it is first needed."""

    settings: Settings
    root: Path
    logs_from: Sequence[str] = ()
    dry_run: bool = False
    push: str = ""
    no_llm: bool = False
    """Ask no model, whatever is configured."""
    tell: Callable[[str], None] = lambda _line: None
    """Shows a model's steps as they happen."""
    poll: bool = False
    """Read servers from where the last poll stopped."""
    _readers: LogReaders | None = field(default=None, init=False, repr=False)
    """The readers of the present logs; None until they are needed, and again when other logs are named."""
    _asked_analyst: Analyst | None = field(default=None, init=False, repr=False)
    """The analyst, once a node has needed it."""

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise ConfigError(
                "no such directory: --repo names the checkout of the GitOps repository", file=str(self.root)
            )

    @cached_property
    def git(self) -> Git | None:
        """The git repository of the root; None only in a dry run, which needs none."""
        from remediator.services.local.git import Git

        repository = Git.find(self.root, self.settings.environ)
        if repository is not None and not repository.commit_id("HEAD"):
            if not self.dry_run:
                raise ConfigError("the branch has no commit yet: commit the repository first", file=str(self.root))
            repository = None
        if repository is None and not self.dry_run:
            raise ConfigError(
                "not a git repository: --repo must name a checkout of the GitOps repository", file=str(self.root)
            )
        return repository

    @cached_property
    def policies(self) -> Policies:
        """The shipped policies with the user's merged over them."""
        from remediator.policy import USER_FILE, load

        file = self.root / (self.settings.config or USER_FILE)
        if self.settings.config and not (file.is_file() and file.resolve().is_relative_to(self.root.resolve())):
            raise ConfigError("config must name a policy file inside the checkout", file=self.settings.config)
        return load(file if file.is_file() else None)

    @cached_property
    def redact(self) -> Callable[[str], str]:
        """The function that removes secrets from a text, as the policies say."""
        from remediator.evidence.redact import Redactor

        redaction = self.policies.redaction
        return Redactor(emails=redaction.emails, ips=redaction.ips, extra=redaction.patterns).text

    @cached_property
    def outside(self) -> ConfiguredServers:
        """The servers that settings and policies name."""
        from remediator.servers import ConfiguredServers
        from remediator.services.local.remotes import is_ours

        git = self.git
        return ConfiguredServers(
            self.settings,
            self.policies,
            now,
            contains=self._contains,
            ours=lambda url: is_ours(git, url, self.settings.environ),
            destinations=lambda names: [a.cluster for a in self.planner.repository.applications if a.name in names],
        )

    def _contains(self, revision: str, commit: str) -> bool | None:
        """Return whether a commit is in a revision: by the clone where it knows, else by the forge, which makes the merges."""
        from remediator.services.local.remotes import contains

        answer = contains(self.git, revision, commit)
        return answer if answer is not None or self.history is None else self.history.contains(revision, commit)

    @cached_property
    def history(self) -> AncestryCache | None:
        """The history on GitHub, where the action runs."""
        from remediator.services.github.history import AncestryCache

        return AncestryCache(self.client) if self.client else None

    @property
    def collector(self) -> SourceCollector | None:
        """The servers that --log names, with the marks up to which a poll has handled them."""
        return self._log_readers.collector

    @property
    def logs(self) -> CaseReader:
        """The cases in everything that --log names."""
        return self._log_readers.cases

    @property
    def _log_readers(self) -> LogReaders:
        if self._readers is None:
            collector = self._make_collector()
            self._readers = LogReaders(collector, self._make_reader(collector))
        return self._readers

    def _make_collector(self) -> SourceCollector | None:
        from remediator.intake.collector import BACK, SourceCollector, load_marks
        from remediator.servers import is_source

        if not (specs := [spec for spec in self.logs_from if is_source(spec)]):
            return None
        first, then = self.outside.sources(specs)
        marks = load_marks(self.store) if self.poll and self.store else {}
        back = duration(self.settings.since) if self.settings.since else BACK
        return SourceCollector(first, then, now, back=back, marks=marks, polls=bool(self.poll and self.store))

    def handled(self) -> None:
        """Advance the marks of polled sources, once every incident that was read has been recorded."""
        from remediator.intake.collector import save_marks

        if self.poll and self.collector and self.store and not self.dry_run:
            save_marks(self.store, self.collector.new_marks())

    def _make_reader(self, collector: SourceCollector | None) -> CaseReader:
        from remediator.intake.cases import CaseReader, LogFiles
        from remediator.servers import is_source

        files = LogFiles([spec for spec in self.logs_from if not is_source(spec)])
        return CaseReader(
            sources=[files.inputs, *([collector.inputs] if collector else [])],
            catalogue=self.policies.catalogue,
            redact=self.redact,
            cluster=self.settings.cluster,
            cluster_of=self._cluster_of,
            now=now,
            refuse_empty=collector is None,
            source_notes=collector.notes if collector else tuple,
        )

    def read(self, specs: Sequence[str], *, poll: bool = False) -> None:
        """Set the logs of this run; a sweep that runs before needs none."""
        self.logs_from, self.poll, self._readers = specs, poll, None

    def _cluster_of(self, source: str, cluster: str) -> str:
        return self.outside.cluster_of(source, cluster) if self.policies.targets else cluster

    @cached_property
    def planner(self) -> LocalPlanner:
        """The planner over the checkout and the policies."""
        from remediator.gitops.sources.cache import default_directory
        from remediator.intake.planner import LocalPlanner

        kept_charts = default_directory(self.settings.environ)
        return LocalPlanner(self.root, self.policies, self.redact, self.asked_model, kept_charts=kept_charts)

    @cached_property
    def asked_model(self) -> ModelBounds:
        """The policy's model settings, overridden by the environment."""
        return self.settings.model.over(self.policies.model)

    @cached_property
    def analyst(self) -> Analyst | None:
        """The model, where one is configured and not switched off."""
        self._asked_analyst = self._make_analyst()
        return self._asked_analyst

    def _make_analyst(self) -> Analyst | None:
        bounds = self.asked_model
        key = self.settings.model.key_for(bounds.base_url)
        if self.no_llm or not bounds.enabled or not bounds.name or not (bounds.base_url or key.get_secret_value()):
            return None
        from remediator.services.checkpoints.token_budget import DailyTokenBudget
        from remediator.services.llm import ChatAnalyst, Endpoint

        options = {
            name: getattr(bounds, name) for name in ("name", "base_url", "api_version", "timeout", "temperature")
        }
        return ChatAnalyst(
            Endpoint(api_key=key, headers=bounds.headers, **options),
            redact=self.redact,
            tokens_per_incident=bounds.tokens_per_incident,
            tokens_per_run=bounds.tokens_per_run,
            budget=DailyTokenBudget(
                self.store or NullRefStore(), bounds.tokens_per_day, now, read_only=self.dry_run or not self.store
            ),
        )

    def spending(self) -> str:
        """Return the cost of the model in this run, in words; empty where none was asked."""
        from remediator.report import spending

        analyst = self._asked_analyst
        return spending(analyst.name, analyst.spent, self.asked_model) if analyst else ""

    @cached_property
    def client(self) -> Client | None:
        """GitHub, where the action runs; None on a local machine."""
        from remediator.services.github.client import Client

        on = self.settings.github
        return Client(on.token, on.repository, on.api, on.graphql, ca=on.ca) if on else None

    @cached_property
    def forge(self) -> Forge:
        """The forge for pull requests; a dry run gets one that writes nothing."""
        from remediator.services.local.forge import LocalForge
        from remediator.services.preview.forge import Preview, PreviewFolder

        forge: Forge = LocalForge(self.git, self.push) if self.git else PreviewFolder(self.root)
        if self.client:
            forge = self._github(self.client)
        return Preview(forge, self.root) if self.dry_run else forge

    def _github(self, client: Client) -> Forge:
        from remediator.services.github.blobs import StoredBlob
        from remediator.services.github.forge import GitHubForge
        from remediator.services.github.opening import PullRequestRequest

        on, git = self.settings.github, self.git
        names = ("labels", "reviewers", "team_reviewers", "assignees", "draft")
        request = PullRequestRequest.model_validate({name: getattr(on, name) for name in names})

        def local(commit: str, path: str) -> StoredBlob | None:
            entry = git.entry(commit, path) if git and git.commit_id(commit) else None
            if entry is None or git is None:
                return None
            content = (
                git.raw("cat-file", "blob", entry.oid) if entry.mode.startswith("1") and entry.mode[1] != "6" else None
            )
            return StoredBlob(int(entry.mode, 8), entry.oid, content)

        return GitHubForge(
            client,
            request,
            git.prefix if git else "",
            on.base if on else "",
            job_token=bool(on and on.job_token),
            local=local,
        )

    @cached_property
    def verifiers(self) -> Sequence[Verifier]:
        """One verifier for each configured kind of server; empty where none is configured."""
        return self.outside.verifiers(duration(self.policies.verification.settle))

    @cached_property
    def patience(self) -> Polling:
        """The waiting time of this run for one rollout."""
        from remediator.graph.polling import STEP, Polling

        verification = self.policies.verification
        step = min(STEP, max(1.0, duration(verification.settle).total_seconds()))
        return Polling(duration(verification.patience), now, time.sleep, self.verifiers, step)

    @cached_property
    def store(self) -> RefStore | None:
        """The store of the graph's checkpoints; None where there is no repository (a dry run in a plain folder)."""
        from remediator.services.local.ref_store import GitRefStore

        if self.client and self.settings.github:
            from remediator.services.checkpoints.documents import INDEX
            from remediator.services.github.ref_store import GitHubRefStore

            state_name = self.settings.github.state_repository
            client = replace(self.client, repository=state_name) if state_name else self.client
            store = GitHubRefStore(client, prefetch=[INDEX], fresh_for=FRESH)
            if state_name and store.public() and self.client.rest("GET", "").body["private"]:
                raise ConfigError(
                    f"state-repository {state_name} is public, but {self.client.repository} is private: name a private one"
                )
            return store
        return GitRefStore(self.git) if self.git else None

    @cached_property
    def driver(self) -> Driver:
        """The driver of the compiled graph, with its checkpoints."""
        from remediator.graph.build import Ports, build
        from remediator.graph.driver import Driver
        from remediator.graph.state import VALUES
        from remediator.intake.cases import LateLogs
        from remediator.services.checkpoints.saver import RefCheckpointSaver

        store = self.store or NullRefStore()
        saver = RefCheckpointSaver(store, allowed=VALUES, summarise=_summary, withhold=self._withhold(), keep=1)
        limits = limits_of(self.policies)
        ports = Ports(
            logs=LateLogs(lambda: self.logs),
            planner=self.planner,
            forge=self.forge,
            now=now,
            verifiers=self.verifiers,
            limits=limits,
            investigator=self._investigator(),
            redact=self.redact,
        )
        return Driver(build(ports, saver), saver, limits, now, self._admission(), preview=self.dry_run)

    def _investigator(self) -> Investigator | None:
        """The model with what its investigations need; None where none is configured."""
        if self.analyst is None:
            return None
        from remediator.graph.investigation import Investigator, NoReplies
        from remediator.judgement.model.prompts import VERSION
        from remediator.services.checkpoints.reply_log import StoredReplies

        keeps = self.store is not None and not self.dry_run and self._withhold() is None
        return Investigator(
            self.analyst,
            bounds=self.asked_model.tool_calls,
            replies=StoredReplies(self.store, self.redact) if keeps and self.store else NoReplies(),
            tell=self.tell,
            redact=self.redact,
            prompt=VERSION,
        )

    def _withhold(self) -> Withhold | None:
        """Return the filter of log texts in the state: unless the policy says otherwise, a public branch contains none."""
        from remediator.graph.state import without_log_texts

        setting = self.policies.state.evidence
        return (
            without_log_texts
            if setting == "never" or (setting == "private" and self.store and self.store.public())
            else None
        )

    def _admission(self) -> Admission:
        from remediator.graph.admission import Admission, Caps

        guard, on = self.policies.guardrails, self.settings.github
        least = min(guard.max_open_pull_requests, on.max_open if on and on.max_open is not None else 10**6)
        caps = Caps(open=least, per_run=guard.max_pull_requests_per_run, per_day=guard.max_pull_requests_per_day)
        return Admission(caps, self.planner.frozen, now)

    def records(self) -> list[Record]:
        """Return all known incidents, without importing LangGraph."""
        from remediator.domain.lifecycle import Record
        from remediator.services.checkpoints.documents import records

        heads = records(self.store or NullRefStore())
        fields = Record.model_fields
        return [Record.model_validate({k: v for k, v in head.items() if k in fields}) for head in heads if head]


def _summary(thread: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    from remediator.graph.state import record

    return record(thread, dict(values)).model_dump(mode="json", exclude_defaults=True)


def limits_of(policies: Policies) -> RunLimits:
    """Return the limits of the flow from the policies."""
    from remediator.graph.limits import RunLimits

    guard, verification = policies.guardrails, policies.verification
    return RunLimits(
        attempts=guard.max_attempts,
        rounds=guard.max_feedback_rounds,
        deadline=duration(verification.deadline),
        merge_on_approval=guard.merge_on_approval,
        cool_down=duration(guard.cooldown_after_close),
        cleared_for=duration(guard.close_when_cleared_for),
    )
