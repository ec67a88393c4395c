"""What a change does: the difference of the rendered objects, and whether they are still valid."""
