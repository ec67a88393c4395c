"""What the command line imports: nothing for `--help`, nothing of the outside world for a dry run."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
from remediator.cli import main
try:
    main({argv!r})
except SystemExit:
    pass
print("\\n".join(sorted({{name.partition(".")[0] for name in sys.modules}})), file=sys.stderr)
"""


def imported(*argv: str) -> set[str]:
    probe = PROBE.format(argv=list(argv))
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_imports_nothing_heavy() -> None:
    loaded = imported("--help")
    assert not loaded & {"langgraph", "langchain_core", "langchain_openai", "kubernetes", "github", "requests"}
    assert not loaded & {"pydantic", "yaml", "ruamel", "jsonschema", "re2"}
