"""Following a trigger live: what is new of it, as Server-Sent Events."""
