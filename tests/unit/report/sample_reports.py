"""Reports as the graph would make them, for the golden files."""

from __future__ import annotations

from remediator.domain.change import Place, Proposal
from remediator.domain.incident import Diagnosis, Evidence, Subject
from remediator.domain.lifecycle import SecondReading
from remediator.report import Diff, IncidentReport, unified_diff

VALUES = b"""# shop, production
image:
  tag: 1.4.2
resources:
  limits:
    memory: 256Mi  # keep in step with the JVM's -Xmx
  requests:
    memory: 256Mi
"""

POD = Subject(
    application="checkout-prod", namespace="shop-prod", kind="Deployment", name="checkout", container="checkout"
)

EVIDENCE = (
    Evidence(
        id="E1",
        signal="oom_killed",
        category="oom",
        source="describe.txt",
        line=41,
        channel="status",
        subject=POD,
        reason="OOMKilled",
        text="Last State: Terminated\n  Reason: OOMKilled\n  Exit Code: 137",
        speaker="api",
        count=14,
        first_seen="2026-03-04T09:41:00Z",
        last_seen="2026-03-04T10:02:00Z",
    ),
    Evidence(
        id="E2",
        signal="usage_at_limit",
        category="oom",
        source="top.txt",
        line=3,
        channel="status",
        subject=POD,
        text="checkout-6d5f7c 212m 255Mi",
    ),
)

ROLL_BACK = Proposal(
    id="roll_back_value",
    action="roll_back_value",
    title="raise memory limit of `checkout` from 256Mi to 512Mi",
    parameters={"to": "512Mi"},
    reason="This restores 512Mi, which held for 61 days",
    evidence_ids=("E1", "E2"),
    places=(
        Place(
            file="apps/checkout/values-prod.yaml",
            path=("resources", "limits", "memory"),
            value="256Mi",
            proof="proved",
            why="proved: a canary set there arrives in container `checkout` of Deployment `checkout`, nowhere else",
        ),
    ),
    risk="low",
    score=0.9,
    rendered=("checkout-prod: Deployment/checkout spec…limits.memory: 256Mi → 512Mi",),
    history=(
        'a1b2c3d ("Trim limits", 2 days before the incident) changed it from 512Mi to 256Mi',
        '0f9e8d7 ("Size for the sale", 63 days before) changed it from 384Mi to 512Mi',
    ),
    policy=("within `raise_memory` (≤ 2 ×, ≤ 2Gi)",),
)
RAISE = Proposal(
    id="raise_memory",
    action="raise_memory",
    title="raise memory limit of `checkout` from 256Mi to 384Mi",
    reason="1.5 × the limit",
    evidence_ids=("E1",),
    score=0.6,
)

OOM = IncidentReport(
    incident_id="inc-3f9a2c-1",
    diagnosis=Diagnosis(
        category="oom",
        severity="critical",
        subject=POD,
        summary="`checkout` in `shop-prod` was OOMKilled 14 times since 09:41 UTC",
        evidence=EVIDENCE,
    ),
    proposal=ROLL_BACK,
    alternatives=(ROLL_BACK, RAISE),
    policy=("no merge by itself: critical",),
    verification="Argo CD synced to the merge, pods stable for 5 min; the result is posted here as a comment",
    diffs=(
        Diff(
            name="apps/checkout/values-prod.yaml",
            text=unified_diff(
                "apps/checkout/values-prod.yaml", VALUES, VALUES.replace(b"256Mi  #", b"512Mi  #"), context=2
            ),
        ),
    ),
    now="2026-03-04T10:05:00Z",
    version="0.1.0",
    branch="remediator/inc-3f9a2c-1",
    base="main",
)

LOCAL = OOM.model_copy(update={"reply_by": "command", "verification": ""})

SECOND = OOM.model_copy(
    update={
        "attempt": 2,
        "sightings": 4,
        "last_seen": "2026-03-04T10:02:00Z",
        "reading": SecondReading(
            model="gpt-oss:20b", note="The limit was *lowered*.\nSee https://evil.example and ask @admin"
        ),
        "also_feeds": ("checkout-staging",),
        "proposal": ROLL_BACK.model_copy(update={"rendered": ()}),
        "rendered_note": "helm is not on the PATH",
    }
)

TWICE = OOM.model_copy(
    update={
        "diagnosis": OOM.diagnosis.model_copy(
            update={"evidence": (EVIDENCE[0], EVIDENCE[0].model_copy(update={"id": "E3", "signal": "other"}))}
        )
    }
)

REFUSED = IncidentReport(
    incident_id="inc-77aa01-1",
    diagnosis=Diagnosis(
        category="image_pull_error",
        severity="critical",
        subject=Subject(application="crw", namespace="crw", kind="Deployment", name="crw"),
        summary="cannot pull `quay.io/eclipse/crw` — 401 UNAUTHORIZED",
        evidence=(
            Evidence(
                id="E1",
                signal="unauthorized",
                category="image_pull_error",
                source="events.txt",
                line=7,
                channel="event",
                subject=Subject(pod="crw-5c9"),
                reason="Failed",
                speaker="kubelet",
                text='Failed to pull image "quay.io/eclipse/crw": unauthorized',
            ),
        ),
    ),
    reason=(
        "The registry refuses the credentials of secret `crw-pull` (E1). The reference in "
        "`apps/crw/deployment.yaml` is unchanged for 44 days, so no edit of this repository ends this"
    ),
    look_at=("the secret's age", "the registry's status"),
    now="2026-03-04T10:05:00Z",
)

CALM = IncidentReport(
    incident_id="inc-000000-1",
    diagnosis=Diagnosis(category="info", severity="info", subject=Subject(), summary="nothing wrong was recognised"),
    reason="no signal of any category was found",
)
