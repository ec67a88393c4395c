"""The face on GitHub: one workflow run, one event, brought to its end; `python -m remediator.action`."""
