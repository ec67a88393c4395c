"""From a field of a rendered object to the file and path that control it."""
