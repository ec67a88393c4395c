"""Whether the workloads of an incident have rolled out and settled.

A crash-looping pod is Running, and Ready for a moment after each restart; a namespace that does not exist lists no
pods. So one look proves nothing: readiness and restarts must be the same in two, the settle time apart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from remediator.domain.json_reader import text_at, value_at
from remediator.domain.lifecycle import Observation
from remediator.domain.sources import Workload, short, workload_of
from remediator.domain.times import format_duration, stamp
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
"""Kinds without whose pods there is no health; any other kind may own pods, and mostly does not."""


@dataclass(frozen=True)
class Finding:
    """Something that speaks against recovery; `grave`: new pods, or old ones that had time enough."""

    what: str
    grave: bool = False


@dataclass
class PodVerifier:
    """The `Verifier` port over pods; `rollouts`: ask for the workload even where Argo CD judges its rollout."""

    name: str
    cluster: Cluster
    now: Clock
    settle: timedelta
    rollouts: bool = True

    @property
    def promise(self) -> str:
        """See the port."""
        return f"pods ready and steady for {format_duration(self.settle)}"

    def observe(self, rollout: Rollout, earlier: Sequence[Observation]) -> Observation:
        """See the port."""
        now = self.now()
        wanted = list(dict.fromkeys(w for s in rollout.subjects if (w := self._judged(workload_of(s)))))[:_MOST]
        if not wanted:
            neutral = {"neutral": "no workload is named"}
            return self._say(now, "success", "the incident names no workload", neutral)
        mine = [one for one in earlier if one.verifier == self.name]
        try:
            return self._look(now, wanted, rollout, mine)
        except RemediatorError as error:
            kept = dict(mine[-1].facts) if mine else {}
            return self._say(now, "pending", str(error), kept)

    def forget(self) -> None:
        """See the port."""
        self.cluster.forget()

    @staticmethod
    def _judged(workload: Workload | None) -> Workload | None:
        if workload is None or workload.kind in {"Service", "Ingress", "Node", "Application", "Namespace"}:
            return None
        return workload.model_copy(update={"container": "", "pod": "" if workload.name else workload.pod})

    def _look(
        self, now: datetime, wanted: Sequence[Workload], rollout: Rollout, mine: Sequence[Observation]
    ) -> Observation:
        before = mine[-1].facts if mine else {}
        at = stamp(now)
        pods: list[Object] = []
        findings: list[Finding] = []
        told = False
        patient = _older(before.get("troubled_since", ""), now, 2 * self.settle)
        for workload in wanted:
            all_pods = self.cluster.pods(workload.namespace)
            its = newest_runs([pod for pod in all_pods if objects.belongs(pod, workload)], rollout.since)
            if not its and workload.kind not in _RUNS_PODS and (all_pods or self.cluster.namespace(workload.namespace)):
                continue
            told = True
            judged = not self.rollouts and rollout.applications
            waits = [] if judged and its else self._rolled_out(workload, its, rollout.merged_at)
            its = current(its)
            old = []
            if f"{workload.kind}/{workload.name}" in rollout.remade:
                old = [pod for pod in its if _made(pod) < rollout.merged_at]
            # What a pod itself says tells more than that it is counted as missing.
            for pod in its:
                findings += self._troubles(pod, rollout, patient=patient and pod not in old)
            findings += waits + _left(old)
            pods += its
        if not told:
            neutral = {"neutral": "nothing that runs pods is named"}
            return self._say(now, "success", "the incident names nothing that runs pods", neutral)
        digest = hashlib.sha256("\n".join(sorted(map(objects.state, pods))).encode()).hexdigest()[:16]
        since = before.get("since", at) if before.get("pods") == digest else at
        facts = {"pods": digest, "since": since}
        if findings:
            facts["troubled_since"] = before.get("troubled_since") or at
            failed = next((one for one in findings if one.grave), None)
            status: Literal["failed", "pending"] = "failed" if failed else "pending"
            return self._say(now, status, (failed or findings[0]).what, facts)
        total = f"{len(pods)} pods ready" if len(pods) != 1 else "1 pod ready"
        said = f"{total}, {sum(map(objects.restarts, pods))} restarts"
        if not _older(since, now, self.settle):
            until = datetime.fromisoformat(since) + self.settle
            return self._say(now, "pending", f"{said}; to be seen unchanged at {until:%H:%M:%S} UTC", facts)
        if loud := self._loud(wanted, pods, max(since, rollout.since)):
            return self._say(now, "pending", loud, facts)
        return self._say(now, "success", f"{said}, unchanged since {since}", facts)

    def _rolled_out(self, workload: Workload, pods: Sequence[Object], merged_at: str) -> list[Finding]:
        """What the workload's own status still waits for; time that ran out before the merge is not the change's."""
        place = f"{workload.kind or 'pods of'} `{workload.name or workload.pod}` in `{workload.namespace}`"
        found = None
        if self.cluster.knows(workload.kind):
            found = self.cluster.workload(workload.kind, workload.namespace, workload.name)
        if found is None and not pods:
            return [Finding(self._absent(workload, place))]
        if found is None:
            return []
        status, replicas = value_at(found, "status") or {}, value_at(found, "spec", "replicas")
        wanted = status.get("desiredNumberScheduled", 1) if workload.kind == "DaemonSet" else replicas
        wanted = 1 if wanted is None else wanted
        if int(status.get("observedGeneration") or 0) < int(value_at(found, "metadata", "generation") or 0):
            return [Finding(f"{place}: its controller has not seen the change yet")]
        for condition in status.get("conditions") or ():
            if condition.get("reason") == "ProgressDeadlineExceeded":
                said = f"{place} was not rolled out: {short(str(condition.get('message')), 200)}"
                at = text_at(condition, "lastUpdateTime")
                return [Finding(said, grave=not at or at >= merged_at)]
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                return [Finding(f"{place} cannot make pods: {short(str(condition.get('message')), 200)}")]
        if value_at(found, "spec", "paused") is True:
            return [Finding(f"{place} is paused")]
        if wanted == 0:
            return [Finding(f"{place} is scaled to 0: nothing runs that could be healthy")]
        fresh = status.get("updatedNumberScheduled" if workload.kind == "DaemonSet" else "updatedReplicas") or 0
        good = status.get("numberReady" if workload.kind == "DaemonSet" else "readyReplicas") or 0
        if fresh < wanted or good < wanted:
            return [Finding(f"{place}: {fresh} of {wanted} updated, {good} ready")]
        return []

    def _absent(self, workload: Workload, place: str) -> str:
        """What it means that there is neither the workload nor a pod of it: never health."""
        if self.cluster.namespace(workload.namespace) is None:
            return f"namespace `{workload.namespace}` does not exist"
        if workload.kind in _JOBS:
            return f"{place} has not run since the merge"
        known = self.cluster.knows(workload.kind)
        return f"{place}{' does not exist' if known else ': there are none, and no pods are no health'}"

    def _troubles(self, pod: Object, rollout: Rollout, *, patient: bool) -> list[Finding]:
        """What is wrong with one pod; ends before the change was there count for nothing, but for a newer pod's."""
        name, found = objects.name_of(pod), []
        new = text_at(pod, "metadata", "creationTimestamp") >= rollout.merged_at
        reasons = {item.reason for item in rollout.diagnosis.evidence} | {"OOMKilled"}
        for status in objects.containers(pod):
            container, count = text_at(status, "name"), int(status.get("restartCount") or 0)
            at, reason, code = objects.last_end(status)
            ended = f"; last ended {reason} ({code}) at {at}" if at else ""
            if waits := objects.why_not_running(status):
                said = short(text_at(status, "state", "waiting", "message"), 160)
                what = f"`{name}`, container `{container}`: {waits}{f': {said}' if said else ''}{ended}"
                sure = waits in _HOPELESS and (waits != "CrashLoopBackOff" or count > 1)
                found.append(Finding(what, grave=(new and sure) or patient))
            elif at > (rollout.merged_at if new else rollout.since) and (
                reason in reasons or not _older(at, self.now(), self.settle)
            ):
                what = f"`{name}`, container `{container}` was restarted{ended}; {count} restarts"
                found.append(Finding(what, grave=(new and reason in reasons and count > 1) or patient))
        if not found and not objects.ready(pod):
            conditions = value_at(pod, "status", "conditions") or ()
            said = next((str(c["message"]) for c in conditions if c.get("status") != "True" and c.get("message")), "")
            found.append(Finding(f"`{name}` is not ready{f': {short(said, 200)}' if said else ''}", grave=patient))
        return found

    def _loud(self, wanted: Sequence[Workload], pods: Sequence[Object], since: str) -> str:
        """The newest warning about these objects since they stand as they do."""
        names: dict[str, None] = dict.fromkeys([*map(objects.name_of, pods), *(one.name for one in wanted if one.name)])
        for namespace in dict.fromkeys(one.namespace for one in wanted):
            for event in sorted(self.cluster.warnings(namespace), key=objects.moment_of, reverse=True):
                at = objects.moment_of(event)
                if at > since and event.get("type") == "Warning" and objects.regards(event, names):
                    about, said = text_at(event, "involvedObject", "name"), text_at(event, "message")
                    return f"`{about}` {text_at(event, 'reason')} at {at}: {short(said, 160)}"
        return ""

    def _say(self, now: datetime, status: VerificationStatus, summary: str, facts: dict[str, str]) -> Observation:
        return Observation(verifier=self.name, status=status, summary=summary, at=stamp(now), facts=facts)


