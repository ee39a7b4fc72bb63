"""The only SQL: tables, migrations and repositories."""
