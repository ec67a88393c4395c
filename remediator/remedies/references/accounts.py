"""ServiceAccounts that do not exist: name the one that the workload must mean.

An account that is only nearly right gives other permissions, so one is chosen only where no second one fits.
"""

from __future__ import annotations

from collections.abc import Iterator

from remediator.gitops import Match
from remediator.remedies.engine.acceptable_values import different_value
from remediator.remedies.engine.case import Fix, RemedyContext, Want
from remediator.remedies.engine.intended_name import intended_name


def fix_service_account(case: RemedyContext) -> Iterator[Fix]:
    """Name a ServiceAccount that exists instead of the missing one."""
    for evidence in case.signals("service_account_not_found"):
        missing = evidence.facts.get("missing", "")
        for target in case.targets:
            pod = target.manifest.pod_spec()
            if pod is None or pod[0].get("serviceAccountName") != missing:
                continue
            accounts = [manifest.name for manifest in case.namespace_objects(target, "ServiceAccount")]
            if missing in accounts:
                continue  # the repository has it: the cluster will get it with the next sync
            new, why = _account_for(case, target, missing, accounts)
            yield Fix(
                title=f"run `{target.manifest.name}` as ServiceAccount `{new}` instead of `{missing}`",
                reason=f"ServiceAccount `{missing}` is not defined in this repository; {why}",
                evidence=case.cite(evidence),
                wants=(Want.of(target, (*pod[1], "serviceAccountName"), new or missing),),
                parameters={"from": missing, "to": new},
                score=0.8 if new else 0.0,
                accepts=different_value(missing, among=["default", *accounts], absent=True),
            )


def _account_for(case: RemedyContext, target: Match, missing: str, accounts: list[str]) -> tuple[str, str]:
    new, why = intended_name(case, missing, accounts)
    if new:
        return new, why
    if target.manifest.name in accounts:
        return target.manifest.name, "the account with the name of the workload exists."
    used = {
        str(pod[0].get("serviceAccountName"))
        for manifest in case.namespace_objects(target)
        if (pod := manifest.pod_spec())
    }
    unused = {account.name for account in case.siblings(target.application) if account.kind == "ServiceAccount"} - used
    if len(unused) == 1:
        only = next(iter(unused))
        return only, f"`{only}` is the only account of this Application that no workload uses."
    return "", "no account in the namespace is clearly the right one."