def current(pods: Sequence[Object]) -> list[Object]:
    """Pods that are to stay: not being deleted, not finished ones of a Deployment, and of the newest template."""
    alive = [pod for pod in pods if not text_at(pod, "metadata", "deletionTimestamp")]
    alive = [pod for pod in alive if text_at(pod, "status", "reason") != "Evicted"]
    hashes = {_template(pod): text_at(pod, "metadata", "creationTimestamp") for pod in sorted(alive, key=_made)}
    if not hashes or "" in hashes:
        return alive
    newest = max(hashes, key=lambda one: hashes[one])
    return [pod for pod in alive if _template(pod) == newest]


def newest_runs(pods: Sequence[Object], since: str) -> list[Object]:
    """Without what Jobs left behind before the change, and of those since only the newest's, and not its vain tries.

    A Job keeps its failed pods as long as itself: they say nothing about a change that came after them.
    """
    kept: list[Object] = []
    runs: dict[tuple[str, str], list[Object]] = {}
    for pod in pods:
        owner = objects.workload_of(pod)
        if owner[0] not in _JOBS:
            kept.append(pod)
        elif _made(pod) >= since:
            runs.setdefault(owner, []).append(pod)
    for run in runs.values():
        newest = objects.owner_of(max(run, key=_made))
        last = [pod for pod in run if objects.owner_of(pod) == newest]
        done = any(text_at(pod, "status", "phase") == "Succeeded" for pod in last)
        kept += [pod for pod in last if not (done and text_at(pod, "status", "phase") == "Failed")]
    return kept


def _left(old: Sequence[Object]) -> list[Finding]:
    """Pods from before the merge that died, of a workload whose pods the merge makes anew: it has not come to them.

    One that never died may be as the change wants it, where a person had patched the workload by hand.
    """
    found = []
    for pod in old:
        if dead := next((reason for at, reason, _ in map(objects.last_end, objects.containers(pod)) if at), ""):
            what = f"`{objects.name_of(pod)}` is older than the merge and died before it ({dead}): not rolled out yet"
            found.append(Finding(what))
    return found


def _template(pod: Object) -> str:
    return text_at(pod, "metadata", "labels", "pod-template-hash")


def _made(pod: Object) -> str:
    return text_at(pod, "metadata", "creationTimestamp")


def _older(at: str, now: datetime, age: timedelta) -> bool:
    try:
        return bool(at) and now - datetime.fromisoformat(at) >= age
    except ValueError:
        return False
