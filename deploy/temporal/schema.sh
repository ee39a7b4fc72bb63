#!/bin/sh
# Makes Temporal's two databases, or brings them to the schema of this version; again it changes nothing.
set -eu

prepare() {
    sql() {
        temporal-sql-tool --plugin "$DB" --ep "$POSTGRES_SEEDS" --port "$DB_PORT" --user "$POSTGRES_USER" \
            --db "$database" "$@"
    }
    database=$1 schema=$2
    sql create-database
    sql setup-schema --version 0.0
    sql update-schema --schema-name "postgresql/v12/$schema"
}

prepare temporal temporal
prepare temporal_visibility visibility
