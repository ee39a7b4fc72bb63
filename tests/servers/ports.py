"""Free ports on loopback."""

import random
import socket

LOWEST, HIGHEST = (
    20000,
    32000,
)  # below the ephemeral range, so that no outgoing connection takes one meanwhile


def free_port() -> int:
    """A port that nothing listens on."""
    while True:
        port = random.randint(LOWEST, HIGHEST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
