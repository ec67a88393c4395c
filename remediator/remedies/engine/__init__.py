"""The engine makes a proposal of a remedy's fix: it locates the edit, proves it and adds older values."""
