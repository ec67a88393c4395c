"""Alertmanager: the firing alerts, from events or from the API, and the check that an incident's alerts have ended."""
