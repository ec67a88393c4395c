"""Messages of the platform that say what they want, each kind read by one module."""
