"""Probes: what they ask, when, and of which port."""
