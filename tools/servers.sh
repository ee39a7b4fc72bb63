#!/bin/sh
# Makes sure of the real servers that the tests start: PostgreSQL, and Temporal's development server.
set -eu

has_postgres() {
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    command -v initdb >/dev/null
}

install_postgres() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "cronny: the tests need PostgreSQL 15 or newer; install it (Debian: sudo apt-get install postgresql)" >&2
        exit 1
    fi
    echo "cronny: installing PostgreSQL for the tests"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
}

has_postgres || install_postgres
.venv/bin/python -u -c 'from cronny.temporal.binary import obtain, user_cache; obtain(user_cache(), print)'
