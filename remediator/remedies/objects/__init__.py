"""Objects that the API server refuses: fields, versions, texts that do not decode."""
