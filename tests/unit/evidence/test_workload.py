import pytest

from remediator.evidence import workload_of_pod


@pytest.mark.parametrize(
    ("pod", "owner", "expected"),
    [
        ("web-5d98ffcfd-tz4nc", "", ("Deployment", "web")),
        ("web-76897854c-cw5wh", "ReplicaSet/web-76897854c", ("Deployment", "web")),
        ("web-0", "", ("StatefulSet", "web")),
        ("web-0", "StatefulSet/web", ("StatefulSet", "web")),
        ("kube-proxy-x7k2m", "", ("", "kube-proxy")),
        ("kube-proxy-x7k2m", "DaemonSet/kube-proxy", ("DaemonSet", "kube-proxy")),
        ("backup-28391230-x7k2m", "", ("CronJob", "backup")),
        ("backup-28391230-x7k2m", "Job/backup-28391230", ("CronJob", "backup")),
        ("migrate-x7k2m", "Job/migrate", ("Job", "migrate")),
        ("toolbox", "", ("Pod", "toolbox")),
        ("redis-cluster1-slave", "", ("Pod", "redis-cluster1-slave")),
        ("image-list-2-pffvbcq24-j2vnr", "", ("Deployment", "image-list-2")),
        ("web-7d4b9c6f5-abcde", "", ("Deployment", "web")),
        ("standalone-x2k4z", "ReplicaSet/standalone", ("ReplicaSet", "standalone")),
        ("canary-6c9f7d5b8d-q8xkj", "Rollout/canary", ("Rollout", "canary")),
        ("", "", ("Pod", "")),
    ],
)
def test_a_pod_belongs_to_the_workload_that_made_it(pod, owner, expected):
    assert workload_of_pod(pod, owner) == expected
