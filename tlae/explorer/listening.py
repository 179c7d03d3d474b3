"""A socket that listens, or one line on why it cannot."""

import errno
import socket

from tlae.errors import UserError

LARGEST_PORT = 65535


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, so that a port in use is reported before anything is computed."""
    if not 0 <= port <= LARGEST_PORT:
        raise UserError(f"port must be in 0 (any free one) to {LARGEST_PORT}, got {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
    except OSError as error:
        raise UserError(f"host must be an address of this machine, got {host!r}") from error
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port must be free, got {port}, which another program uses; "
                f"give port={port + 1 if port < LARGEST_PORT else 0}, or port=0 for any free one"
            ) from error
        if error.errno == errno.EACCES:
            raise UserError(
                f"port must be one that you may use, got {port}; take >= 1024"
            ) from error
        raise UserError(f"host must be an address of this machine, got {host!r}") from error
    return listening


def address_of(listening: socket.socket) -> str:
    """URL of a server behind a socket that listens."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"
