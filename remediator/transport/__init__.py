"""HTTP for every adapter: deadlines, size limits, certificate authorities, one request for many callers."""
