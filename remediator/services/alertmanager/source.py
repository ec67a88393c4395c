"""Firing alerts as a source of incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.sources import Reading, Workload, item_id
from remediator.services.alertmanager.client import firing, subject_of, with_origin, workload_of_alert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.sources import Question, Web


@dataclass
class AlertSource:
    """The `EvidenceSource` port; a question about workloads selects the alerts that name one of them."""

    name: str
    web: Web
    filters: Sequence[str] = ()
    receiver: str = ""

    def read(self, question: Question) -> Reading:
        """Return the firing alerts that answer the question."""
        alerts = firing(self.web, self.filters, self.receiver)
        if question.workloads:
            alerts = [alert for alert in alerts if any(_names(alert, workload) for workload in question.workloads)]
        ids = {item_id(str(a.get("fingerprint")), str(a.get("startsAt"))): a for a in alerts}
        new_alerts = [alert for alert_id, alert in ids.items() if alert_id not in question.handled]
        return Reading(
            documents=((self.name, with_origin(new_alerts)),) if new_alerts else (),
            items=len(new_alerts),
            ids=tuple(ids),
            workloads=tuple(dict.fromkeys(workload for alert in new_alerts if (workload := workload_of_alert(alert)))),
        )


def _names(alert: Mapping[str, Any], workload: Workload) -> bool:
    subject = subject_of(alert)
    if subject.namespace != workload.namespace or subject.kind == "Node":
        return False
    return not workload.name or subject.name == workload.name or bool(subject.pod and subject.pod == workload.pod)
