"""An S3 server of the tests, and a proxy in front of it that fails as servers and networks do.

The server is moto's, in a process of its own on this machine's loopback, started when a
test asks for it. It keeps objects in memory, so it is not killed: the proxy fails for it.
"""

from __future__ import annotations

import atexit
import socket
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S: Final = 30.0
BUCKET: Final = "holdall"

_HOPS: Final = ("connection", "transfer-encoding", "content-length")


class Request(NamedTuple):
    """A request that came to the proxy, the n-th of all."""

    number: int
    method: str
    path: str
    is_conditional: bool


class Answer(NamedTuple):
    """What becomes of a request.

    Attributes:
        reaches: Whether the server gets it.
        status: What the client is told instead of the server's answer; 0 for that one.
        is_cut: Whether the connection ends instead of an answer.
        delay_s: How long the answer waits.
        drops_condition: Whether the server is asked without `If-None-Match`.
    """

    reaches: bool = True
    status: int = 0
    is_cut: bool = False
    delay_s: float = 0.0
    drops_condition: bool = False


PASSES: Final = Answer()


class Server:
    """Moto's server, and the requests that the tests make by themselves."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, "moto's server ended"
            assert time.monotonic() < deadline, "moto's server does not answer"
            time.sleep(0.05)
        self.request("PUT", f"/{BUCKET}")

    def url(
        self, prefix: str = "", *, bucket: str = BUCKET, port: int = 0, query: str = ""
    ) -> str:
        """Return the URL of a repository, of a new prefix unless one is given."""
        endpoint = f"http://127.0.0.1:{port or self.port}"
        options = f"endpoint={endpoint}&allow_http=1" + (f"&{query}" if query else "")
        return f"s3://{bucket}/{prefix or uuid.uuid4().hex}?{options}"

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return what the server answers to a request behind the store's back."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()

    def stop(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            self.request("GET", "/moto-api/")
        except (OSError, HTTPException):
            return False
        return True


@cache
def server() -> Server:
    """Return the server of this pytest process, started when it is first asked for."""
    started = Server()
    atexit.register(started.stop)
    return started


class Proxy:
    """A proxy of the server; *decide* says what becomes of each request."""

    def __init__(self, decide: Callable[[Request], Answer]) -> None:
        self.decide = decide
        self.requests: list[Request] = []
        self._lock = Lock()
        to = server().port
        handler = type("Handler", (_Handler,), {"proxy": self, "to": to})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def url(self, prefix: str = "", query: str = "retry_s=3") -> str:
        """Return the URL of a repository behind the proxy."""
        return server().url(prefix, port=self.port, query=query)

    def taken(self, method: str, path: str, *, is_conditional: bool) -> Answer:
        """Count a request, and say what becomes of it."""
        with self._lock:
            request = Request(len(self.requests) + 1, method, path, is_conditional)
            self.requests.append(request)
        return self.decide(request)

    def serve(self) -> None:
        """Answer requests until `stop`."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def proxy(decide: Callable[[Request], Answer] = lambda _request: PASSES) -> Iterator[Proxy]:
    """Give a proxy that answers inside the block."""
    made = Proxy(decide)
    thread = Thread(target=made.serve, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[Proxy]
    to: ClassVar[int]

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client was killed
            super().handle()

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_conditional = "If-None-Match" in self.headers
        answer = self.proxy.taken(self.command, self.path, is_conditional=is_conditional)
        status, headers, data = 503, [("Content-Type", "text/xml")], b"<Error/>"
        if answer.reaches:
            status, headers, data = self._answered(body, answer)
        if answer.delay_s:
            time.sleep(answer.delay_s)
        if answer.is_cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer.status:
            status, data = answer.status, b"<Error><Code>Injected</Code></Error>"
        self._send(status, headers, data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815 - the base class's names

    def _answered(self, body: bytes, answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in _HOPS
        }
        if answer.drops_condition:
            headers = {name: headers[name] for name in headers if name.lower() != "if-none-match"}
        connection = HTTPConnection("127.0.0.1", self.to, timeout=PATIENCE_S)
        try:
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _send(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
        try:
            self.send_response_only(status)
            length = str(len(data))
            for name, value in headers:
                if name.lower() == "content-length" and self.command == "HEAD":
                    length = value
                elif name.lower() not in _HOPS:
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the client was killed

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
