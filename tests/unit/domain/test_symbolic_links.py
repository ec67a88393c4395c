from pathlib import PurePosixPath

import pytest

from remediator.domain.symbolic_links import link_target


@pytest.mark.parametrize(
    ("directory", "target", "steps"),
    [
        ("apps/web", "values.yaml", ["apps", "web", "values.yaml"]),
        ("apps/web", "../base/./values.yaml", ["apps", "base", "values.yaml"]),
        ("", "base", ["base"]),
        ("apps", "..", []),
        ("apps", "../../etc/passwd", None),
        ("apps", "/etc/passwd", None),
    ],
)
def test_a_link_is_followed_inside_the_repository_alone(directory, target, steps):
    assert link_target(PurePosixPath(directory), target) == steps
