"""Remedies for pods that no node takes: selectors, tolerations, classes, affinity."""
