"""What a run looks at: logs from sources, the cases in them, the targets they belong to."""
