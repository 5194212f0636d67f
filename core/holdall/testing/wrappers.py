"""The contract of wrappers: that of repositories, and what a wrapper has to forward."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, ClassVar, Final

import pytest

from holdall.contracts import HasExistence, HasFolder, HasSummaries, Sweepable, Watchable
from holdall.errors import StoreUrlError
from holdall.stores import file_url, open_repository
from holdall.testing.repositories import RepositoryContract

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository

_NUMBERS: Final = count()


class WrapperContract(RepositoryContract):
    """A wrapper keeps what a repository promises, over any store that keeps it.

    Name the class, and how its URLs begin; that is all a wrapper has to do:

        class TestZipped(WrapperContract):
            wrapper = ZippedRepository
            head = "zipped"

    A wrapper that changes bytes also gives `damage`, as a store does that keeps no entry as it is.

    Attributes:
        wrapper: The class of the wrapper.
        head: What stands before `::` in its URL, with options if it needs some.
        hidden: The optional Protocols that it hides on purpose.
    """

    wrapper: ClassVar[type[Repository]]
    head: ClassVar[str]
    hidden: ClassVar[tuple[type, ...]] = ()

    @pytest.fixture
    def inner(self, tmp_path: Path) -> Repository:
        """Return the empty repository to wrap; a `file` store if a test gives no other."""
        return open_repository(file_url(tmp_path / "inner"))

    @pytest.fixture
    def repository(self, inner: Repository) -> Repository:
        """Return the wrapper over the empty repository."""
        return self.wrapper.from_url(self.head, inner)

    def test_its_url_opens_it_again(self, repository: Repository, inner: Repository) -> None:
        """The URL is the wrapper's own before `::`, and that of what it wraps behind it."""
        assert repository.url.endswith(f"::{inner.url}")
        repository.create("session").close()

        again = self.reopen(repository)

        assert again.url == repository.url
        assert list(again.ids()) == ["session"]

    def test_a_storage_names_the_wrapper_as_its_repository(self, repository: Repository) -> None:
        """What is opened by the wrapper leads back to it, and not to what it wraps."""
        storage = repository.create("session")
        named = storage.repository.url
        storage.close()

        assert named == repository.url

    def test_closing_lets_go_of_the_inner_session(
        self, repository: Repository, inner: Repository
    ) -> None:
        """A storage that is closed twice has let go of what it wraps, so that others may write."""
        storage = repository.create("session")
        storage.close()
        storage.close()

        inner.open("session").close()

    @pytest.mark.parametrize("store", ["file", "memory"])
    def test_it_has_the_capabilities_of_what_it_wraps_and_no_others(
        self, store: str, inner: Repository
    ) -> None:
        """`isinstance` says of the wrapper what it says of what it wraps."""
        if store == "memory":
            inner = open_repository(f"memory://wrapped-{next(_NUMBERS)}")
        inner.create("session").close()
        wrapper = self.wrapper.from_url(self.head, inner)
        storage, plain = wrapper.open("session", mode="r"), inner.open("session", mode="r")

        of_wrapper = _capabilities(wrapper, storage)
        of_inner = _capabilities(inner, plain)
        storage.close()
        plain.close()

        assert of_wrapper == of_inner - set(self.hidden)

    def test_a_listing_has_the_entries_as_they_are_read(self, repository: Repository) -> None:
        """What a listing takes from the ends of a session is what the storage reads."""
        storage = repository.create("session")
        storage.append([b'{"entry":1}', b'{"entry":2}'], expect=0)
        storage.close()
        if not isinstance(repository, HasSummaries):
            pytest.skip("it has no summaries")

        [ends] = repository.summaries()

        assert ends.last[-1] == b'{"entry":2}'

    def test_it_refuses_to_wrap_nothing(self) -> None:
        """A URL without `::` is refused, and the reason says what to write."""
        with pytest.raises(StoreUrlError, match="::"):
            self.wrapper.from_url(self.head)

    def test_it_refuses_an_option_that_it_does_not_have(self, inner: Repository) -> None:
        """An option that is none is a misspelt one."""
        joint = "&" if "?" in self.head else "?"

        with pytest.raises(StoreUrlError):
            self.wrapper.from_url(f"{self.head}{joint}surely_no_wrapper_has_this=1", inner)


def _capabilities(repository: object, storage: object) -> set[type]:
    return {
        protocol
        for protocol, owner in (
            (HasSummaries, repository),
            (HasExistence, repository),
            (HasFolder, storage),
            (Sweepable, storage),
            (Watchable, storage),
        )
        if isinstance(owner, protocol)
    }
