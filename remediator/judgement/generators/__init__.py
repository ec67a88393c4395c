"""Generators of hypotheses, one module each; the registry is in `registry.py`."""
