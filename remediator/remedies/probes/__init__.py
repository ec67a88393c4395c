"""Remedies for probes: their port, path, scheme, command and timing."""
