"""What all doors say when they cannot have their port."""

import os

from jina.excepts import NoAvailablePortError


def no_port(protocol: str, host: str, port: int, error: Exception) -> NoAvailablePortError:
    """The error to raise when a door cannot listen."""
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return NoAvailablePortError(
        f'{protocol} cannot listen at {host}:{port}: {reason}; '
        'choose another port_expose, or 0 to let the system choose'
    )
