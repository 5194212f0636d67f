"""From a URL to a repository, across the border to the store's plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.cli.exits import message, traceback_of
from holdall.errors import HoldallError, PluginCallError, StorageAccessError, masked_url
from holdall.registry import Registry
from holdall.session import SessionManager
from holdall.stores import RepositoryWrapper, StorageWrapper, open_repository
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository
from holdall_plugins.stores.sqlite import SqliteRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdall.contracts import Repository, Storage


class Exiting(MemoryRepository):
    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Any:  # noqa: ARG003
        raise SystemExit(f"{url} {inner}")


class Refusing(MemoryRepository):
    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Any:  # noqa: ARG003
        raise StorageAccessError(f"{url} {inner}", "opening", "there is no key")


def registry(**stores: type) -> Registry:
    found = Registry.empty()
    for name, store in stores.items():
        found.register("repositories", name, store)
    return found


def test_a_store_that_fails_to_open_is_blamed() -> None:
    with pytest.raises(PluginCallError) as caught:
        open_repository("exiting://x", registry=registry(exiting=Exiting))

    assert (caught.value.kind, caught.value.name) == ("store", "exiting")
    assert (caught.value.origin, caught.value.doing) == ("application", "opening 'exiting://x'")
    assert "SystemExit" in caught.value.cause


def test_what_a_store_itself_says_of_a_url_stays_what_it_is() -> None:
    with pytest.raises(StorageAccessError):
        open_repository("refusing://x", registry=registry(refusing=Refusing))


class Failing(MemoryRepository):
    """Hands out storages of which every step fails in a way that no contract lists."""

    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Failing:  # noqa: ARG003
        return cls()

    def create(self, session_id: str, *, first: int = 1) -> Any:
        return FailingStorage(super().create(session_id, first=first), self)

    def ids(self) -> Iterator[str]:
        yield "one"
        raise RuntimeError("lost the index")


class FailingStorage(StorageWrapper):
    def append(self, entries: Any, *, expect: int, level: Any = "system") -> int:  # noqa: ARG002
        raise RuntimeError("lost the disk")

    def compact(self, snapshot: bytes, *, expect: int) -> Any:
        del snapshot, expect

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:  # noqa: ARG002
        yield 1, b"entry"
        raise SystemExit(3)

    def put_blob(self, chunks: Any, *, ref: str | None = None) -> str:  # noqa: ARG002
        return str(list(chunks))

    def open_blob(self, ref: str) -> Any:
        raise KeyError(ref)

    def close(self) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def failing() -> Storage:
    return open_repository("failing://x", registry=registry(failing=Failing)).create("s")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param(
            lambda s: s.append([b"x"], expect=0),
            "appending behind entry 0: RuntimeError: lost the disk",
            id="append",
        ),
        pytest.param(
            lambda s: s.compact(b"x", expect=0), "it returned None and not an int", id="compact"
        ),
        pytest.param(lambda s: list(s.read()), "reading behind entry 0: SystemExit: 3", id="read"),
        pytest.param(lambda s: s.open_blob("r"), "opening the blob 'r': KeyError", id="open_blob"),
        pytest.param(
            lambda s: list(s.repository.ids()),
            "listing its sessions: RuntimeError: lost the index",
            id="ids",
        ),
    ],
)
def test_whatever_a_store_does_wrong_is_blamed_on_it(
    failing: Storage, step: Callable[[Storage], object], message: str
) -> None:
    with pytest.raises(PluginCallError) as caught:
        step(failing)

    assert (caught.value.kind, caught.value.name) == ("store", "failing")
    assert message in str(caught.value)


def test_an_error_in_the_callers_chunks_is_not_blamed_on_the_store(failing: Storage) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise OSError("the caller's file is gone")

    with pytest.raises(OSError, match="the caller's file is gone"):
        failing.put_blob(chunks())


def test_an_interrupt_in_a_store_goes_on(failing: Storage) -> None:
    with pytest.raises(KeyboardInterrupt):
        failing.close()


def test_a_checkpoint_into_a_store_that_fails_keeps_the_events_for_another_try() -> None:
    stores = registry(failing=Failing)
    manager = SessionManager.create("failing://x", registry=stores)

    with pytest.raises(PluginCallError, match="lost the disk"):
        manager.checkpoint()

    assert manager.view().unsaved == 2


class Lying(MemoryRepository):
    """Returns what no contract allows."""

    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Lying:  # noqa: ARG003
        return cls()

    def create(self, session_id: str, *, first: int = 1) -> Any:
        if session_id == "nothing":
            return None
        return LyingStorage(super().create(session_id, first=first), self)

    def ids(self) -> Iterator[Any]:
        yield 5


class LyingStorage(StorageWrapper):
    def append(self, entries: Any, *, expect: int, level: Any = "system") -> int:  # noqa: ARG002
        return True

    def read(self, after: int = 0) -> Iterator[Any]:
        yield after + 1, "text"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        pytest.param(lambda r: r.create("nothing"), "it returned None", id="create"),
        pytest.param(
            lambda r: r.create("s").append([b"x"], expect=0),
            "it returned True, and the last entry is 1",
            id="append",
        ),
        pytest.param(lambda r: list(r.create("s").read()), "it gave (1, 'text')", id="read"),
        pytest.param(lambda r: list(r.ids()), "it returned 5 and not a str", id="ids"),
    ],
)
def test_what_a_store_returns_is_not_believed(
    step: Callable[[Repository], object], message: str
) -> None:
    repository = open_repository("lying://x", registry=registry(lying=Lying))

    with pytest.raises(PluginCallError) as caught:
        step(repository)

    assert message in str(caught.value)


PASSWORD = "hunt/er2"  # noqa: S105 - the subject of these tests


class Telling(MemoryRepository):
    """A store that shows the URL it was opened by, password and all."""

    opened = ""

    @classmethod
    def from_url(cls, url: str, *inner: Any, options: object = None) -> Telling:  # noqa: ARG003
        made = cls()
        made.opened = url
        return made

    @property
    def url(self) -> str:
        return self.opened

    def ids(self) -> Iterator[str]:
        raise OSError(f"cannot connect to {self.opened}")


class Around(RepositoryWrapper):
    """A wrapper that gives the URL of its inner repository."""

    @property
    def url(self) -> str:
        return f"around::{self.inner.url}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"telling://lab:{PASSWORD}@db:5432/x", "telling://lab:***@db:5432/x"),
        (f"telling://:{PASSWORD}@db", "telling://:***@db"),
        (f"telling://db?token={PASSWORD}&a=b", "telling://db?token=***&a=b"),
        (f"telling://db?a=b&db_password={PASSWORD}", "telling://db?a=b&db_password=***"),
        ("telling://db:80/a@b?keyfile=/k&x=y", "telling://db:80/a@b?keyfile=/k&x=y"),
        ("telling:///a%20b@c", "telling:///a%20b@c"),
    ],
)
def test_no_url_and_no_error_of_a_store_shows_its_password(url: str, shown: str) -> None:
    repository = open_repository(
        f"around::{url}", registry=registry(telling=Telling, around=Around)
    )
    with pytest.raises(PluginCallError) as caught:
        list(repository.ids())

    assert repository.url == f"around::{shown}"
    assert f"connect to {shown}" in str(caught.value)
    for text in (repr(caught.value), str(caught.value.args), caught.value.cause):
        assert PASSWORD not in text


@pytest.mark.parametrize(
    "url",
    [
        f"exiting://lab:{PASSWORD}@db",
        f"unknown://lab:{PASSWORD}@db",
        f"around::Typo://lab:{PASSWORD}@db",
        f"aro:und::exiting://lab:{PASSWORD}@db",
        f"exiting?password={PASSWORD}::exiting://db",
        f"file://lab:{PASSWORD}@db",
        f"sqlite://lab:{PASSWORD}@db",
        f"memory://lab:{PASSWORD}@db::x",
    ],
)
def test_an_url_that_opens_nothing_is_shown_without_its_password(url: str) -> None:
    known = registry(
        exiting=Exiting,
        around=Around,
        memory=MemoryRepository,
        file=FileRepository,
        sqlite=SqliteRepository,
    )

    with pytest.raises(HoldallError) as caught:
        open_repository(url, registry=known)

    for text in (message(caught.value), repr(caught.value), traceback_of(caught.value)):
        assert PASSWORD not in text


def test_a_message_is_searched_for_urls() -> None:
    text = "cannot copy 'a://u:p@h/x' to 'readonly::b://c?secret=s' (c://host:1/@)"

    assert masked_url(text) == (
        "cannot copy 'a://u:***@h/x' to 'readonly::b://c?secret=***' (c://host:1/@)"
    )
