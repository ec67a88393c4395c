#!/bin/sh
# Sourced: `find_python` prints a Python that is new enough, or says that there is none and ends.

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
