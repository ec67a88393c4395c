#!/bin/sh
# Packages that are kept between runs, as files: what they hold counts only where the lock's hashes agree.
# Usage: wheels.sh key          Prints what tells one set of packages from another: Python, machine and locks.
#        wheels.sh fill DIR     Downloads all that requirements/runtime.lock and requirements/uv.lock name into DIR.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/python.sh"

key() {
    "$(find_python)" - "$root/requirements/runtime.lock" "$root/requirements/uv.lock" <<'PYTHON'
import hashlib, pathlib, platform, sys, sysconfig

locks = b"".join(pathlib.Path(path).read_bytes() for path in sys.argv[1:])
version, machine = platform.python_version().rpartition(".")[0], sysconfig.get_platform()
print(f"{machine}-{sys.implementation.name}{version}-{hashlib.sha256(locks).hexdigest()[:32]}")
PYTHON
}

fill() {
    python=$(find_python)
    rm -rf "$1"
    mkdir -p "$1"
    "$python" -m pip download -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
        --dest "$1" --requirement "$root/requirements/runtime.lock" --requirement "$root/requirements/uv.lock"
    key > "$1/.complete"
}

case ${1:-} in
    key) key ;;
    fill) fill "$2" ;;
    *)
        sed -n '2,4s/^# //p' "$0" >&2
        exit 2
        ;;
esac
