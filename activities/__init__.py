"""What workflows call: everything that does I/O."""
