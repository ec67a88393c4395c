#!/bin/sh
# Make a virtual environment from a hashed lock, or leave it if that lock is installed already.
# Usage: environment.sh LOCK        Prints the environment's directory; progress goes to stderr.
# REMEDIATOR_VENV names another directory than .venv; PYTHON another interpreter.
# REMEDIATOR_WHEELS names a directory that scripts/wheels.sh has filled.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
lock=$root/$1
venv=${REMEDIATOR_VENV:-$root/.venv}
wheels=${REMEDIATOR_WHEELS:-}

. "$root/scripts/python.sh"

# pip of the environment itself, else of the interpreter that it is made from.
pip() {
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m pip "$@"
    else
        "$(find_python)" -m pip "$@"
    fi
}

# Whether packages were kept for exactly this lock; they are trusted no more than the index is.
kept() {
    [ -n "$wheels" ] && [ -f "$wheels/.complete" ] && [ "$(cat "$wheels/.complete")" = "$(sh "$root/scripts/wheels.sh" key)" ]
}

# uv installs from where pip installs: an index, a proxy or a certificate of the machine's own is set for pip.
like_pip() {
    index=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-}}" ]; then
        export UV_DEFAULT_INDEX="$index"
    fi
    authority=${PIP_CERT:-${REQUESTS_CA_BUNDLE:-$(pip config get global.cert 2>/dev/null || true)}}
    if [ -n "$authority" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
        export SSL_CERT_FILE="$authority"
    fi
}

# Pinned and checked by its hash like the rest; a uv that happens to be on the PATH is not asked.
with_uv() {
    place=$venv/.uv-$(cksum < "$root/requirements/uv.lock" | tr ' ' -)
    uv=$place/bin/uv
    if [ ! -x "$uv" ]; then
        pip install -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all: "$@" \
            --target "$place" --requirement "$root/requirements/uv.lock" >&2 || return
    fi
    like_pip
    [ $# != 0 ] || [ -z "${PIP_NO_INDEX:-}" ] || set -- --no-index
    # The lock is complete; resolving once more would refuse it as soon as a newer release of what an extra names is out.
    "$uv" pip install --quiet --no-config --system-certs --python "$venv/bin/python" --require-hashes --no-deps --no-build "$@" \
        --requirement "$lock" >&2 || return
    "$uv" pip install --quiet --no-config --python "$venv/bin/python" --no-deps --no-build-isolation --offline \
        --editable "$root" >&2
}

with_pip() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 || "$venv/bin/python" -m ensurepip >/dev/null
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
        --requirement "$lock" >&2
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        --editable "$root" >&2
}

if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version)" >&2
    # What only runs needs no pip; development does, and unpacking pip takes two seconds.
    without=
    [ "$1" != requirements/runtime.lock ] || ! "$python" -m pip --version >/dev/null 2>&1 || without=--without-pip
    "$python" -m venv $without "$venv" >&2 || {
        echo "The interpreter lacks venv (on Debian: the package python3-venv)." >&2
        exit 2
    }
fi

# What is installed is known by the locks' checksums: an unchanged lock costs nothing the second time.
sum=$(cksum < "$lock")
stamp=$venv/.installed-$(basename "$lock")
if [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ]; then
    echo "Installing from $(basename "$lock")" >&2
    done=
    if kept; then
        with_uv --no-index --find-links "$wheels" && done=yes || echo "What was kept cannot be used; installing anew" >&2
    fi
    if [ -z "$done" ]; then
        with_uv && done=yes || echo "uv cannot be used here; pip installs the same lock" >&2
    fi
    [ -n "$done" ] || with_pip
    # An environment that was made to run the program has no pip; development needs one, whichever of the two came first.
    if [ "$1" != requirements/runtime.lock ] && ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        "$venv/bin/python" -m ensurepip >/dev/null 2>&1 || echo "The interpreter has no ensurepip: tests that need pip fail." >&2
    fi
    echo "$sum" > "$stamp"
fi
echo "$venv"
