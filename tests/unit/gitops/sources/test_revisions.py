from __future__ import annotations

import pytest

APP = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web}}
spec:
  source: {{repoURL: https://github.com/example/platform.git, targetRevision: {revision}, path: web}}
  destination: {{server: https://kubernetes.default.svc, namespace: web}}
"""


@pytest.mark.parametrize(
    ("revision", "name", "pinned"),
    [
        ("HEAD", "", False),
        ("''", "", False),
        ("main", "main", False),
        ("refs/heads/main", "main", False),
        ("v1", "v1", True),
        ("refs/tags/v1", "refs/tags/v1", True),
        ("v2.0.0", "v2.0.0", True),
        ("1.x", "1.x", True),
        ("0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef01234567", True),
        ("release", "release", False),
    ],
)
def test_what_the_target_revision_follows(repo, revision, name, pinned):
    repo({"a.yaml": APP.format(revision=revision), "web/s.yaml": "kind: Service\nmetadata: {name: x}\n"}).commit("Add")
    repo.git("tag", "v1")
    opened = repo.open()
    found = opened.base_of(opened.applications[0])
    assert (found.name, found.pinned) == (name, pinned)
    assert found.why
