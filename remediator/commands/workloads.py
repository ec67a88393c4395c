"""The argument that names a workload, shared by several commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from remediator.errors import ConfigError

if TYPE_CHECKING:
    from remediator.domain.sources import Workload

_KINDS = {kind.lower(): kind for kind in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Rollout")}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def workload(text: str) -> Workload:
    """Return the workload of `shop/checkout` (a Deployment), `shop/statefulset/db` or `shop/pod/db-0`; else ConfigError."""
    from remediator.domain.sources import Workload

    parts = text.split("/")
    namespace, kind, name = (parts[0], "deployment", parts[1]) if len(parts) == 2 else (*parts, "", "", "")[:3]
    kind_name = _KINDS.get(kind.lower(), "")
    if len(parts) not in {2, 3} or not kind_name or not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise ConfigError(f"{text!r} is no workload: write NAMESPACE/NAME or NAMESPACE/KIND/NAME")
    return Workload(namespace=namespace, kind=kind_name, name=name, pod=name if kind_name == "Pod" else "")
