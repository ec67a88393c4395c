"""Certificate authorities as HTTP libraries take them: a file, whether the user names one or pastes its text."""

from __future__ import annotations

import tempfile
from pathlib import Path

from remediator.errors import ConfigError


def authority_file(path_or_pem: str, name: str) -> str:
    """Return the file of a certificate authority, given as its path or as PEM text; ConfigError where there is none."""
    if "-----BEGIN" in path_or_pem:
        with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False, encoding="utf-8") as file:
            file.write(path_or_pem)
        return file.name
    if not Path(path_or_pem).is_file():
        raise ConfigError(f"{name}: there is no file with a certificate authority here", file=path_or_pem)
    return path_or_pem
