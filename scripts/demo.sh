#!/bin/sh
# Set up what is missing, then run the main job on the example: a log in, a reviewable fix out.
# Usage: demo.sh [LOG]        The repository is made anew in build/demo.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$(sh "$root/scripts/environment.sh" requirements.lock)
demo=$root/build/demo
mkdir -p "$root/build"
"$venv/bin/python" "$root/examples/make_repository.py" --force "$demo"
if [ $# = 0 ]; then
    cd "$root"
    set -- examples/incidents/oom.txt
fi
echo
status=0
"$venv/bin/remediator" run --log "$1" --repo "$demo" || status=$?

printf '\nThe repository is %s. The commands are in %s: put that on the PATH.\n' "$demo" "$venv/bin"
exit "$status"
