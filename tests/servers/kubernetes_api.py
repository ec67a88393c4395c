"""A Kubernetes API for the tests: kmock's stateful server on loopback, filled with pods as a real kubelet reports them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from remediator.domain.sources import Access
from remediator.services.kubernetes.client import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGED = "2026-11-22T12:40:00Z"
KINDS = ("v1/pods", "v1/events", "v1/namespaces", "apps/v1/deployments", "argoproj.io/v1alpha1/applications")


@dataclass
class Api:
    """The server and what is in it."""

    app: Any
    url: str
    uid: int = field(default=0)

    def look(self) -> Cluster:
        """A new process: lists are kept for one look."""
        return Cluster("kubernetes", Access(url=self.url))

    def put(self, kind: str, name: str, body: dict[str, Any], namespace: str | None = "shop", *, uid: str = "") -> None:
        self.uid += 1
        metadata = {"name": name, "uid": uid or f"uid-{self.uid}", **({"namespace": namespace} if namespace else {})}
        full = {**body, "metadata": {**metadata, **body.get("metadata", {})}}
        self.app.objects[kind, namespace, name] = full

    def drop(self, kind: str, name: str, namespace: str | None = "shop") -> None:
        del self.app.objects[kind, namespace, name]

    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.path}" for request in self.app]


def pod(*statuses: dict[str, Any], created: str = "2026-11-22T12:41:00Z", ready: bool = True, **fields: Any) -> dict:
    """A Deployment's pod."""
    owner = {"kind": "ReplicaSet", "name": "checkout-6d5f4c8b7", "controller": True}
    return {
        "metadata": {
            "creationTimestamp": created,
            "labels": {"pod-template-hash": fields.pop("template", "6d5f4c8b7")},
            "ownerReferences": [{**owner, "name": fields.pop("owner", owner["name"])}],
        },
        "spec": {"containers": [{"name": "app", "image": "registry.example.com/checkout:1.4.2"}]},
        "status": {
            "phase": "Running",
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True" if ready else "False",
                    "lastTransitionTime": "2026-11-22T12:41:10Z",
                    **({} if ready else {"message": "containers with unready status: [app]"}),
                }
            ],
            "containerStatuses": list(statuses) or [running()],
            **fields,
        },
    }


def running(restarts: int = 0, **last: Any) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-22T12:44:00Z", **last}}
    return {
        "name": "app",
        "restartCount": restarts,
        "state": {"running": {"startedAt": "2026-11-22T12:41:05Z"}},
        "lastState": ended if restarts else {},
    }


def waiting(reason: str, message: str = "", restarts: int = 0, **last: Any) -> dict[str, Any]:
    return {**running(restarts, **last), "state": {"waiting": {"reason": reason, "message": message}}}


def deployment(ready: int = 3, updated: int = 3, replicas: int = 3, *conditions: dict[str, Any], **spec: Any) -> dict:
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": replicas, **spec},
        "status": {
            "observedGeneration": 2,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "conditions": list(conditions),
        },
    }


def event(about: str, reason: str, message: str, at: str, *, kind: str = "Pod", type_: str = "Warning") -> dict:
    return {
        "involvedObject": {"kind": kind, "name": about, "namespace": "shop"},
        "reason": reason,
        "message": message,
        "type": type_,
        "lastTimestamp": at,
        "count": 3,
    }


@contextlib.contextmanager
def cluster() -> Iterator[Api]:
    """kmock in a thread of its own: its server is asynchronous, our client is not."""
    import kmock

    started, stop = threading.Event(), []
    apis: list[Api] = []

    async def run() -> None:
        app = kmock.KubernetesEmulator()
        for kind in KINDS:
            app.resources[kind] = {"namespaced": kind != "v1/namespaces"}
        async with app, kmock.Server(app):
            ending = asyncio.Event()
            stop.append((asyncio.get_running_loop(), ending))
            apis.append(Api(app, str(app.url)))
            started.set()
            await ending.wait()

    def main() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            asyncio.run(run())

    thread = threading.Thread(target=main, daemon=True)
    thread.start()
    assert started.wait(10)
    loop, ending = stop[0]
    apis[0].app["get /api/v1/namespaces/shop"] << {"metadata": {"name": "shop"}}
    try:
        yield apis[0]
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(10)
