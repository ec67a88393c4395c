"""Find the file and the path that control a field of a rendered object."""
