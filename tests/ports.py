"""A port for a server of a test, where the number must be known before there is the server."""

import random
import socket

CHOICE = range(20_000, 32_000)  # the system gives others from above to whoever asks for any, so not to somebody else


def free_port():
    """A port of this machine at which nobody listens, nor will before the test does."""
    for port in random.SystemRandom().sample(CHOICE, 100):
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
            return port
    raise AssertionError(f'of a hundred ports in {CHOICE} none is free')
