#!/bin/sh
# Make a virtual environment from a hashed lock, or leave it if that lock is installed already.
# Usage: environment.sh LOCK        Prints the environment's directory; progress goes to stderr.
# REMEDIATOR_VENV names another directory than .venv; PYTHON another interpreter.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
lock=$root/$1
venv=${REMEDIATOR_VENV:-$root/.venv}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer was not found; set PYTHON to one." >&2
    exit 2
}

if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version)" >&2
    "$python" -m venv "$venv" >&2 || {
        echo "The interpreter lacks venv (on Debian: the package python3-venv)." >&2
        exit 2
    }
fi

# What is installed is known by the locks' checksums: an unchanged lock costs nothing the second time.
sum=$(cksum < "$lock")
stamp=$venv/.installed-$(basename "$lock")
if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
    echo "Installing from $(basename "$lock")" >&2
    # Environments that uv made hold no pip.
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >&2
    # The lock is complete; resolving once more would refuse it as soon as a newer release of what an extra names is out.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$lock" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        --editable "$root" >&2
    echo "$sum" > "$stamp"
fi
echo "$venv"
