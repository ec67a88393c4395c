"""A reader and an engine for Go templates, for charts where helm is not at hand."""
