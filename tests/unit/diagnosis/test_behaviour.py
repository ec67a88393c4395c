"""What a signal does beside others is data: one new category that yields, blames, storms, … each, and no Python."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from remediator import policy
from remediator.diagnosis import classify
from remediator.domain.incident import Channel, Diagnosis, Statement, Subject

Diagnose = Callable[..., tuple[Diagnosis, ...]]

LICENCE = {
    "title": "Licence expired",
    "severity": "critical",
    "priority": 90,
    "signals": [{"id": "licence_expired", "pattern": "licence has expired"}],
}
SLOW = {
    "title": "Slow start",
    "severity": "critical",
    "priority": 20,
    "signals": [{"id": "slow_start", "pattern": "start takes too long"}],
}


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    """Classify statements by the shipped policies and the categories given, in a policy folder of the test's own."""
    root = tmp_path / "policies"
    shutil.copytree(policy.shipped_root(), root)

    def run(categories: dict[str, dict[str, Any]], *statements: Statement) -> tuple[Diagnosis, ...]:
        for name, body in categories.items():
            (root / "categories" / f"{name}.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
        assert [str(problem) for problem in policy.check(root, root=root)] == []
        return classify(statements, policy.load(root=root).catalogue)

    return run


def statement(
    name: str, text: str, channel: Channel = "event", *, level: str = "", facts: dict[str, str] | None = None, **rest: str
) -> Statement:  # fmt: skip
    workload = {"namespace": "shop", "kind": "Deployment", "name": name, "pod": f"{name}-5d4f8c7b9-x2x4z", **rest}
    return Statement(
        source="log", line=1, channel=channel, text=text, level=level, facts=facts or {}, subject=Subject(**workload)
    )


def categories_of(diagnoses: tuple[Diagnosis, ...]) -> list[tuple[str, str]]:
    return [(diagnosis.category, diagnosis.subject.name) for diagnosis in diagnoses]


EXPIRED, STARTS_SLOWLY = statement("gateway", "licence has expired"), statement("basket", "start takes too long")
BOTH = [("licence", "gateway"), ("slow", "basket")]


@pytest.mark.parametrize(
    ("keys", "incidents"),
    [
        ({}, BOTH),
        ({"consequence": ["any"]}, BOTH[:1]),
        ({"consequence": ["licence_expired"]}, BOTH[:1]),
        ({"consequence": ["category:licence"]}, BOTH[:1]),
        ({"consequence": ["category:oom"]}, BOTH),
        ({"consequence": ["any"], "needs_mention": True}, BOTH),
    ],
)
def test_a_category_that_yields(diagnose: Diagnose, keys: dict[str, Any], incidents: list[tuple[str, str]]) -> None:
    for slow in (SLOW | keys, SLOW | {"signals": [SLOW["signals"][0] | keys]}):
        diagnoses = diagnose({"licence": LICENCE, "slow": slow}, EXPIRED, STARTS_SLOWLY)
        assert categories_of(diagnoses) == incidents


def test_a_category_that_yields_to_what_it_mentions(diagnose: Diagnose) -> None:
    slow = SLOW | {"consequence": ["any"], "needs_mention": True}
    mention = statement("basket", "start takes too long, waiting for gateway")
    assert categories_of(diagnose({"licence": LICENCE, "slow": slow}, EXPIRED, mention)) == BOTH[:1]


@pytest.mark.parametrize(
    ("blames", "text", "facts", "culprit"),
    [
        ("subject", "licence has expired at http://ledger:8080/", {}, ("Deployment", "gateway")),
        ("callee", "licence has expired at http://ledger:8080/", {}, ("Service", "ledger")),
        ("route", "licence has expired", {"ingress": "shop/front"}, ("Ingress", "front")),
    ],
)
def test_a_category_that_blames(
    diagnose: Diagnose, blames: str, text: str, facts: dict[str, str], culprit: tuple[str, str]
) -> None:
    (diagnosis,) = diagnose({"licence": LICENCE | {"blames": blames}}, statement("gateway", text, "log", facts=facts))
    assert (diagnosis.subject.kind, diagnosis.subject.name) == culprit


def test_a_category_that_blames_an_account(diagnose: Diagnose) -> None:
    facts = {"account": "robot", "namespace": "ci"}
    nobody = Statement(source="log", line=1, channel="log", text="licence has expired", subject=Subject(), facts=facts)
    (diagnosis,) = diagnose({"licence": LICENCE | {"blames": "account"}}, nobody)
    assert diagnosis.subject == Subject(namespace="ci", kind="ServiceAccount", name="robot")


@pytest.mark.parametrize(
    ("starts", "joins", "count"),
    [("none", "joins", 21), ("starts", "none", 21), ("starts", "joins", 1)],
)
def test_a_category_that_storms(diagnose: Diagnose, starts: str, joins: str, count: int) -> None:
    node = Subject(kind="Node", name="n1", node="n1")
    clock = Statement(source="log", line=1, channel="event", text="licence has expired", subject=node)
    shaken = [
        statement(f"app-{number}", "start takes too long", namespace=f"team-{number}", node="n1")
        for number in range(20)
    ]
    categories = {"licence": LICENCE | {"storm": starts}, "slow": SLOW | {"storm": joins}}
    diagnoses = diagnose(categories, clock, *shaken)
    assert len(diagnoses) == count
    assert diagnoses[0].category == "licence"
    assert len(diagnoses[0].victims) == (20 if count == 1 else 0)


@pytest.mark.parametrize(("calm", "signals"), [(True, {"licence_expired"}), (False, {"licence_expired", "all_well"})])
def test_a_category_that_is_calm(diagnose: Diagnose, calm: bool, signals: set[str]) -> None:
    well = {
        "title": "All well",
        "severity": "info",
        "calm": calm,
        "signals": [{"id": "all_well", "pattern": "all is well", "role": "hint"}],
    }
    (diagnosis,) = diagnose({"licence": LICENCE, "well": well}, EXPIRED, statement("basket", "all is well"))
    assert {piece.signal for piece in diagnosis.evidence} == signals


@pytest.mark.parametrize(("transient", "category"), [(True, "info"), (False, "licence")])
def test_a_category_that_passes(diagnose: Diagnose, transient: bool, category: str) -> None:
    ready = statement("gateway", "Pod: ready 1/1, status Running", "status", facts={"ready": "1/1"})
    (diagnosis,) = diagnose({"licence": LICENCE | {"transient": transient}}, EXPIRED, ready)
    assert diagnosis.category == category


@pytest.mark.parametrize(("follows", "severity"), [("none", "warning"), ("alert", "critical")])
def test_a_category_whose_severity_an_alert_tells(diagnose: Diagnose, follows: str, severity: str) -> None:
    licence = LICENCE | {"severity": "warning", "severity_follows": follows}
    (diagnosis,) = diagnose(
        {"licence": licence}, statement("gateway", "licence has expired", "alert", level="critical")
    )
    assert diagnosis.severity == severity


@pytest.mark.parametrize(
    ("shipped", "health", "severity"),
    [("warning", "Degraded", "critical"), ("warning", "Healthy", "warning"), ("critical", "Healthy", "warning")],
)
def test_a_category_whose_severity_the_live_state_tells(
    diagnose: Diagnose, shipped: str, health: str, severity: str
) -> None:
    application = Subject(application="shop", kind="Application", name="shop", namespace="argocd")
    live = Statement(
        source="log", line=1, channel="sync", text="licence has expired", subject=application, facts={"health": health}
    )
    licence = LICENCE | {"severity": shipped, "severity_follows": "live_state"}
    (diagnosis,) = diagnose({"licence": licence}, live)
    assert diagnosis.severity == severity


def test_no_code_of_diagnosis_names_a_signal() -> None:
    package = Path(policy.__file__).parents[1] / "diagnosis"
    code = "\n".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    names = policy.load().catalogue.signal_owner
    assert [name for name in names if f'"{name}"' in code or f"'{name}'" in code] == []
