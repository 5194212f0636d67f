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
from holdall.stores import RepositoryWrapper, open_repository
from holdall.testing.checks.stores import URL, Outcomes, promises
from holdall.testing.repositories import RepositoryContract

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository
    from holdall.testing.checks.outcomes import Finding
    from holdall.testing.checks.stores import Promise


_PROCESSES: Final = 4
"""The tests wait for disks and other processes more than they compute."""


def outcomes() -> list[tuple[Promise, Finding]]:
    """Run the contract over the store that the variable names, in several processes."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, mp_context=fresh) as pool:
        parts = list(pool.map(_outcomes_of_part, range(_PROCESSES)))
    order = {promise.test: number for number, promise in enumerate(promises(TestStore))}
    return sorted(chain(*parts), key=lambda outcome: order[outcome[0].test])


class _Part:
    """A plugin of pytest that leaves the other parts of the tests out."""

    def __init__(self, number: int) -> None:
        self._number = number

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = items[self._number :: _PROCESSES]


def _outcomes_of_part(number: int) -> list[tuple[Promise, Finding]]:
    kept = Outcomes(TestStore)
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


class TestStore(RepositoryContract):
    """The store that the variable names."""

    durable = processes = not is_in_one_process(os.environ[URL])

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Repository:
        """Return an empty repository."""
        return open_repository(os.environ[URL].replace("{folder}", str(tmp_path)))

    def reopen(self, repository: Repository) -> Repository:
        """Return another one of its URL."""
        return open_repository(repository.url)
