#!/bin/sh
# Makes or refreshes a virtual environment: tools/environment.sh FOLDER LOCK
# Everything is installed from the lock with its hashes; Cronny itself is an editable install.
set -eu
folder=$1 lock=$2

fail() {
    echo "cronny: $*" >&2
    exit 1
}

is_recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if is_recent "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "needs Python 3.11 or newer; name one with PYTHON=/path/to/python3.11"

if uv --version >/dev/null 2>&1; then
    make_environment() { uv venv --quiet --allow-existing --python "$("$python" -c 'import sys; print(sys.executable)')" "$folder"; }
    install() { uv pip install --quiet --python "$folder/bin/python" "$@"; }
    make_ready() { :; }
else
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python comes without venv; install it (Debian: apt-get install python3-venv)"
    make_environment() { "$python" -m venv "$folder"; }
    install() { "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
    # An environment that uv made has no pip.
    make_ready() { "$folder/bin/python" -c 'import pip' 2>/dev/null || "$folder/bin/python" -m ensurepip >/dev/null; }
fi

# An environment of an older Python, or one whose Python is gone, is of no use.
is_recent "$folder/bin/python" || rm -rf "$folder"
if [ ! -d "$folder" ]; then
    echo "cronny: making $folder from $lock; this takes a minute, once"
    make_environment
fi
make_ready
install --require-hashes -r "$lock"
install --no-deps --editable .
