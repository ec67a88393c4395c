"""Protocols that the graph's nodes are given; `services/` implements them."""

from __future__ import annotations
