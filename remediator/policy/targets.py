"""Named targets of `.github/remediator.yml`: which servers belong to which cluster. No secret stands there."""

from __future__ import annotations

from pydantic import Field

from remediator.domain.base import Value

DEFAULT = "default"
"""The target that the environment alone describes."""


class LokiTarget(Value):
    """A Loki server, and which of its logs are read."""

    url: str = ""
    tenant: str = ""
    ca: str = ""
    selectors: tuple[str, ...] = ()
    """Stream selectors to poll, `{namespace="shop"}`; the policy's line filters are added to each."""
    query: str = ""
    """A whole LogQL query instead of selectors."""
    labels: dict[str, str] = Field(default_factory=dict)
    """The collector's labels for `namespace`, `pod` and `container`, if it names them differently."""


class AlertmanagerTarget(Value):
    """An Alertmanager, and which of its alerts are read."""

    url: str = ""
    ca: str = ""
    filters: tuple[str, ...] = ()
    """Matchers such as `severity=~"critical|warning"`; all must hold."""
    receiver: str = ""


class PrometheusTarget(Value):
    """A Prometheus server that measures usage."""

    url: str = ""
    ca: str = ""


class KubernetesTarget(Value):
    """The access to a cluster: a context of the kubeconfig, or an address with a token."""

    context: str = ""
    url: str = ""
    ca: str = ""
    namespaces: tuple[str, ...] = ()
    """Namespaces that are polled for events; empty: only workloads named by alerts and incidents are read."""


class ArgoTarget(Value):
    """Argo CD's REST API, or where its Applications are in the cluster."""

    url: str = ""
    ca: str = ""
    namespace: str = "argocd"
    project: str = ""
    refresh: bool = True
    """Ask Argo CD once a look to compare with the repository; the REST API only."""
    enabled: bool = True


class Target(Value):
    """One cluster and the servers that know about it."""

    clusters: tuple[str, ...] = ()
    """Destinations of Applications (server address or name) that this target serves; empty: all that no other does."""
    loki: LokiTarget = LokiTarget()
    alertmanager: AlertmanagerTarget = AlertmanagerTarget()
    prometheus: PrometheusTarget = PrometheusTarget()
    kubernetes: KubernetesTarget = KubernetesTarget()
    argocd: ArgoTarget = ArgoTarget()
