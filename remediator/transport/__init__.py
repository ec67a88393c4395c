"""How every adapter speaks HTTP: deadlines, bounds, trust, one request for many callers."""
