"""The connection to a cluster; the one place that knows kubeconfigs, tokens and certificate authorities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediator.domain.sources import short
from remediator.errors import ConfigError
from remediator.transport.certificate_authority import authority_file

if TYPE_CHECKING:
    from remediator.domain.sources import Access


def connect(name: str, access: Access) -> Any:
    """Return an API client by address and token, by kubeconfig and context, or from inside the cluster.

    It follows no redirect: whoever answers in the API server's stead is not believed.
    """
    import urllib3
    import yaml
    from kubernetes import client
    from kubernetes import config as untyped

    config: Any = untyped
    configuration = client.Configuration()
    try:
        if access.url:
            _by_address(configuration, name, access)
        elif access.context == "in-cluster":
            config.load_incluster_config(client_configuration=configuration)
        elif "\n" in access.kubeconfig:
            config.load_kube_config_from_dict(
                yaml.safe_load(access.kubeconfig), access.context or None, configuration, persist_config=False
            )
        else:
            config.load_kube_config(
                access.kubeconfig or None, access.context or None, configuration, persist_config=False
            )
    except (config.ConfigException, yaml.YAMLError, OSError, KeyError, TypeError) as error:
        raise ConfigError(f"{name}: no cluster can be made of the kubeconfig: {short(str(error))}") from error
    configuration.retries = urllib3.Retry(0, redirect=False)  # the client above it asks again, within its budget
    return client.ApiClient(configuration)


def _by_address(configuration: Any, name: str, access: Access) -> None:
    configuration.host = access.url.rstrip("/")
    if token := access.token.get_secret_value():
        configuration.api_key = {"BearerToken": token}
        configuration.api_key_prefix = {"BearerToken": "Bearer"}
    if access.ca:
        configuration.ssl_ca_cert = authority_file(access.ca, name)
