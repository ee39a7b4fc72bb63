"""Cronny: a durable, punctual, multi-tenant scheduler on Temporal."""
