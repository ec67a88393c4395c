"""From a workload in an incident to the file and path that control it."""

from remediator.gitops.model import (
    Application,
    ApplicationSet,
    Located,
    Manifest,
    Match,
    ObjectChange,
    Problem,
    Revision,
    Source,
)
from remediator.gitops.repository import Repository
from remediator.gitops.sources.tools import Tools

__all__ = [
    "Application",
    "ApplicationSet",
    "Located",
    "Manifest",
    "Match",
    "ObjectChange",
    "Problem",
    "Repository",
    "Revision",
    "Source",
    "Tools",
]
