"""A store on a server: `served:///SOCKET?NAME`, and the server, `python served.py SOCKET`.

The server keeps sessions in memory and does for its clients what they ask for. It
answers each request, and lets go of what a client held when its connection ends.
"""

from __future__ import annotations

import pickle
import selectors
import socket
import struct
import sys
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Self

from holdall.errors import StorageAccessError, StorageError
from holdall.stores import Handle, check_session_id, checked_blob, file_of
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdall.contracts import Level, LogWriter, Mode, Repository

_LENGTH = struct.Struct("!Q")


def send(connection: socket.socket, message: object) -> None:
    data = pickle.dumps(message)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def received(connection: socket.socket) -> Any:
    (length,) = _LENGTH.unpack(_bytes(connection, _LENGTH.size))
    return pickle.loads(_bytes(connection, length))  # noqa: S301 - of this very file


def _bytes(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 20))
        if not part:
            raise ConnectionResetError("the server closed the connection")
        data += part
    return bytes(data)


class Connection:
    """A connection to the server, which is made when it is needed."""

    def __init__(self, url: str) -> None:
        self._path, _, self._name = url.removeprefix("served://").partition("?")
        self._socket: socket.socket | None = None
        self._lock = Lock()

    def ask(self, subject: int, method: str, *args: object, **options: object) -> Any:
        """Return what a method of the store, 0, or of what it opened, answers or raises."""
        with self._lock:  # threads may read while another one writes
            self.request(subject, method, *args, **options)
            assert self._socket is not None
            answer = received(self._socket)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def request(self, subject: int, method: str, *args: object, **options: object) -> None:
        """Send a request, and wait for nothing."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(self._path)
        send(self._socket, (self._name, subject, method, args, options))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class ServedRepository:
    """The sessions of one name on the server; each call has a connection of its own."""

    connection: ClassVar[type[Connection]] = Connection
    storage: ClassVar[type[ServedStorage]]

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Self:
        assert not inner
        assert options is None
        return cls(url)

    def create(self, session_id: str, *, first: int = 1) -> ServedStorage:
        return self._opened("create", session_id, first=first)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> ServedStorage:
        return self._opened("open", session_id, mode=mode, take_over=take_over)

    def ids(self) -> Iterator[str]:
        return iter(self._asked("ids"))

    def remove(self, session_id: str) -> None:
        self._asked("remove", session_id)

    def _asked(self, method: str, *args: object, **options: object) -> Any:
        connection = self.connection(self.url)
        try:
            with refusals(self.url, f"{method} a session of"):
                return connection.ask(0, method, *args, **options)
        finally:
            connection.close()

    def _opened(self, method: str, session_id: str, **options: Any) -> ServedStorage:
        connection = self.connection(self.url)
        try:
            with refusals(self.url, f"{method} a session of"):
                number = connection.ask(0, method, check_session_id(session_id), **options)
        except BaseException:
            connection.close()
            raise
        handle = Handle(session_id, self.url, options.get("mode", "w"), self)
        return self.storage(handle, connection, number)


class ServedStorage:
    """A session on the server, which is open there as long as the connection lives."""

    def __init__(self, handle: Handle, connection: Connection, number: int) -> None:
        self.id = handle.session_id
        self.where = handle.where
        self.repository = handle.repository
        self._handle, self._connection, self._number = handle, connection, number

    @property
    def head(self) -> int:
        self._handle.check()
        return int(self._asked("read from", "head"))

    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        with self._handle.writing("append entries"):
            options = {"expect": expect, "level": level}
            return int(self._asked("append entries to", "append", list(entries), **options))

    def compact(self, snapshot: bytes, *, expect: int) -> int:
        with self._handle.writing("compact entries"):
            return int(self._asked("compact entries of", "compact", snapshot, expect=expect))

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        self._handle.check()
        return iter(self._asked("read from", "read", after))

    def put_blob(self, chunks: Iterable[bytes], *, ref: str | None = None) -> str:
        with self._handle.writing("store a blob"):
            return str(self._asked("store a blob in", "put_blob", list(chunks), ref=ref))

    def open_blob(self, ref: str) -> BinaryIO:
        self._handle.check()
        actual, data = self._asked("read from", "open_blob", ref)
        return checked_blob(iter([data]), actual, session_id=self.id)

    def open_log(self, name: str) -> LogWriter:
        with self._handle.writing("write a log"):
            number, size = self._asked("write a log to", "open_log", name)
            return ServedLog(self, number, size)

    def read_log(self, name: str) -> BinaryIO:
        self._handle.check()
        return file_of(iter([self._asked("read from", "read_log", name)]))

    def close(self) -> None:
        if not self._handle.is_inherited:
            self._connection.close()  # the server lets go of what was open
        self._handle.is_closed = True

    def _asked(self, doing: str, method: str, *args: object, **options: Any) -> Any:
        return self.ask(doing, self._number, method, *args, **options)

    def ask(self, doing: str, subject: int, method: str, *args: object, **options: Any) -> Any:
        """Return the answer; a lost one is of unclear outcome, and its connection was the lock."""
        try:
            with refusals(self.where, doing):
                return self._connection.ask(subject, method, *args, **options)
        except StorageAccessError as error:
            raise self._handle.fail(error) from error


ServedRepository.storage = ServedStorage


class ServedLog:
    """A log on the server."""

    def __init__(self, storage: ServedStorage, number: int, size: int) -> None:
        self._storage, self._number = storage, number
        self.size = size

    def write(self, data: bytes) -> None:
        self._storage.ask("write a log to", self._number, "write", data)
        self.size += len(data)

    def flush(self) -> None:
        self._storage.ask("write a log to", self._number, "flush")

    def seal(self, *, ref: str | None = None) -> str:
        return str(self._storage.ask("seal a log in", self._number, "seal", ref=ref))

    def discard(self) -> None:
        self._storage.ask("drop a log from", self._number, "discard")


@contextmanager
def refusals(where: str, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageAccessError(where, doing, str(error)) from error


class Server:
    """The sessions of each name, and what the client of each connection holds open."""

    def __init__(self, path: str) -> None:
        self._repositories: dict[str, MemoryRepository] = {}
        self._held: dict[socket.socket, list[Any]] = {}
        self._selector = selectors.DefaultSelector()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(path)
        self._listening.listen()
        self._selector.register(self._listening, selectors.EVENT_READ)

    def serve(self) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for key, _events in self._selector.select():
                self._ready(key.fileobj)

    def _ready(self, ready: Any) -> None:
        if ready is self._listening:
            client, _address = self._listening.accept()
            self._held[client] = []
            self._selector.register(client, selectors.EVENT_READ)
            return
        try:
            send(ready, self._answer(received(ready), self._held[ready]))
        except OSError:
            self._selector.unregister(ready)
            for held in self._held.pop(ready):
                with suppress(StorageError, AttributeError):
                    held.close()
            ready.close()

    def _answer(self, request: tuple[str, int, str, Any, Any], held: list[Any]) -> object:
        name, number, method, args, options = request
        repository = self._repositories.setdefault(name, MemoryRepository())
        try:
            subject: Any = held[number - 1] if number else repository
            if method == "damage_blob":
                _damage_blob(repository, *args)
                return None
            result = getattr(subject, method)
            result = result(*args, **options) if callable(result) else result
            if method in ("create", "open", "open_log"):
                held.append(result)
                return (len(held), result.size) if method == "open_log" else len(held)
            if method == "open_blob":
                return subject._session.blobs[args[0]]
            if method == "read_log":
                return result.read()
            return list(result) if method in ("ids", "read") else result
        except Exception as error:  # noqa: BLE001 - the client raises it
            return error


def _damage_blob(repository: MemoryRepository, session_id: str, ref: str) -> None:
    blobs = repository._contents.sessions[session_id].blobs
    actual, data = blobs[ref]
    middle = len(data) // 2
    blobs[ref] = (actual, data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


if __name__ == "__main__":
    Server(sys.argv[1]).serve()
