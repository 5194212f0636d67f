"""The contract over the store at a URL, for `holdall plugins check`; pytest collects it."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest

from holdall.errors import HoldallError
from holdall.registry import Registry
from holdall.stores import RepositoryWrapper, open_repository
from holdall.testing.checks.repositories.emptying import empty
from holdall.testing.checks.repositories.promises import URL, Outcomes, promises
from holdall.testing.repositories import RepositoryContract
from holdall.testing.wrappers import WrapperContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts import Repository
    from holdall.testing.checks.outcomes import Finding
    from holdall.testing.checks.repositories.promises import Promise


_PROCESSES: Final = 4
"""The tests wait for disks and other processes more than they compute."""


def planned() -> list[Promise]:
    """Return what the tests are about that `outcomes` runs."""
    return list(promises(_chosen()))


def outcomes() -> list[tuple[Promise, Finding]]:
    """Run the contract over the store that the variable names, in several processes."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, mp_context=fresh) as pool:
        parts = list(pool.map(_outcomes_of_part, range(_PROCESSES)))
    order = {promise.test: number for number, promise in enumerate(planned())}
    return sorted(chain(*parts), key=lambda outcome: order[outcome[0].test])


class _Part:
    """A plugin of pytest that leaves the other parts of the tests out."""

    def __init__(self, number: int) -> None:
        self._number = number

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = items[self._number :: _PROCESSES]


def _outcomes_of_part(number: int) -> list[tuple[Promise, Finding]]:
    kept = Outcomes(_chosen())
    unused = ("cacheprovider", "xdist", "randomly")
    options = [option for name in unused for option in ("-p", f"no:{name}")]
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        places = (f"--rootdir={folder}", f"--basetemp={folder}/new", "-c", os.devnull)
        plugins = [kept, _Part(number)]
        pytest.main(["-q", *options, *places, "--pyargs", __name__], plugins=plugins)
    return kept.findings


def is_in_one_process(url: str) -> bool:
    """Whether the class of the store at *url* says that a store lives in one process."""
    try:
        repository = open_repository(url)
    except HoldallError:
        return False  # each check says what hinders it
    while isinstance(repository, RepositoryWrapper):
        repository = repository.inner
    return bool(getattr(repository, "in_one_process", False))


IS_WRAPPER: Final = "::" in os.environ[URL]


class TestStore(RepositoryContract):
    """The store that the variable names."""

    __test__ = not IS_WRAPPER
    durable = processes = not is_in_one_process(os.environ[URL])

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Iterator[Repository]:
        """Return an empty repository, which is empty again afterwards."""
        repository = open_repository(os.environ[URL].replace("{folder}", str(tmp_path)))
        yield repository
        empty(repository)

    def reopen(self, repository: Repository) -> Repository:
        """Return another one of its URL."""
        return open_repository(repository.url)


class TestWrapper(WrapperContract):
    """The wrapper that the variable names, over the store that it names behind `::`."""

    __test__ = IS_WRAPPER
    durable = processes = not is_in_one_process(os.environ[URL])
    head = os.environ[URL].partition("::")[0]

    @property
    def wrapper(self) -> type[Repository]:  # type: ignore[override] # looked up when it is needed
        """The class that the name stands for."""
        loaded: type[Repository] = Registry.discover().load(
            "repositories", self.head.partition("?")[0]
        )
        return loaded

    @pytest.fixture
    def inner(self, tmp_path: Path) -> Iterator[Repository]:
        """Return an empty repository to wrap, which is empty again afterwards."""
        url = os.environ[URL].partition("::")[2]
        inner = open_repository(url.replace("{folder}", str(tmp_path)))
        yield inner
        empty(inner)

    def reopen(self, repository: Repository) -> Repository:
        """Return another one of its URL."""
        return open_repository(repository.url)


def _chosen() -> type[RepositoryContract]:
    return TestWrapper if IS_WRAPPER else TestStore
