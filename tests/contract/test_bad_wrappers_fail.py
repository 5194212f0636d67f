"""What a wrapper has to forward: for each test of it, a wrapper that it finds out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from holdall.errors import LockedStorageError
from holdall.stores import RepositoryWrapper, StorageWrapper
from holdall.testing import RepositoryContract, WrapperContract
from holdall_plugins.stores.file import FileRepository
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from holdall.contracts import Level, Mode, Repository, Storage


class Good(RepositoryWrapper):
    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Any:
        if "?" in url:
            return super().from_url(url, options=options)  # refused, as without anything to wrap
        return super().from_url(url, *inner, options=options)

    @property
    def url(self) -> str:
        return f"bad::{self.inner.url}"


class WrongUrl(Good):
    @property
    def url(self) -> str:
        return self.inner.url


class ForgetsItself(Good):
    def wrapped(self, storage: Storage) -> Storage:
        return storage


class KeepsOpen(Good):
    def wrapped(self, storage: Storage) -> Storage:
        return Open(storage, self)


class Open(StorageWrapper):
    def close(self) -> None:
        """Hold on to the session."""


class ByHand:
    """Forwards what every repository has, and nothing that one may have."""

    def __init__(self, inner: Repository) -> None:
        self.inner = inner
        self.url = f"bad::{inner.url}"

    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> ByHand:
        del url, options
        return cls(inner[0])

    def create(self, session_id: str, *, first: int = 1) -> Storage:
        return StorageWrapper(self.inner.create(session_id, first=first), self)

    def open(self, session_id: str, *, mode: Mode = "w", take_over: bool = False) -> Storage:
        opened = self.inner.open(session_id, mode=mode, take_over=take_over)
        return StorageWrapper(opened, self)

    def ids(self) -> Iterator[str]:
        return self.inner.ids()

    def remove(self, session_id: str) -> None:
        self.inner.remove(session_id)


class ListsChanged(Good):
    def wrapped(self, storage: Storage) -> Storage:
        return Backwards(storage, self)


class Backwards(StorageWrapper):
    def append(self, entries: Sequence[bytes], *, expect: int, level: Level = "system") -> int:
        return self.inner.append([each[::-1] for each in entries], expect=expect, level=level)

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        return ((number, entry[::-1]) for number, entry in self.inner.read(after))


class WrapsNothing(Good):
    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Any:
        return super().from_url(url, *(inner or (MemoryRepository(),)), options=options)


class TakesAnyOption(Good):
    @classmethod
    def from_url(cls, url: str, *inner: Repository, options: object = None) -> Any:
        return super().from_url(url.partition("?")[0], *inner, options=options)


BROKEN: dict[str, type[Any]] = {
    "test_its_url_opens_it_again": WrongUrl,
    "test_a_storage_names_the_wrapper_as_its_repository": ForgetsItself,
    "test_closing_lets_go_of_the_inner_session": KeepsOpen,
    "test_it_has_the_capabilities_of_what_it_wraps_and_no_others": ByHand,
    "test_a_listing_has_the_entries_as_they_are_read": ListsChanged,
    "test_it_refuses_to_wrap_nothing": WrapsNothing,
    "test_it_refuses_an_option_that_it_does_not_have": TakesAnyOption,
}


def call(test: str, kind: type[Any], folder: Path) -> None:
    """Call a test of the contract as pytest does."""
    contract = type("Contract", (WrapperContract,), {"wrapper": kind, "head": "bad"})()
    inner = FileRepository(folder)
    given = {"inner": inner, "repository": kind.from_url("bad", inner), "store": "file"}
    method = getattr(contract, test)
    names = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    method(**{name: given[name] for name in names})


@pytest.mark.parametrize("test", BROKEN)
def test_a_wrapper_that_forwards_something_wrongly_is_found_out(test: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, LockedStorageError, pytest.fail.Exception)):
        call(test, BROKEN[test], tmp_path)


@pytest.mark.parametrize("test", BROKEN)
def test_a_wrapper_that_forwards_everything_is_not(test: str, tmp_path: Path) -> None:
    call(test, Good, tmp_path)


def test_each_test_of_wrappers_is_failed_by_one() -> None:
    own = {name for name in dir(WrapperContract) if name.startswith("test_")}

    assert own - set(dir(RepositoryContract)) == set(BROKEN)
