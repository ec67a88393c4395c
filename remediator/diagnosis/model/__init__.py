"""The model's part in a diagnosis: its question, the check of its answer, earlier answers."""
