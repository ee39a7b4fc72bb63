#!/bin/sh
# Makes sure of the real servers that the tests start: PostgreSQL, MariaDB, Redis, a Docker Engine, Temporal's
# development server, and an S3 server.
set -eu

has_postgres() {
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    command -v initdb >/dev/null
}

has_mariadb() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null
}

# install NAME PACKAGE
install() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "cronny: the tests need $1; install it (Debian: sudo apt-get install $2)" >&2
        exit 1
    fi
    echo "cronny: installing $1 for the tests"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

has_postgres || install "PostgreSQL 15 or newer" postgresql
has_mariadb || install "MariaDB 10.11 or newer" mariadb-server
command -v redis-server >/dev/null || install "Redis 7 or newer" redis-server
has_program() {
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

has_program dockerd || install "a Docker Engine" docker.io
# All that the image of the tests has in it: there is no registry to fetch one from.
has_program busybox || install "busybox" busybox-static
.venv/bin/python -u -c 'from cronny.temporal.binary import obtain, user_cache; obtain(user_cache(), print)'
.venv/bin/python -u -c 'from tests.servers.s3 import obtain; obtain(print)'
