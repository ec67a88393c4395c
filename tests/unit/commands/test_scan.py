"""`remediator scan --facts` prints typed facts, with speaker and subject, and no secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from remediator.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEXT = "$ kubectl exec -n shop web-0 -- netstat -tln\ntcp 0 0 0.0.0.0:8081 0.0.0.0:* LISTEN\n"
SECRET = """\
$ kubectl describe pod web-0 -n shop
Name:             web-0
Namespace:        shop
Service Account:  web
Containers:
  app:
    Image:          example.com/web:1.0
    Environment:
      DB_PASSWORD:  hunter2
"""


def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, *options: str) -> str:
    log = tmp_path / "log.txt"
    log.write_text(text, encoding="utf-8")
    assert main(["scan", "--facts", *options, str(log)]) == 0
    return capsys.readouterr().out


def test_each_fact_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(tmp_path, capsys, TEXT)
    assert out == f"{tmp_path}/log.txt:2  person  shop/StatefulSet/web  ports_listened  listens=8081\n"


def test_facts_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fact,) = json.loads(printed(tmp_path, capsys, TEXT, "--json"))
    assert (fact["type"], fact["values"], fact["speaker"]) == ("ports_listened", {"listens": "8081"}, "person")


def test_facts_are_redacted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(tmp_path, capsys, SECRET)
    assert "DB_PASSWORD=[redacted" in out
    assert "hunter2" not in out
