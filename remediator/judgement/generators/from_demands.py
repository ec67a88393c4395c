"""Hypotheses from messages that say what they want: the value that is asked for, at the one place that is meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from remediator.judgement.demands.admission import admission_maximum
from remediator.judgement.demands.architecture import architecture_of_image
from remediator.judgement.demands.demand import Demand, DemandReader
from remediator.judgement.demands.dry_runs import dry_run_of_a_later_kind
from remediator.judgement.demands.hardening import privilege_escalation
from remediator.judgement.demands.kustomize_entries import bare_kustomize_entries
from remediator.judgement.demands.live_values import live_value_of_immutable_field
from remediator.judgement.demands.ranges import number_in_range
from remediator.judgement.demands.service_links import service_link
from remediator.judgement.demands.service_ports import refused_service_port
from remediator.judgement.demands.volume_growth import claim_may_grow
from remediator.judgement.hypothesis import Hypothesis
from remediator.judgement.inquiry import Inquiry
from remediator.remedies.engine.case import Fix

ACTION = "meet_demand"
READERS: Sequence[DemandReader] = (
    admission_maximum,
    architecture_of_image,
    bare_kustomize_entries,
    claim_may_grow,
    dry_run_of_a_later_kind,
    live_value_of_immutable_field,
    number_in_range,
    privilege_escalation,
    refused_service_port,
    service_link,
)


def from_demands(inquiry: Inquiry) -> Iterator[Hypothesis]:
    """Yield one hypothesis for each value that a message asks for, equal ones once."""
    titles = set()
    for reader in READERS:
        for demand in reader(inquiry):
            if (demand.rule, demand.title) not in titles:
                titles.add((demand.rule, demand.title))
                yield _hypothesis(demand)


def _hypothesis(demand: Demand) -> Hypothesis:
    return Hypothesis(
        generator="demands",
        rule=demand.rule,
        action=ACTION,
        cause=demand.reason,
        fix=Fix(
            title=demand.title,
            reason=demand.reason,
            evidence=demand.evidence,
            wants=demand.wants,
            edits=demand.edits,
            places=demand.places,
            applications=demand.applications,
            score=demand.sure,
        ),
        predicts=demand.predicts,
        words=demand.words,
        features={"value_sure": demand.sure, "on_culprit": 1.0},
    )
