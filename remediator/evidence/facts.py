"""The catalogue of facts: the kinds of things that statements tell, each with its values and their units.

A statement holds its details by name, as the formats read them. This table says which of them belong together and what
they mean; `remediator scan --facts` prints them so, each with its subject, its speaker and its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from remediator.domain.incident import Statement, Subject


@dataclass(frozen=True, slots=True)
class FactType:
    """One kind of fact."""

    id: str
    meaning: str
    """One sentence for people."""
    values: Mapping[str, str]
    """The names of its values, each with its unit, empty where it has none; `env_*` stands for all that begin so."""
    needs: tuple[str, ...] = ()
    """Values of which one must be there; any where empty."""
    reasons: tuple[str, ...] = ()
    """Reasons of statements that tell it; any where empty."""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypedFact:
    """One fact of one statement."""

    type: str
    values: Mapping[str, str]
    subject: Subject
    speaker: str
    source: str
    line: int


def _type(
    name: str,
    meaning: str,
    values: str,
    *,
    needs: str = "",
    reasons: str = "",
    channels: str = "",
) -> FactType:
    """Return a row; `values` are words, each with its unit behind a slash."""
    units = {value: unit for value, _, unit in (word.partition("/") for word in values.split())}
    return FactType(name, meaning, units, tuple(needs.split()), tuple(reasons.split()), tuple(channels.split()))


FACT_TYPES: Sequence[FactType] = (
    _type("container_exit", "A container ended.", "exit_code signal finished/time message when", needs="exit_code"),
    _type("container_state", "What a container does now, or did before.", "state when ready started/time", needs="state"),
    _type("last_end", "How the run before this one ended.", "last_state last_reason last_exit_code"),
    _type("restarts", "How often a container was started again.", "restart_count restarted_ago/age"),
    _type("memory_bounds", "The memory that a container may use.", "memory_limit/bytes memory_request/bytes"),
    _type("cpu_bounds", "The processor time that a container may use.", "cpu_limit/cores cpu_request/cores"),
    _type("storage_bounds", "The local disk that a container may use.", "ephemeral_storage_limit/bytes ephemeral_storage_request/bytes"),
    _type("usage", "What a pod or node uses now.", "cpu_usage/cores memory_usage/bytes cpu_percent/percent memory_percent/percent", needs="cpu_usage memory_usage"),
    _type("oom_kill", "The kernel ended a process for want of memory.", "process pid anon_rss_kb/KiB", needs="process anon_rss_kb"),
    _type("ports_declared", "The ports that a container declares.", "ports", channels="status"),
    _type("ports_listened", "The ports on which something listens in the pod, looked up there.", "listens listens_on_loopback"),
    _type("dialled", "An address that something tried to reach.", "dial_host dial_port"),
    _type("target_named", "A Service, host or address that a program names in a field of its log.", "field_service field_serviceName field_servicePort field_target field_url field_host field_upstream"),
    _type("endpoints", "The addresses behind a Service.", "endpoints", needs="endpoints"),
    _type("no_endpoints", "A Service has no address behind it.", "", reasons="NoEndpoints"),
    _type("service_ports", "The ports of a Service and where they lead.", "port targetport target_port nodeport cluster_ip type", needs="targetport target_port cluster_ip"),
    _type("selector", "The labels by which a Service or workload finds its pods.", "selector pod_selector"),
    _type("labels", "The labels that an object carries.", "labels"),
    _type("probe", "A probe and its answer.", "probe probe_result probe_url probe_port probe_path status_code", needs="probe"),
    _type("probes_declared", "The probes that a container declares.", "liveness readiness startup"),
    _type("mounts", "What a container mounts.", "mounts"),
    _type("environment", "Where a container's environment comes from.", "env_from config_maps secrets"),
    _type("variables", "The environment variables that a container is given.", "env_*"),
    _type("volumes", "The volumes of a pod and what is behind them.", "volume_* claims"),
    _type("keys", "The keys that a ConfigMap or Secret has.", "keys"),
    _type("alert_labels", "The labels of an alert.", "label_*", channels="alert"),
    _type("request_missing", "A container without the request that an autoscaler measures by.", "request_missing request_container request_pod", needs="request_missing"),
    _type("command", "What a container runs.", "command args"),
    _type("image_pull", "An image that was not pulled.", "", reasons="ErrImagePull ImagePullBackOff InvalidImageName ErrImageNeverPull InspectFailed"),
    _type("image_id", "The image that a container runs, by its digest.", "image_id"),
    _type("executable", "A program that the container does not have, or may not start.", "executable exec_error", needs="executable"),
    _type("missing_object", "An object that something asks for and that does not exist.", "missing_kind missing missing_namespace", needs="missing"),
    _type("missing_key", "A key that a ConfigMap or Secret lacks.", "key key_kind key_object key_namespace", needs="key"),
    _type("requested_kind", "A kind that the API server does not know.", "requested_kind requested_name requested_namespace"),
    _type("field_refused", "A field that the API server refuses, why, and what it got.", "invalid_kind invalid_name field problem value", needs="field"),
    _type("forbidden", "What an account may not do.", "user verb resource api_group scope resource_namespace service_account service_account_namespace", needs="verb"),
    _type("pod_refused", "A pod that admission refuses.", "denied_pod"),
    _type("api_answer", "An error of the API server.", "code", needs="code", channels="status"),
    _type("quota", "A quota that was exceeded, or that wants something.", "quota quota_requested quota_used quota_limited quota_resources quota_containers", needs="quota"),
    _type("limit_range", "A bound that admission sets for one container, pod or claim.", "quota_bound quota_resource quota_limit quota_value", needs="quota_limit"),
    _type("unschedulable", "Why no node takes a pod.", "nodes/nodes nodes_fit/nodes unschedulable", needs="unschedulable nodes", channels="event status sync log text"),
    _type("pod_placement", "Where a pod may run.", "node_selectors tolerations priority_class qos"),
    _type("node_capacity", "What a node has and what is asked of it.", "allocatable_cpu/cores allocatable_memory/bytes capacity_cpu/cores capacity_memory/bytes requested_cpu/cores requested_memory/bytes requested_cpu_percent/percent requested_memory_percent/percent"),
    _type("node_taints", "What keeps pods off a node.", "taints"),
    _type("volume_failed", "A volume that was not mounted or attached.", "volume", needs="volume", channels="event sync log text"),
    _type("claim", "A claim, its class and its size.", "storageclass capacity/bytes access_modes volumemode used_by", needs="storageclass access_modes"),
    _type("storage_class", "A storage class.", "provisioner reclaim_policy default", needs="provisioner"),
    _type("replicas", "How many pods are wanted and how many are there.", "replicas desired current up_to_date available ready pods_statuses", needs="replicas desired available pods_statuses"),
    _type("ready", "How many containers or pods are ready.", "ready", needs="ready"),
    _type("scaled", "A workload was scaled.", "replica_set replicas replicas_before", needs="replicas_before"),
    _type("pod_created", "A pod that a workload made.", "created_pod"),
    _type("autoscaling", "What an autoscaler measures and its bounds.", "reference targets metrics min_replicas max_replicas minpods maxpods", needs="reference"),
    _type("job_run", "How far a Job is.", "completions duration/age backoff_limit job", needs="completions backoff_limit"),
    _type("schedule", "When a CronJob runs.", "schedule suspend last_schedule"),
    _type("condition", "A condition of an object that tells trouble.", "condition condition_status", needs="condition"),
    _type("account", "The account of a pod.", "service_account controlled_by"),
    _type("application", "Where an Application comes from and goes to.", "project server repo path target_revision chart destination_namespace", needs="project repo path target_revision chart"),
    _type("sync_status", "Whether an Application or one of its objects is as the repository says.", "sync_status health resource_status resource_health"),
    _type("sync_operation", "How a sync ended.", "operation phase sync_revision retry_count hook hook_phase", needs="phase operation"),
    _type("refs", "The branches and tags of a repository, looked up there.", "refs_repository branches tags refs_complete"),
    _type("alert", "An alert and its state.", "status state silenced_by inhibited_by summary runbook_url", channels="alert"),
    _type("event_age", "How old an event is, and how often it came.", "age first_age reporter", needs="age", channels="event"),
    _type("kube_context", "The context of kubectl that a command was run in.", "kube_context"),
    _type("log_error", "The error that a log line names in a field of its own.", "error msg logger", needs="error"),
    _type("taken_from_template", "A container as its workload's template has it.", "template"),
)  # fmt: skip
"""All kinds of facts."""


_APART = frozenset({"env_from"})
"""Names that begin like a family of values and are none of it."""


def facts_of(statement: Statement) -> Iterator[TypedFact]:
    """Yield the typed facts of a statement."""
    for kind in FACT_TYPES:
        if kind.channels and statement.channel not in kind.channels:
            continue
        if kind.reasons and statement.reason not in kind.reasons:
            continue
        values = {name: value for name, value in _named(kind, statement.facts) if value}
        if (values or kind.reasons) and (not kind.needs or any(name in values for name in kind.needs)):
            yield TypedFact(kind.id, values, statement.subject, statement.speaker, statement.source, statement.line)


def _named(kind: FactType, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the facts of a statement that are values of this kind."""
    for name in kind.values:
        if name.endswith("*"):
            yield from ((key, value) for key, value in facts.items() if key.startswith(name[:-1]) and key not in _APART)
        else:
            yield name, facts.get(name, "")
