"""Listings of listening sockets and of git's refs: what a person looked up by hand."""

from __future__ import annotations

import pytest

from tests.unit.evidence.scanning import statements

LISTINGS = {
    "netstat": """\
Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 0.0.0.0:8081            0.0.0.0:*               LISTEN      1/ledger
tcp        0      0 127.0.0.1:6060          0.0.0.0:*               LISTEN      1/ledger
tcp6       0      0 :::9100                 :::*                    LISTEN      1/ledger
""",
    "netstat rows": """\
tcp        0      0 127.0.0.1:6060          0.0.0.0:*               LISTEN
tcp        0      0 10.0.0.3:8081           10.0.0.9:41234          ESTABLISHED
tcp6       0      0 :::8081                 :::*                    LISTEN
tcp6       0      0 :::9100                 :::*                    LISTEN
""",
    "ss": """\
State    Recv-Q   Send-Q     Local Address:Port     Peer Address:Port  Process
LISTEN   0        4096             0.0.0.0:8081          0.0.0.0:*
LISTEN   0        4096           127.0.0.1:6060          0.0.0.0:*
LISTEN   0        4096                [::]:9100             [::]:*
""",
    "lsof": """\
COMMAND PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME
ledger    1 root    7u  IPv4  48210      0t0  TCP *:8081 (LISTEN)
ledger    1 root    8u  IPv4  48211      0t0  TCP 127.0.0.1:6060 (LISTEN)
ledger    1 root    9u  IPv6  48212      0t0  TCP *:9100 (LISTEN)
""",
    "/proc/net/tcp": """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48210 1
   1: 0100007F:17AC 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48211 1
   2: 00000000:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48212 1
   3: 0300000A:1F91 0900000A:A112 01 00000000:00000000 00:00000000 00000000  1000        0 48213 1
""",
}


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_tells_the_ports_of_the_container_it_ran_in(name: str):
    (row,) = statements(f"$ kubectl -n books exec ledger-0 -c ledger -- cat x\n{LISTINGS[name]}")
    assert (row.reason, row.speaker, row.subject.name, row.subject.namespace) == (
        "Listening",
        "person",
        "ledger",
        "books",
    )
    assert (row.facts["listens"], row.facts["listens_on_loopback"]) == ("8081, 9100", "6060")


@pytest.mark.parametrize(
    ("command", "subject"),
    [
        ("kubectl exec -n books ledger-0 -- netstat -nlt", ("StatefulSet", "ledger", "books", "")),
        ("kubectl exec deploy/web -c app -n shop -- ss -ltn", ("Deployment", "web", "shop", "app")),
        (
            "kubectl debug -it web-7c9d8b6f5d-4xk2p --target=app -n shop -- ss -tln",
            ("Deployment", "web", "shop", "app"),
        ),
    ],
)
def test_flags_of_the_inner_command_are_not_those_of_kubectl(command: str, subject: tuple[str, ...]):
    (row,) = statements(f"$ {command}\nLISTEN 0 511 *:3000 *:*\n")
    assert (row.subject.kind, row.subject.name, row.subject.namespace, row.subject.container) == subject


def test_a_table_without_listening_sockets_says_nothing():
    rows = statements("$ kubectl exec web-0 -- netstat -tn\ntcp 0 0 10.0.0.3:80 10.0.0.9:41234 ESTABLISHED\n")
    assert all(row.reason != "Listening" for row in rows)


def test_a_log_cannot_forge_a_listing():
    rows = statements(f"$ kubectl logs web-0 -n shop\n{LISTINGS['ss']}")
    assert {row.speaker for row in rows} == {"log:web"}
    assert all(row.reason != "Listening" for row in rows)


REFS = """\
3f0c2d5a9b1e8c7d6f5a4b3c2d1e0f9a8b7c6d5e\trefs/heads/main
aa0c2d5a9b1e8c7d6f5a4b3c2d1e0f9a8b7c6d5e\trefs/tags/v2.4.0
bb0c2d5a9b1e8c7d6f5a4b3c2d1e0f9a8b7c6d5e\trefs/tags/v2.4.0^{}
"""


@pytest.mark.parametrize(
    ("command", "complete"),
    [
        ("$ git ls-remote https://git.example.com/a/charts.git", "branches, tags"),
        ("ann@host:~$ git ls-remote --tags https://git.example.com/a/charts.git", "tags"),
        ("$ git ls-remote https://git.example.com/a/charts.git | grep v2", None),
        ("$ git ls-remote https://git.example.com/a/charts.git v2.4.0", None),
    ],
)
def test_refs_of_a_repository_and_whether_the_list_is_whole(command: str, complete: str | None):
    (row,) = statements(f"{command}\n{REFS}")
    assert (row.reason, row.speaker) == ("Refs", "person")
    assert row.facts["refs_repository"] == "https://git.example.com/a/charts.git"
    assert (row.facts["branches"], row.facts["tags"]) == ("main", "v2.4.0")
    assert row.facts.get("refs_complete") == complete
