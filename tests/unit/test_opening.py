"""From a URL to a repository, across the border to the store's plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import PluginCallError, StorageAccessError
from holdall.registry import Registry
from holdall.session import SessionManager
from holdall.stores import StorageWrapper, open_repository
from holdall_plugins.stores.memory import MemoryRepository

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
