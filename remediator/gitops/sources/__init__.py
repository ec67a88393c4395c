"""The inputs of an Application: repositories, revisions, charts, and the tools that render them."""
