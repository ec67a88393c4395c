"""Messages of the platform when something breaks: the formats of kubectl, controllers and Argo CD."""

from __future__ import annotations

from textwrap import dedent

NAMESPACE = "shop"


def pod(workload: str) -> str:
    """A pod's name as its owner makes it."""
    return f"{workload}-0" if workload == "orders-db" else f"{workload}-6d5f8c7b9-x2k4p"


def events(*rows: tuple[str, str, str, str]) -> str:
    """`kubectl get events`: rows of type, reason, object, message."""
    lines = [f"{'LAST SEEN':<12}{'TYPE':<10}{'REASON':<20}{'OBJECT':<56}MESSAGE"]
    lines += [f"{'40s':<12}{kind:<10}{reason:<20}{subject:<56}{message}" for kind, reason, subject, message in rows]
    return f"$ kubectl get events -n {NAMESPACE} --sort-by=.lastTimestamp\n" + "\n".join(lines) + "\n"


def warning(workload: str, reason: str, message: str) -> str:
    """One warning about a pod."""
    return events(("Warning", reason, f"pod/{pod(workload)}", message))


def describe(
    workload: str, container: str, image: str, *, state: str = "CrashLoopBackOff", last: str = "Error", code: int = 1,
    lines: str = "", happened: tuple[tuple[str, str], ...] = (),
) -> str:  # fmt: skip
    """`kubectl describe pod`, shortened to what a person pastes."""
    owner = f"StatefulSet/{workload}" if workload == "orders-db" else f"ReplicaSet/{workload}-6d5f8c7b9"
    text = f"""\
    $ kubectl describe pod {pod(workload)} -n {NAMESPACE}
    Name:             {pod(workload)}
    Namespace:        {NAMESPACE}
    Service Account:  default
    Node:             worker-1/10.0.0.11
    Labels:           app={workload}
    Status:           Running
    Controlled By:  {owner}
    Containers:
      {container}:
        Image:         {image}
        State:          Waiting
          Reason:       {state}
        Last State:     Terminated
          Reason:       {last}
          Exit Code:    {code}
          Started:      Mon, 02 Mar 2026 09:08:00 +0000
          Finished:     Mon, 02 Mar 2026 09:08:04 +0000
        Ready:          False
        Restart Count:  8
    """
    body = dedent(text) + "".join(f"    {line}\n" for line in lines.splitlines())
    rows = [
        ("BackOff", f"Back-off restarting failed container {container} in pod {pod(workload)}_{NAMESPACE}(0b1c2d3e)"),
        *happened,
    ]
    table = "".join(f"  Warning  {reason}  4s (x9 over 8m)  kubelet  {message}\n" for reason, message in rows)
    return (
        body
        + "Events:\n  Type     Reason  Age              From     Message\n  ----     ------  ----             ----     -------\n"
        + table
    )


def logs(workload: str, *lines: str, previous: bool = True) -> str:
    """Return the output of `kubectl logs`."""
    flag = " --previous" if previous else ""
    return f"$ kubectl logs {pod(workload)} -n {NAMESPACE}{flag}\n" + "\n".join(lines) + "\n"


def app_get(
    name: str, condition: str, message: str, *, health: str = "Healthy", sync: str = "Unknown", path: str = "shop"
) -> str:
    """`argocd app get` with one condition."""
    text = f"""\
    $ argocd app get {name}
    Name:               argocd/{name}
    Project:            default
    Server:             https://kubernetes.default.svc
    Namespace:          {NAMESPACE}
    Source:
    - Repo:             https://git.example.com/platform/gitops.git
      Target:           main
      Path:             {path}
    Sync Policy:        Automated (Prune)
    Sync Status:        {sync} to main (3f9a2c1)
    Health Status:      {health}

    CONDITION        MESSAGE  LAST TRANSITION
    """
    return dedent(text) + f"{condition}  {message}  2026-03-02 09:10:00 +0000 UTC\n"


def refused_object(name: str, message: str) -> str:
    """A sync that the API server refuses."""
    return app_get(
        name, "SyncError", f"Failed last sync attempt to 3f9a2c1: one or more objects failed to apply, reason: {message} (retried 5 times).",
        sync="OutOfSync",
    )  # fmt: skip


def cannot_generate(name: str, message: str) -> str:
    """A source that cannot be turned into manifests."""
    return app_get(
        name, "ComparisonError",
        f"Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = {message}",
    )  # fmt: skip


def noise(number: int) -> str:
    """Calm lines of somebody else, different each time."""
    calm = (
        'level=info msg="request served" status=200 duration=1.2ms',
        "2026-03-02T09:07:11Z INFO batch finished: 0 errors, 0 fatal, 2 retries (previous run: connection refused, recovered)",
        '{"level":"info","ts":"2026-03-02T09:07:12Z","msg":"reconciled","errors":0}',
        'I0302 09:07:13.141592       1 main.go:88] "Health check passed" component="cache"',
        'level=warn msg="slow query" table=error_codes duration=1.5s',
    )
    picked = [calm[(number + step) % len(calm)] for step in range(3)]
    return "$ kubectl logs deploy/metrics -n monitoring --tail=3\n" + "\n".join(picked) + "\n\n"
