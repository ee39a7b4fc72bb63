"""The functions of expressions: one catalogue for the engine, for hints and for the documents."""
