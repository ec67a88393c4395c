"""An incident with a merged change, as verifiers are asked about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from remediator.domain.change import PullRequest
from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.domain.sources import Rollout

MERGED = "2026-11-22T12:40:00Z"
COMMIT = "9e8d7c6b5a49382716051a2b3c4d5e6f70819203"


def rollout(**fields: Any) -> Rollout:
    """checkout in shop was OOMKilled; its limit was raised and merged."""
    subject = Subject(namespace="shop", kind="Deployment", name="checkout", container="app", application="checkout")
    subject = subject.model_copy(update=fields.pop("subject", {}))
    evidence = Evidence(
        id="E1",
        signal=fields.pop("signal", "oom_killed"),
        category="oom",
        source="log.txt",
        line=3,
        channel=fields.pop("channel", "status"),
        subject=subject,
        reason=fields.pop("reason", "OOMKilled"),
        text=fields.pop("text", "Last State: Terminated"),
        facts=fields.pop("facts", {}),
    )
    diagnosis = Diagnosis(category="oom", severity="critical", subject=subject, summary="s", evidence=(evidence,))
    pull = PullRequest(branch="remediator/x-1", base="main", title="t", body="b", state="merged", merge_commit=COMMIT)
    values = {"diagnosis": diagnosis, "pull_request": pull, "applications": ("checkout",), "merged_at": MERGED}
    values["pause"] = timedelta(milliseconds=1)  # its rhythm is known, so that the settle time alone counts
    return Rollout.model_validate(values | fields)
