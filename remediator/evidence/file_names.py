"""Subjects from the names of log files: the file layout of kubelet and the runtimes, and of must-gather archives."""

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
    """Return the container whose log a file is, by its path; None for any other path."""
    for layout in _LAYOUTS:
        if match := layout.search(name):
            return Draft(
                0, "log", namespace=match["namespace"], pod=match["pod"], container=match["container"]
            ).settle()
    return None
