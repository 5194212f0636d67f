"""A TCP proxy in threads, between a store and its server: slow, cut, or silent as a test says."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

Side = Literal["client", "server"]
"""Who sent a piece: the client its requests, the server its answers."""

Way = Literal["reset", "close", "silence"]
"""How a connection is cut: by a reset, an orderly end, or by passing on nothing any more."""

_RESET = struct.pack("ii", 1, 0)  # what SO_LINGER needs, so that closing sends a reset


class Proxy:
    """Passes on what clients and a server send, until a piece of a chosen number.

    A piece is what one side sends until the other one does: a request, or an answer. Pieces are
    counted over all connections, in the order in which they begin.

    Attributes:
        delay_s: How long each piece waits before it is passed on.
        pieces: How many began so far.
    """

    def __init__(self, port: int) -> None:
        self.delay_s = 0.0
        self.pieces = 0
        self._target = ("127.0.0.1", port)
        self._cuts: dict[int, tuple[Way, int]] = {}
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def cut_at(self, number: int, way: Way = "reset", *, after: int = 0) -> None:
        """Cut the connection at the piece of that number, once *after* bytes of it are passed."""
        self._cuts[number] = (way, after)

    def cut_all(self) -> int:
        """Reset all connections that there are, and return how many those were."""
        with self._lock:
            pairs = [pair for pair in self._pairs if pair[0].fileno() != -1]
            self._pairs = []
        for pair in pairs:
            _end(pair, "reset")
        return len(pairs)

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._is_closed = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut_all()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                _end((client, client), "reset")
                continue
            server.settimeout(None)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.append((client, server))
            began = self._beginnings()
            for side, pair in (("client", (client, server)), ("server", (server, client))):
                arguments = (*pair, side, began)
                threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _beginnings(self) -> Callable[[Side], int]:
        """Return what tells the number of the piece that a side sends of a connection."""
        last: list[Side] = []
        number = 0

        def began(side: Side) -> int:
            nonlocal number
            with self._lock:
                if last != [side]:
                    last[:] = [side]
                    self.pieces += 1
                    number = self.pieces
                return number

        return began

    def _pass_on(
        self,
        source: socket.socket,
        target: socket.socket,
        side: Side,
        began: Callable[[Side], int],
    ) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                cut = self._cuts.pop(began(side), None)
                if self.delay_s:
                    time.sleep(self.delay_s)
                if cut is not None:
                    way, after = cut
                    target.sendall(data[:after])
                    if way != "silence":
                        _end((source, target), way)
                        return
                    while source.recv(1 << 16):
                        pass
                target.sendall(data)
        _end((source, target), "close")


def _end(pair: tuple[socket.socket, socket.socket], way: Way) -> None:
    for each in pair:
        with suppress(OSError):
            if way == "reset":
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            else:
                each.shutdown(socket.SHUT_RDWR)
        # The thread that reads from it holds a descriptor in the kernel: wake it up first.
        if way == "reset":
            with suppress(OSError):
                each.shutdown(socket.SHUT_RD)
        with suppress(OSError):
            each.close()
