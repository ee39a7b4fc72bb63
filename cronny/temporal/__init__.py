"""The only Temporal client code."""
