#!/bin/sh
# Set up what is missing, then run the main job on the example: a log in, a reviewable fix out.
# Usage: demo.sh [LOG]        The repository is made anew in build/demo.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=$(sh "$root/scripts/environment.sh" requirements/runtime.lock)
demo=$root/build/demo
mkdir -p "$root/build"
"$venv/bin/python" "$root/examples/make_repository.py" --force "$demo"
case ${1-} in
'') set -- examples/incidents/oom.txt ;;
/*) ;;
*) if [ "$PWD" != "$root" ]; then set -- "$PWD/$1"; fi ;;
esac
cd "$root"
echo
status=0
"$venv/bin/remediator" run --log "$1" --repo build/demo || status=$?

printf '\nThe commands are for %s, with %s on the PATH.\n' "$root" "$venv/bin"
exit "$status"
