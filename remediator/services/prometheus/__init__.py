"""Prometheus: the usage of containers, as evidence for the numbers in a fix."""
