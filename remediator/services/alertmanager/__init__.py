"""Alertmanager: which alerts fire, as events tell them or the API does, and whether an incident's own have ended."""
