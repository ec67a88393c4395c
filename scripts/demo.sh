#!/bin/sh
# Set up what is missing, then run the main job on the example: a log in, a reviewable fix out.
# Usage: demo.sh [LOG]        The repository is made anew in build/demo.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
log=${1:-$root/examples/incidents/oom.txt}
venv=$(sh "$root/scripts/environment.sh" requirements.lock)
mkdir -p "$root/build"
"$venv/bin/python" "$root/examples/make_repository.py" --force "$root/build/demo"
echo
status=0
"$venv/bin/remediator" run --log "$log" --repo "$root/build/demo" || status=$?
echo
echo "The repository is build/demo. The commands are in $venv/bin: put that on the PATH, or write it in front."
exit "$status"
