"""The input of a run: logs from sources, the cases in them, and the targets they belong to."""
