"""What fires now, as a source of incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediator.domain.sources import Reading, Workload, item_id
from remediator.services.alertmanager.client import document, firing, subject_of, workload_of_alert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from remediator.domain.sources import Question, Web


@dataclass
class AlertSource:
    """The `Source` port; a question about workloads keeps those alerts that name one of them."""

    name: str
    web: Web
    filters: Sequence[str] = ()
    receiver: str = ""

    def read(self, question: Question) -> Reading:
        """See the port."""
        alerts = firing(self.web, self.filters, self.receiver)
        if question.workloads:
            alerts = [alert for alert in alerts if any(_names(alert, one) for one in question.workloads)]
        ids = {item_id(str(a.get("fingerprint")), str(a.get("startsAt"))): a for a in alerts}
        kept = [alert for one, alert in ids.items() if one not in question.handled]
        return Reading(
            texts=((self.name, document(kept)),) if kept else (),
            items=len(kept),
            ids=tuple(ids),
            workloads=tuple(dict.fromkeys(found for alert in kept if (found := workload_of_alert(alert)))),
        )


def _names(alert: Mapping[str, Any], wanted: Workload) -> bool:
    found = subject_of(alert)
    if found.namespace != wanted.namespace or found.kind == "Node":
        return False
    return not wanted.name or found.name == wanted.name or bool(found.pod and found.pod == wanted.pod)
