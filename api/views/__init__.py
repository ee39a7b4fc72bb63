"""What the API shows of the tables."""
