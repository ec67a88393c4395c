"""Values that bear what runs, found in texts whose chart cannot be seen."""

from __future__ import annotations

import pytest

from remediator.domain.yaml_paths import format_path
from remediator.gitops.locate.evidence_values import matching

MEMORY = ("resources", "limits", "memory")


@pytest.mark.parametrize(
    ("values", "field", "observed", "paths"),
    [
        ({"nodes": {"resources": {"limits": {"memory": "1024Mi"}}}}, MEMORY, "1Gi", ["nodes.resources.limits.memory"]),
        ({"nodes": {"resources": {"requests": {"memory": "1Gi"}}}}, MEMORY, "1Gi", []),
        ({"volumeClaimTemplate": {"resources": {"limits": {"memory": "1Gi"}}}}, MEMORY, "1Gi", []),
        ({"nodes": {"resources": {"limits": {"memory": "2Gi"}}}}, MEMORY, "1Gi", []),
        ({"server": {"replicaCount": 3}, "retries": 3}, ("replicas",), 3, ["server.replicaCount"]),
        ({"enabled": True, "replicas": True}, ("replicas",), 1, []),
        ({"env": {"MODE": "fast"}, "mode": "fast"}, ("env", "name=MODE", "value"), "fast", ["env.MODE"]),
        ({"extraEnv": [{"name": "MODE", "value": "fast"}]}, ("env", "name=MODE", "value"), "fast", ["extraEnv[0].value"]),
        ({"extraEnv": [{"name": "OTHER", "value": "fast"}]}, ("env", "name=MODE", "value"), "fast", []),
    ],
)  # fmt: skip
def test_a_value_counts_under_a_key_that_can_mean_the_field(values, field, observed, paths):
    assert [format_path(path) for path in matching(values, field, observed)] == paths


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"a": {"image": {"repository": "acme/web", "tag": "1.4"}}}, ["a.image.tag", "a.image.repository"]),
        ({"a": {"image": {"repository": "acme/web", "tag": 1.4}}, "b": {"tag": "1.4"}}, ["a.image.tag", "a.image.repository"]),
        ({"a": {"image": {"repository": "acme/other", "tag": "1.4"}}}, []),
        ({"a": {"image": {"tag": "1.4"}}}, ["a.image.tag"]),
        ({"a": {"image": "registry.example.com/acme/web:1.4"}}, ["a.image"]),
        ({"a": {"image": "acme/web:1.4"}, "b": {"image": {"tag": "1.4"}}}, ["a.image"]),
        ({"a": {"image": {"repository": "acme/web", "tag": "1.3"}}}, []),
        ({"appVersion": "1.4"}, []),
    ],
)  # fmt: skip
def test_an_image_is_its_name_and_its_tag(values, paths):
    assert [format_path(path) for path in matching(values, ("image",), "registry.example.com/acme/web:1.4")] == paths
