"""Adapters to external services; a vendor's types and exceptions stop here."""
