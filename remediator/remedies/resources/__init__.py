"""Requests, limits, quotas and limit ranges."""
