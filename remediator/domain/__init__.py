"""Frozen values and ports: what the layers say to each other."""
