"""Find the file and path that control a workload of an incident."""

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
