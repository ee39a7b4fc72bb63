"""Large values: kept beside the database, and given back where an expression needs them."""
