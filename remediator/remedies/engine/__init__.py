"""From a remedy to a proposal: the registry, what a remedy is given, locating, proving, ranking."""
