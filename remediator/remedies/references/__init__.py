"""Names that must exist elsewhere: ConfigMaps, Secrets, accounts, roles, scale targets."""
