"""Dry runs: forges that read like another one and publish nothing."""
