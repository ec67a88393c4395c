"""The verifier over pods: the workloads of an incident have rolled out and settled.

A crash-looping pod is Running, and Ready for a moment after each restart; a namespace that does not exist lists no
pods. So one look proves nothing: readiness and restarts must be the same in two, the settle time apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from remediator.domain.json_reader import text_at, value_at
from remediator.domain.lifecycle import UNDECIDED, Observation
from remediator.domain.rhythm import least_quiet
from remediator.domain.sources import Workload, short, workload_of
from remediator.domain.times import format_duration, stamp
from remediator.domain.visibility import is_shown_by_pods
from remediator.errors import RemediatorError
from remediator.services.kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediator.domain.lifecycle import VerificationStatus
    from remediator.domain.ports import Clock
    from remediator.domain.sources import Rollout
    from remediator.services.kubernetes.client import Cluster
    from remediator.services.kubernetes.objects import Object

_MOST = 10
_HOPELESS = frozenset(
    {"CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "RunContainerError"}
)
_JOBS = frozenset({"Job", "CronJob"})
_RUNS_PODS = _JOBS | {
    "",
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
}
"""Kinds that need pods to be healthy; any other kind may own pods, and mostly does not."""


@dataclass(frozen=True)
class Finding:
    """A fact against recovery; `grave`: in new pods, or in old ones that had time enough."""

    summary: str
    grave: bool = False


@dataclass
class PodVerifier:
    """The `Verifier` port over pods; `rollouts`: read the workload even where Argo CD judges its rollout."""

    name: str
    cluster: Cluster
    now: Clock
    settle: timedelta
    rollouts: bool = True

    @property
    def promise(self) -> str:
        """The condition that holds on success."""
        return f"pods ready and steady for {format_duration(self.settle)}"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """Check the incident's workloads once."""
        now = self.now()
        workloads = list(dict.fromkeys(w for s in rollout.subjects if (w := self._checkable(workload_of(s)))))[:_MOST]
        if not workloads:
            neutral = {"neutral": "no workload is named"}
            return self._observation(now, "success", "the incident names no workload", neutral)
        mine = [observation for observation in earlier if observation.verifier == self.name]
        try:
            return self._check(now, workloads, rollout, mine)
        except RemediatorError as error:
            facts = dict(mine[-1].facts) if mine else {}
            return self._observation(now, "pending", str(error), facts)

    def forget(self) -> None:
        """Drop the cached lists."""
        self.cluster.forget()

    @staticmethod
    def _checkable(workload: Workload | None) -> Workload | None:
        if workload is None or workload.kind in {"Service", "Ingress", "Node", "Application", "Namespace"}:
            return None
        return workload.model_copy(update={"container": "", "pod": "" if workload.name else workload.pod})

    def _check(
        self, now: datetime, workloads: Sequence[Workload], rollout: Rollout, mine: Sequence[Observation]
    ) -> Observation:
        previous = mine[-1].facts if mine else {}
        at = stamp(now)
        pods: list[Object] = []
        findings: list[Finding] = []
        runs_pods = False
        patient = _older(previous.get("troubled_since", ""), now, 2 * self.settle)
        for workload in workloads:
            all_pods = self.cluster.pods(workload.namespace)
            its = newest_runs([pod for pod in all_pods if objects.belongs(pod, workload)], rollout.since)
            if not its and workload.kind not in _RUNS_PODS and (all_pods or self.cluster.namespace(workload.namespace)):
                continue
            runs_pods = True
            judged = not self.rollouts and rollout.applications
            waits = [] if judged and its else self._rolled_out(workload, its, rollout.merged_at)
            its = current(its)
            old = []
            if f"{workload.kind}/{workload.name}" in rollout.remade:
                old = [pod for pod in its if _created_at(pod) < rollout.merged_at]
            # What a pod itself says tells more than that it is counted as missing.
            for pod in its:
                findings += self._troubles(pod, rollout, patient=patient and pod not in old)
            findings += waits + _not_replaced(old)
            pods += its
        if not runs_pods:
            neutral = {"neutral": "nothing that runs pods is named"}
            return self._observation(now, "success", "the incident names nothing that runs pods", neutral)
        digest = hashlib.sha256("\n".join(sorted(map(objects.state, pods))).encode()).hexdigest()[:16]
        since = previous.get("since", at) if previous.get("pods") == digest else at
        facts = {"pods": digest, "since": since}
        if findings:
            facts["troubled_since"] = previous.get("troubled_since") or at
            failed = next((finding for finding in findings if finding.grave), None)
            status: Literal["failed", "pending"] = "failed" if failed else "pending"
            return self._observation(now, status, (failed or findings[0]).summary, facts)
        total = f"{len(pods)} pods ready" if len(pods) != 1 else "1 pod ready"
        summary = f"{total}, {sum(map(objects.restarts, pods))} restarts"
        quiet = least_quiet(self.settle, rollout.pause, rollout.diagnosis.category)
        if not _older(since, now, quiet):
            until = datetime.fromisoformat(since) + quiet
            summary = f"{summary}; to be seen unchanged at {until:%H:%M:%S} UTC"
            return self._observation(now, "pending", summary, {**facts, UNDECIDED: "yes"})
        if warning := self._recent_warning(workloads, pods, max(since, rollout.since)):
            return self._observation(now, "pending", warning, facts)
        if not is_shown_by_pods(rollout.diagnosis):
            facts["neutral"] = "its pods never showed it"
        return self._observation(now, "success", f"{summary}, unchanged since {since}", facts)

    def _rolled_out(self, workload: Workload, pods: Sequence[Object], merged_at: str) -> list[Finding]:
        """Return what the workload's status waits for; a deadline that passed before the merge is not the change's."""
        place = f"{workload.kind or 'pods of'} `{workload.name or workload.pod}` in `{workload.namespace}`"
        document = None
        if self.cluster.knows(workload.kind):
            document = self.cluster.workload(workload.kind, workload.namespace, workload.name)
        if document is None and not pods:
            return [Finding(self._absent(workload, place))]
        if document is None:
            return []
        status, replicas = value_at(document, "status") or {}, value_at(document, "spec", "replicas")
        desired = status.get("desiredNumberScheduled", 1) if workload.kind == "DaemonSet" else replicas
        desired = 1 if desired is None else desired
        if int(status.get("observedGeneration") or 0) < int(value_at(document, "metadata", "generation") or 0):
            return [Finding(f"{place}: its controller has not seen the change yet")]
        for condition in status.get("conditions") or ():
            if condition.get("reason") == "ProgressDeadlineExceeded":
                summary = f"{place} was not rolled out: {short(str(condition.get('message')), 200)}"
                at = text_at(condition, "lastUpdateTime")
                return [Finding(summary, grave=not at or at >= merged_at)]
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                return [Finding(f"{place} cannot make pods: {short(str(condition.get('message')), 200)}")]
        if value_at(document, "spec", "paused") is True:
            return [Finding(f"{place} is paused")]
        if desired == 0:
            return [Finding(f"{place} is scaled to 0: nothing runs that could be healthy")]
        fresh = status.get("updatedNumberScheduled" if workload.kind == "DaemonSet" else "updatedReplicas") or 0
        good = status.get("numberReady" if workload.kind == "DaemonSet" else "readyReplicas") or 0
        if fresh < desired or good < desired:
            return [Finding(f"{place}: {fresh} of {desired} updated, {good} ready")]
        return []

    def _absent(self, workload: Workload, place: str) -> str:
        """Return the finding where neither the workload nor a pod of it exists: that is never health."""
        if self.cluster.namespace(workload.namespace) is None:
            return f"namespace `{workload.namespace}` does not exist"
        if workload.kind in _JOBS:
            return f"{place} has not run since the merge"
        readable = self.cluster.knows(workload.kind)
        return f"{place}{' does not exist' if readable else ': there are none, and no pods are no health'}"

    def _troubles(self, pod: Object, rollout: Rollout, *, patient: bool) -> list[Finding]:
        """Return what is wrong with one pod; ends from before the change count only for newer pods."""
        name, findings = objects.name_of(pod), []
        new = text_at(pod, "metadata", "creationTimestamp") >= rollout.merged_at
        reasons = {item.reason for item in rollout.diagnosis.evidence} | {"OOMKilled"}
        for status in objects.containers(pod):
            container, count = text_at(status, "name"), int(status.get("restartCount") or 0)
            at, reason, code = objects.last_end(status)
            ended = f"; last ended {reason} ({code}) at {at}" if at else ""
            if waits := objects.why_not_running(status):
                message = short(text_at(status, "state", "waiting", "message"), 160)
                summary = f"`{name}`, container `{container}`: {waits}{f': {message}' if message else ''}{ended}"
                sure = waits in _HOPELESS and (waits != "CrashLoopBackOff" or count > 1)
                findings.append(Finding(summary, grave=(new and sure) or patient))
            elif at > (rollout.merged_at if new else rollout.since) and (
                reason in reasons or not _older(at, self.now(), self.settle)
            ):
                summary = f"`{name}`, container `{container}` was restarted{ended}; {count} restarts"
                findings.append(Finding(summary, grave=(new and reason in reasons and count > 1) or patient))
        if not findings and not objects.ready(pod):
            conditions = value_at(pod, "status", "conditions") or ()
            message = next(
                (str(c["message"]) for c in conditions if c.get("status") != "True" and c.get("message")), ""
            )
            findings.append(
                Finding(f"`{name}` is not ready{f': {short(message, 200)}' if message else ''}", grave=patient)
            )
        return findings

    def _recent_warning(self, workloads: Sequence[Workload], pods: Sequence[Object], since: str) -> str:
        """Return the newest warning about these objects since their last change."""
        names: dict[str, None] = dict.fromkeys(
            [*map(objects.name_of, pods), *(workload.name for workload in workloads if workload.name)]
        )
        for namespace in dict.fromkeys(workload.namespace for workload in workloads):
            for event in sorted(self.cluster.warnings(namespace), key=objects.moment_of, reverse=True):
                at = objects.moment_of(event)
                if at > since and event.get("type") == "Warning" and objects.regards(event, names):
                    about, message = text_at(event, "involvedObject", "name"), text_at(event, "message")
                    return f"`{about}` {text_at(event, 'reason')} at {at}: {short(message, 160)}"
        return ""

    def _observation(
        self, now: datetime, status: VerificationStatus, summary: str, facts: dict[str, str]
    ) -> Observation:
        return Observation(verifier=self.name, status=status, summary=summary, at=stamp(now), facts=facts)


