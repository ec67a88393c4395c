"""The face on GitHub: handles one event in one workflow run; `python -m remediator.action`."""
