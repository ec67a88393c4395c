"""Read and execute Go templates, for ApplicationSets, and for charts where helm is not installed."""
