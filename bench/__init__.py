"""Measures Cronny and bare Temporal in turn, on the same servers, in one run."""
