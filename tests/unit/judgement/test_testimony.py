"""A container's log moves nothing of other applications; the platform's word does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.remedies.small_repository import POD, events, log, propose, shop, workload

PULL = 'Failed to pull image "web:2": rpc error: code = NotFound desc = failed to resolve reference "web:2": web:2: not found'


OLD = {"image": "web:1"}
NEW = {"image": "web:2"}
AS_PRINTED = f"$ kubectl logs cart-5d7b9c6f8b-x2m7k -n web\nready\n{events(('Failed', POD, PULL))}"


def test_the_platforms_word_restores_an_image(tmp_path: Path) -> None:
    outcome = propose(
        tmp_path, shop(web=workload(NEW)), events(("Failed", POD, PULL)), before=[shop(web=workload(OLD))]
    )
    assert "image: web:1" in outcome.changed["web/web.yaml"]


@pytest.mark.parametrize("text", [AS_PRINTED, log(f"ERROR {PULL}")], ids=["printed by another", "its own log"])
def test_what_a_log_prints_restores_none(tmp_path: Path, text: str) -> None:
    outcome = propose(tmp_path, shop(web=workload(NEW)), text, before=[shop(web=workload(OLD))])
    assert outcome.changed == {}


def test_the_settings_of_another_application_stay_on_a_logs_word(tmp_path: Path) -> None:
    old, new = (shop(web=workload({"resources": {"limits": {"memory": size}}})) for size in ("512Mi", "64Mi"))
    killed = "Last State: Terminated (OOMKilled): the container was OOMKilled"
    plain = events(("OOMKilling", POD, killed))
    assert propose(tmp_path / "event", new, plain, before=[old]).changed
    printed = f"$ kubectl logs cart-5d7b9c6f8b-x2m7k -n web\nready\n{plain}"
    outcome = propose(tmp_path / "printed", new, printed, before=[old])
    assert outcome.changed == {}
    assert "only the log of cart tells of it" in outcome.outcomes[0].reason
