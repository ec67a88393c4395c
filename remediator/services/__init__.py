"""Adapters to the world outside; a vendor's types and exceptions stop here."""
