#!/bin/sh
# Makes sure of the real servers that the tests start: PostgreSQL, a Docker Engine, Temporal's development server.
set -eu

has_postgres() {
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    command -v initdb >/dev/null
}

has_program() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

missing=
has_postgres || missing="$missing postgresql"
has_program dockerd || missing="$missing docker.io"
# All that the image of the tests has in it: there is no registry to fetch one from.
has_program busybox || missing="$missing busybox-static"

if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "cronny: the tests need PostgreSQL 15 or newer, a Docker Engine and busybox;" \
            "install what is missing (Debian: sudo apt-get install$missing)" >&2
        exit 1
    fi
    echo "cronny: installing for the tests:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # they are words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
.venv/bin/python -u -c 'from cronny.temporal.binary import obtain, user_cache; obtain(user_cache(), print)'