def current(pods: Sequence[Object]) -> list[Object]:
    """Return the pods that will stay: not being deleted, not evicted, and of the newest template."""
    alive = [pod for pod in pods if not text_at(pod, "metadata", "deletionTimestamp")]
    alive = [pod for pod in alive if text_at(pod, "status", "reason") != "Evicted"]
    hashes = {_template(pod): text_at(pod, "metadata", "creationTimestamp") for pod in sorted(alive, key=_created_at)}
    if not hashes or "" in hashes:
        return alive
    newest = max(hashes, key=lambda template: hashes[template])
    return [pod for pod in alive if _template(pod) == newest]


def newest_runs(pods: Sequence[Object], since: str) -> list[Object]:
    """Return the pods without those of Jobs that ended before the change, and of later Jobs only the newest's.

    A Job keeps its failed pods as long as itself: they say nothing about a change that came after them.
    """
    relevant: list[Object] = []
    runs: dict[tuple[str, str], list[Object]] = {}
    for pod in pods:
        owner = objects.workload_of(pod)
        if owner[0] not in _JOBS:
            relevant.append(pod)
        elif _created_at(pod) >= since:
            runs.setdefault(owner, []).append(pod)
    for run in runs.values():
        newest = objects.owner_of(max(run, key=_created_at))
        last = [pod for pod in run if objects.owner_of(pod) == newest]
        succeeded = any(text_at(pod, "status", "phase") == "Succeeded" for pod in last)
        relevant += [pod for pod in last if not (succeeded and text_at(pod, "status", "phase") == "Failed")]
    return relevant


def _not_replaced(old: Sequence[Object]) -> list[Finding]:
    """Return a finding for each crashed pod from before the merge that its rollout has not replaced yet.

    One that never died may be as the change wants it, where a person had patched the workload by hand.
    """
    findings = []
    for pod in old:
        if dead := next((reason for at, reason, _ in map(objects.last_end, objects.containers(pod)) if at), ""):
            summary = (
                f"`{objects.name_of(pod)}` is older than the merge and died before it ({dead}): not rolled out yet"
            )
            findings.append(Finding(summary))
    return findings


def _template(pod: Object) -> str:
    return text_at(pod, "metadata", "labels", "pod-template-hash")


def _created_at(pod: Object) -> str:
    return text_at(pod, "metadata", "creationTimestamp")


def _older(at: str, now: datetime, age: timedelta) -> bool:
    try:
        return bool(at) and now - datetime.fromisoformat(at) >= age
    except ValueError:
        return False
