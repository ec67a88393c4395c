"""Statements that name nobody belong to the one workload that is failing; with two of them, or none, they stay nameless."""

from __future__ import annotations

import pytest

from tests.unit.evidence.scanning import statements

ROWS = """\
$ kubectl get pods -n shop
NAME                   READY   STATUS             RESTARTS      AGE
api-5d7b9c6f8b-qq8zd   1/1     Running            0             9d
web-7c9d8b6f5d-4xk2p   0/1     CrashLoopBackOff   6 (71s ago)   7m
"""
LOG = """\

level=info msg="reading settings"
level=error msg="failed to start: denied"
"""
CUT = """\
Containers:
  web:
    Image:          registry.example.com/shop/web:1.4.2
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Limits:
      memory:  128Mi
"""
EVENTS = """\
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Warning  BackOff  63s (x8 over 18m)  kubelet  Back-off restarting failed container web in pod web-7c9d8b6f5d-4xk2p_shop(5a1e3b07-3c04-4c52-9a2b-6f6ff0a3f1bb)
"""


def named(text: str, words: str) -> list[tuple[str, str, str]]:
    return [(s.subject.namespace, s.subject.kind, s.subject.name) for s in statements(text) if words in s.text]


def test_a_log_without_its_command_is_the_log_of_the_failing_workload() -> None:
    (line,) = [s for s in statements(ROWS + LOG) if "denied" in s.text]
    assert (line.subject.kind, line.subject.name, line.subject.namespace) == ("Deployment", "web", "shop")
    assert (line.channel, line.speaker) == ("log", "log:web")


@pytest.mark.parametrize(
    "rows",
    [
        ROWS.replace("1/1     Running         ", "0/1     Error           "),
        ROWS.replace("0/1     CrashLoopBackOff", "1/1     Running         "),
    ],
)
def test_with_two_in_trouble_or_none_a_log_stays_nameless(rows: str) -> None:
    assert named(rows + LOG, "denied") == [("shop", "", "")]


def test_a_line_about_another_workload_of_the_input_stays_nameless() -> None:
    assert named(ROWS + LOG.replace("denied", "api is denied"), "denied") == [("shop", "", "")]


def test_prose_is_not_taken_for_a_log() -> None:
    assert named("Who failed the deployment of yesterday?\n\n" + ROWS, "yesterday") == [("", "", "")]


def test_a_describe_without_its_head_is_about_the_pod_of_its_events() -> None:
    states = [s for s in statements(CUT + EVENTS) if s.channel == "status"]
    assert [(s.reason, s.subject.pod, s.subject.container) for s in states] == [
        ("CrashLoopBackOff", "web-7c9d8b6f5d-4xk2p", "web"),
        ("OOMKilled", "web-7c9d8b6f5d-4xk2p", "web"),
    ]
    assert states[1].facts["memory_limit"] == "128Mi"


def test_a_describe_cut_inside_a_container_keeps_what_is_left() -> None:
    inside = "\n".join(CUT.splitlines()[3:]) + "\n"
    states = [s for s in statements(inside + EVENTS) if s.channel == "status"]
    assert [(s.reason, s.subject.container) for s in states] == [("CrashLoopBackOff", "web"), ("OOMKilled", "web")]


def test_without_a_name_anywhere_it_is_about_the_failing_workload() -> None:
    oom = next(s for s in statements(ROWS + "\n" + CUT) if s.reason == "OOMKilled")
    assert (oom.subject.kind, oom.subject.name, oom.subject.container) == ("Deployment", "web", "web")


def test_a_refused_pod_without_a_suffix_names_the_workload_that_makes_it() -> None:
    (event,) = statements(
        "Events:\n  Type     Reason        Age   From                   Message\n"
        '  Warning  FailedCreate  3m    replicaset-controller  Error creating: pods "web-5d5f77d5d4-" is forbidden: no PriorityClass with name high was found\n'
    )
    assert (event.subject.kind, event.subject.name) == ("Deployment", "web")


TWO = """\
$ kubectl get pods -n shop
NAME                   READY   STATUS             RESTARTS      AGE
orders-mariadb-0       0/1     CrashLoopBackOff   9 (11s ago)   27m
web-7c9d8b6f5d-4xk2p   0/1     CrashLoopBackOff   6 (71s ago)   7m
"""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("2026-03-02 9:11:11 0 [ERROR] mariadbd: unknown variable 'colour=red'", "orders-mariadb"),
        ("2026-03-02 9:11:11 0 [ERROR] unknown variable 'colour=red'", ""),
        ("2026-03-02 9:11:11 0 [ERROR] the mariadb of orders and web: unknown variable 'colour=red'", ""),
    ],
)
def test_of_two_in_trouble_the_log_is_of_the_one_whose_program_it_names(line: str, name: str) -> None:
    assert {s.subject.name for s in statements(f"{TWO}\n{line}\n") if "colour" in s.text} == {name}
