"""The `cronny` command."""
