#!/bin/sh
# Set up what is missing, then run the tests; arguments go to pytest (`--cov` measures the coverage, which takes a quarter longer).
# Tests that need helm or kubectl skip, and say so, where those are not on the PATH.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$(sh "$root/scripts/environment.sh" requirements/dev.lock)
cd "$root"
exec "$venv/bin/python" -m pytest --numprocesses=auto --quiet "$@"
