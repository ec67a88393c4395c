"""Remediator: an incident log in, a reviewed and minimal fix in a GitOps repository out."""

__version__ = "0.1.0"
