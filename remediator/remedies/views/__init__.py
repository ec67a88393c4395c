"""Views of the rendered objects and of an Application's text that several families read."""
