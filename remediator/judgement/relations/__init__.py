"""Relations: what cannot be right in the rendered world, whoever complains; each a function of the world alone."""
