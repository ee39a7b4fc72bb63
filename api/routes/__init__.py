"""The endpoints, a module for each noun: depend, delegate, return."""
