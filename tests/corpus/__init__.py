"""Synthetic incidents: faults injected into healthy repositories, with the messages that the platform would write."""
