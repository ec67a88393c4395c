"""Changes of recent commits, and their rollback."""
