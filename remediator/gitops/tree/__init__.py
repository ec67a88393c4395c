"""The Applications of a checkout: plain ones, those of ApplicationSets, those that charts template."""
