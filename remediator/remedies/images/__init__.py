"""Images and the credentials that pull them."""
