"""Loki: log lines by LogQL, and whether a fault still speaks in them."""
