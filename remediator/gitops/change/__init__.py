"""Compare the rendered objects before and after a change, and check that they are still valid."""
