"""The action language: pure models, reader, checker and plan."""
