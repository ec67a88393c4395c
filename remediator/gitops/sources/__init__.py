"""What an Application is made from: repositories, revisions, charts, and the tools that render them."""
