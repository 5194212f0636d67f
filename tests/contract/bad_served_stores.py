"""Stores on a server that break one promise each, over the one that breaks none.

`test_bad_stores_fail` runs over them what is to find each one out.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import pytest
from tests.contract import served

from holdall.stores import file_of
from holdall.testing import RepositoryContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Repository


class Swallows(served.Connection):
    def ask(self, subject: int, method: str, *args: Any, **options: Any) -> Any:
        try:
            return super().ask(subject, method, *args, **options)
        except (OSError, IndexError):  # it will be all right
            self.close()
            if method != "append":
                raise
            return options["expect"] + len(args[0])


class WaitsForNoAnswer(served.Connection):
    waiting = 0

    def ask(self, subject: int, method: str, *args: Any, **options: Any) -> Any:
        while self.waiting and self._socket:
            served.received(self._socket)
            self.waiting -= 1
        if method != "append":
            return super().ask(subject, method, *args, **options)
        self.request(subject, method, *args, **options)
        self.waiting += 1
        return options["expect"] + len(args[0])


class RaisesWhatTheClientRaises(served.Connection):
    def ask(self, subject: int, method: str, *args: Any, **options: Any) -> Any:
        try:
            return super().ask(subject, method, *args, **options)
        except OSError as error:
            raise RuntimeError("the client has its own errors") from error


class UncheckedBlobs(served.ServedStorage):
    def open_blob(self, ref: str) -> BinaryIO:
        _actual, data = self._asked("read from", "open_blob", ref)
        return file_of(iter([data]))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Return the socket of a server."""
    with TemporaryDirectory(prefix="holdall-served-") as folder:
        path = f"{folder}/socket"
        command = [sys.executable, "-m", "tests.contract.served", path]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield path
            process.kill()


class Contract(RepositoryContract):
    """The contract over the store of one class."""

    kind: ClassVar[type[served.ServedRepository]] = served.ServedRepository

    @pytest.fixture
    def repository(self, server: str) -> Repository:
        return self.kind.from_url(f"served://{server}?{uuid.uuid4().hex}")

    def damage_blob(self, repository: Repository, session_id: str, ref: str) -> None:
        with closing(served.Connection(repository.url)) as connection:
            connection.ask(0, "damage_blob", session_id, ref)


class TestServed(Contract):
    pass


class TestSwallows(Contract):
    class kind(served.ServedRepository):  # noqa: N801 - an attribute of the contract
        connection = Swallows


class TestWaitsForNoAnswer(Contract):
    class kind(served.ServedRepository):  # noqa: N801
        connection = WaitsForNoAnswer


class TestRaisesWhatTheClientRaises(Contract):
    class kind(served.ServedRepository):  # noqa: N801
        connection = RaisesWhatTheClientRaises


class TestUncheckedBlobs(Contract):
    class kind(served.ServedRepository):  # noqa: N801
        storage = UncheckedBlobs
