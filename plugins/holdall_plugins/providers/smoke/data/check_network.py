"""Checks of the network inside the machine; exits with a reason if one fails."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 256 * 1024
PATIENCE_S = 30  # a busy machine is slow, not broken


def check_loopback() -> str:
    """Check that what is sent to an echo on the loopback interface comes back."""
    content = os.urandom(SIZE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        echo = threading.Thread(target=answer, args=(server,), daemon=True)
        echo.start()
        with socket.create_connection(server.getsockname(), timeout=PATIENCE_S) as client:
            send = threading.Thread(target=send_all, args=(client, content), daemon=True)
            send.start()
            received = b"".join(pieces(client))
            send.join()
        echo.join()
    if received != content:
        sys.exit(f"sent {SIZE} bytes, and {len(received)} came back, not the same")
    return f"{SIZE} bytes came back unchanged"


def answer(server: socket.socket) -> None:
    """Send one client's bytes back to it."""
    connection, _ = server.accept()
    with connection:
        connection.settimeout(PATIENCE_S)
        for piece in pieces(connection):
            connection.sendall(piece)


def send_all(client: socket.socket, content: bytes) -> None:
    """Send everything, and say that it was everything."""
    client.sendall(content)
    client.shutdown(socket.SHUT_WR)


def pieces(connection: socket.socket) -> Iterator[bytes]:
    """Return what arrives, piece by piece, until the other side is done."""
    return iter(lambda: connection.recv(65536), b"")


def check_localhost() -> str:
    """Check that localhost means this machine, and nothing else."""
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo("localhost", None)}
    except OSError as exc:
        sys.exit(f"the name localhost can't be resolved: {exc}")
    foreign = sorted(address for address in addresses if not is_loopback(address))
    if foreign:
        sys.exit(f"the name localhost leads to {', '.join(foreign)}")
    return f"localhost is {', '.join(sorted(addresses))}"


def is_loopback(address: str) -> bool:
    """Whether the address, its zone aside, is one of the machine's own."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


if __name__ == "__main__":
    print({"loopback": check_loopback, "localhost": check_localhost}[sys.argv[1]]())
