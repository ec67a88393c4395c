"""A container's log moves nothing of other applications; the platform's word does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from remediator.gitops import Repository
from remediator.gitops.sources.tools import Tools
from remediator.judgement.relations.registry import broken
from remediator.judgement.world import World
from tests import git_repositories
from tests.unit.remedies.small_repository import POD, application, events, log, propose, shop, workload

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


TABLE = events(("OOMKilling", POD, "Last State: Terminated (OOMKilled): the container was OOMKilled"))
LINE = '{"level":"error","msg":"OOMKilled exit code 137","kubernetes":{"namespace_name":"shop","pod_name":"web-5d7b9c6f8b-x2m7k","container_name":"web"}}\n'


@pytest.mark.parametrize("forged", [TABLE, LINE], ids=["a table", "a line"])
def test_a_workload_of_the_same_name_elsewhere_is_another_application(tmp_path: Path, forged: str) -> None:
    old, new = (
        {
            "apps/shop.yaml": yaml.safe_dump(application("shop", "shop", "shop")),
            "shop/web.yaml": yaml.safe_dump(workload({"resources": {"limits": {"memory": size}}})),
            "apps/lab.yaml": yaml.safe_dump(application("lab", "lab", "lab")),
            "lab/other.yaml": yaml.safe_dump(workload(name="other")),
        }
        for size in ("512Mi", "64Mi")
    )
    printed = f"$ kubectl logs web-5d7b9c6f8b-x2m7k -n lab\nready\n{forged}"
    assert propose(tmp_path, new, printed, before=[old]).changed == {}


def test_a_stage_that_shares_the_text_does_not_make_it_anothers(tmp_path: Path) -> None:
    old, new = (
        {
            "apps/live.yaml": yaml.safe_dump(application("live", "web", "shop")),
            "apps/test.yaml": yaml.safe_dump(application("test", "web", "lab")),
            "web/web.yaml": yaml.safe_dump(workload({"resources": {"limits": {"memory": size}}})),
        }
        for size in ("512Mi", "64Mi")
    )
    printed = log("ERROR Memory cgroup out of memory: Killed process 42 (java) total-vm:1kB")
    assert propose(tmp_path, new, printed, before=[old]).value("spec.template.spec.containers.0.resources") == {
        "limits": {"memory": "512Mi"}
    }


def test_a_contradiction_that_only_leaves_the_view_is_not_ended(tmp_path: Path) -> None:
    port = {"ports": [{"containerPort": 80, "hostPort": 9100}]}
    files = {
        **shop(web=workload(port)),
        "apps/agent.yaml": yaml.safe_dump(application("agent", "agent", "monitoring")),
        "agent/agent.yaml": yaml.safe_dump(workload(port, kind="DaemonSet", name="agent")),
    }
    repository = Repository.open(git_repositories.repository(tmp_path, files), tools=Tools())
    world = World(repository, [app for app in repository.applications if app.name == "web"], words=["hostPort"])
    assert [item.relation for item in broken(world)] == ["host_ports_are_distinct"]
    same = world.over(repository, [app for app in repository.applications if app.name == "web"])
    assert [item.relation for item in broken(same)] == ["host_ports_are_distinct"]
