#!/bin/sh
# Write the hashed locks anew; needs uv (`pip install uv`). Arguments go to uv: `--upgrade`, `--upgrade-package NAME`.
set -eu
cd "$(dirname -- "$0")/.."
uv=$(command -v uv || echo .venv/bin/uv)
compile() {
    out=$1
    shift
    "$uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
        "$@" --output-file "$out"
    { echo "# Made by scripts/lock.sh from what pyproject.toml asks for; not edited by hand."; cat "$out"; } > "$out.new"
    mv "$out.new" "$out"
}
compile requirements/runtime.lock pyproject.toml --group build "$@"
compile requirements/dev.lock pyproject.toml --group build --group dev "$@"
compile requirements/uv.lock --group uv --no-deps "$@"
compile requirements/tools.lock --group tools --no-deps "$@"
