"""The fires as each peer's own documentation would write them; each module has an environment of its own."""
