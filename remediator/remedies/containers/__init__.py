"""Remedies for the settings of a container: command, environment, mounts, security, replicas."""
