"""The metrics server's flag, in a manifest and in the values of its chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator import diagnosis, evidence, policy
from remediator.gitops import Repository
from remediator.remedies.engine.case import RemedyContext
from remediator.remedies.engine.prove import prove
from remediator.remedies.engine.targets import targets_of
from remediator.remedies.engine.unprovable import Unprovable
from remediator.remedies.probes.kubelet_tls import fix_kubelet_tls
from tests import git_repositories
from tests.unit.remedies.small_repository import application, log, propose, shop, workload

REFUSED = log(
    'E0511 21:57:06.607078 1 scraper.go:140] "Failed to scrape node" err="Get \\"https://10.0.0.4:10250/metrics/resource\\": x509: cannot validate '
    'certificate for 10.0.0.4 because it doesn\'t contain any IP SANs" node="worker-a"',
    pod="metrics-server-6467f65c76-z7t5v",
)
FLAG = "--kubelet-insecure-tls"


def server(*args: str, image: str = "registry.k8s.io/metrics-server/metrics-server:v0.7.2") -> dict[str, Any]:
    return workload({"image": image, "args": list(args)}, name="metrics-server")


def context(folder: Path, files: dict[str, str]) -> RemedyContext:
    """Return what the remedy is given where a policy switches it on."""
    policies = policy.load()
    action = policies.actions["fix_kubelet_tls"].model_copy(update={"enabled": True})
    policies = policies.model_copy(update={"actions": {**policies.actions, action.id: action}})
    scanner = evidence.Scanner([evidence.Pattern(name, text) for name, text in policies.catalogue.patterns()])
    statements = scanner.scan([evidence.text_input("log.txt", REFUSED)]).statements
    incident = diagnosis.classify(statements, policies.catalogue)[0]
    repository = Repository.open(git_repositories.repository(folder, files))
    return RemedyContext(incident, repository, policies, action, targets_of(incident, repository).matches)


def test_the_flag_goes_to_the_manifest(tmp_path: Path) -> None:
    case = context(tmp_path, shop(web=server("--cert-dir=/tmp", "--secure-port=10250")))
    assert [fix.edits[0].value for fix in fix_kubelet_tls(case)] == [FLAG]


def test_a_log_alone_does_not_bring_the_flag(tmp_path: Path) -> None:
    case = context(tmp_path, shop(web=server("--cert-dir=/tmp", "--secure-port=10250")))
    with pytest.raises(Unprovable, match="not changed on a log's word alone"):
        prove(case, next(fix_kubelet_tls(case)))


def test_the_flag_is_not_proposed_by_default(tmp_path: Path) -> None:
    assert propose(tmp_path, shop(web=server("--cert-dir=/tmp")), REFUSED).actions == []


@pytest.mark.parametrize(
    "body",
    [server("--cert-dir=/tmp", FLAG), server("--cert-dir=/tmp", image="example.com/scraper:1")],
    ids=["there-already", "another"],
)
def test_no_other_program_gets_it(tmp_path: Path, body: Any) -> None:
    assert propose(tmp_path, shop(web=body), REFUSED).actions == []


@pytest.mark.parametrize(
    ("values", "key"), [("replicas: 2\nargs: []\n", "args"), ("defaultArgs:\n  - --cert-dir=/tmp\n", "defaultArgs")]
)
def test_the_flag_goes_to_the_values_of_a_chart_that_lies_elsewhere(tmp_path: Path, values: str, key: str) -> None:
    body = application("metrics-server", "")
    body["spec"]["source"] = {
        "repoURL": "https://kubernetes-sigs.github.io/metrics-server/", "chart": "metrics-server", "targetRevision": "3.12.2", "helm": {"values": values},
    }  # fmt: skip
    case = context(tmp_path, {"apps/metrics.yaml": yaml.safe_dump(body, sort_keys=False)})
    assert [(fix.edits[0].inside, fix.edits[0].value) for fix in fix_kubelet_tls(case)] == [((key,), FLAG)]
