"""Of a block that a commit added, only the key by which the refused field changed goes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.remedies.small_repository import propose, shop, workload

pytestmark = pytest.mark.needs_tools("kubectl")
REFUSED = json.dumps(
    {
        "phase": "Failed",
        "message": "one or more objects failed to apply",
        "syncResult": {
            "resources": [
                {
                    "group": "apps",
                    "kind": "Deployment",
                    "name": "web",
                    "namespace": "shop",
                    "status": "SyncFailed",
                    "message": 'error when patching "/dev/shm/1": Deployment.apps "web" is invalid: spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"web", "team":"shop"}}: field is immutable',
                }
            ]
        },
    },
    indent=1,
)


def repository(labels: str) -> dict[str, str]:
    """Return an Application of a kustomization with these labels."""
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - web.yaml\n"
    return {**shop(), "web/web.yaml": yaml.safe_dump(workload()), "web/kustomization.yaml": head + labels}


def test_the_label_stays_where_only_the_selector_is_refused(tmp_path: Path) -> None:
    added = "labels:\n  - pairs:\n      team: shop\n    includeSelectors: true\n"
    told = propose(tmp_path, repository(added), REFUSED, before=[repository("")])
    assert told.changed == {
        "web/kustomization.yaml": repository(added.replace("    includeSelectors: true\n", ""))[
            "web/kustomization.yaml"
        ]
    }


def test_a_block_that_only_changes_the_refused_field_goes_as_a_whole(tmp_path: Path) -> None:
    added = "patches:\n  - patch: |\n      - {op: add, path: /spec/selector/matchLabels/team, value: shop}\n    target: {kind: Deployment}\n"
    told = propose(tmp_path, repository(added), REFUSED, before=[repository("")])
    assert told.changed == {"web/kustomization.yaml": repository("")["web/kustomization.yaml"]}
