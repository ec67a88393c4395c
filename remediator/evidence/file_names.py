"""What the name of a log file tells: kubelet's and the runtimes' file layout, and that of must-gather archives."""

from __future__ import annotations

import re

from remediator.evidence.draft import Draft

_LAYOUTS = (
    re.compile(
        r"(?:^|/)containers/(?P<pod>[a-z0-9.-]+)_(?P<namespace>[a-z0-9-]+)_(?P<container>[a-z0-9-]+)-[0-9a-f]{64}\.log"
    ),
    re.compile(
        r"(?:^|/)(?:pods/)?(?P<namespace>[a-z0-9-]+)_(?P<pod>[a-z0-9.-]+)_[0-9a-f-]{32,36}/(?P<container>[a-z0-9-]+)/\d+\.log"
    ),
    re.compile(
        r"(?:^|/)namespaces/(?P<namespace>[a-z0-9-]+)/pods/(?P<pod>[a-z0-9.-]+)/(?P<container>[a-z0-9-]+)/[^/]+/logs/"
    ),
)


def subject_of_file(name: str) -> Draft | None:
    """The container whose log a file is, by its path; None where the path tells nothing."""
    for layout in _LAYOUTS:
        if found := layout.search(name):
            return Draft(
                0, "log", namespace=found["namespace"], pod=found["pod"], container=found["container"]
            ).settle()
    return None
