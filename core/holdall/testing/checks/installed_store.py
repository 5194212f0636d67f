"""The contract over the store at a URL, for `holdall plugins check`; pytest collects it."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from holdall.errors import HoldallError
from holdall.stores import RepositoryWrapper, open_repository
from holdall.testing.checks.stores import URL, Outcomes
from holdall.testing.repositories import RepositoryContract

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Repository


def outcomes() -> Outcomes:
    """Run the contract over the store that the variable names, and return what came of it."""
    kept = Outcomes(TestStore)
    unused = ("cacheprovider", "xdist", "randomly")
    options = [option for name in unused for option in ("-p", f"no:{name}")]
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        places = (f"--rootdir={folder}", f"--basetemp={folder}/new", "-c", os.devnull)
        pytest.main(["-q", *options, *places, "--pyargs", __name__], plugins=[kept])
    return kept


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
